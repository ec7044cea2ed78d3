import { setTimeout as pause } from 'node:timers/promises';
import type { WaitOptions } from './invocation.ts';

/** Asks until it is answered with 200. @returns why it was not, in time; null: it was */
export async function waitUntilReady(options: WaitOptions): Promise<string | null> {
  const end = performance.now() + options.timeoutMs;
  let last = 'not asked yet';
  while (performance.now() < end) {
    try {
      const answer = await fetch(options.url, { signal: AbortSignal.timeout(options.requestTimeoutMs) });
      await answer.arrayBuffer();
      if (answer.status === 200) return null;
      last = `HTTP status code ${answer.status}`;
    } catch (error) {
      const { cause, message } = error as Error;
      last = cause instanceof Error ? cause.message || message : message;
    }
    await pause(Math.min(options.periodMs, Math.max(0, end - performance.now())));
  }
  return `timeout waiting for Envoy proxy to become ready. Last error: ${last}`;
}
