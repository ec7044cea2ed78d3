import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes the ports of outgoing connections, so that no client socket of a parallel
 * run can take a port between now and the moment a proxy binds it.
 */
const lowest = 10_000;
const highest = 32_000;

/** Given out in this process: free still, perhaps, but somebody is about to bind it. */
const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
