import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes the ports of outgoing connections, so that no client socket of a parallel
 * run can take a port between now and the moment a proxy binds it.
 */
const lowest = 11_000;
const highest = 32_000;

/** A process takes its ports from blocks that it holds, by listening on the first port: two runs never meet. */
const blockPorts = 500;

/** Ports of the held blocks that are not given out; those that were given back lie in front. */
const left: number[] = [];

/** Ports of 127.0.0.1 that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = left.pop();
    if (port === undefined) await holdBlock();
    else if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Whoever had them has closed them: they may be given out again, the ones that have rested longest first. */
export function giveBack(ports: readonly number[]): void {
  left.unshift(...ports.toReversed());
}

/** A block is held as long as the process lives. */
async function holdBlock(): Promise<void> {
  const blocks = (highest - lowest) / blockPorts;
  for (let tries = 0; tries < 10 * blocks; tries++) {
    const first = lowest + blockPorts * Math.floor(Math.random() * blocks);
    if (!(await isFree(first, true))) continue;
    for (let port = first + blockPorts - 1; port > first; port--) left.push(port);
    return;
  }
  throw new Error('no ports are left');
}

function isFree(port: number, holds = false): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '0.0.0.0', exclusive: true }, () => {
    if (holds) resolve(true);
    else server.close(() => resolve(true));
  });
  server.unref();
  return promise;
}
