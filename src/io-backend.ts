import { DescriptorTable } from './net/uring/descriptor-table.ts';

/** `--io-backend io_uring`. @throws Error that says why there is no such thing here */
export async function insistOnUring(): Promise<void> {
  const { whyNoRing } = await import('./net/uring/probe.ts');
  const reason = whyNoRing();
  if (reason !== '') throw new Error(`--io-backend io_uring: ${reason}; --io-backend auto takes node:net then`);
}

/** What a worker's sockets are, for the log. */
export function ioLine(backend: string, reason: string): string {
  const because = reason === '' ? '' : ` (no io_uring: ${reason})`;
  return `sockets: ${backend === 'node' ? 'node:net' : backend}${because}`;
}

/**
 * Descriptors belong to the process: a listener of a thread that has died would take connections that nobody serves.
 * @returns where the thread in its place writes down its own
 */
export function closeLeftOpen(left: SharedArrayBuffer): SharedArrayBuffer {
  void import('./net/uring/left-open.ts').then((leftOpen) => leftOpen.closeLeftOpen(left));
  return new DescriptorTable().shared;
}
