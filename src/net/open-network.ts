import { Loop } from './loop.ts';
import type { Network } from './network.ts';
import { NodeNetwork } from './node-network.ts';
import { DescriptorTable } from './uring/descriptor-table.ts';
import { UringNetwork } from './uring/uring-network.ts';

/** `auto`: io_uring where the kernel and Node have it, else `node`, which is `node:net`. */
export type IoBackend = 'auto' | 'io_uring' | 'node';

export interface OpenedNetwork {
  readonly network: Network;
  readonly loop: Loop;
  readonly backend: 'io_uring' | 'node';
  /** Why it is not io_uring, where it might have been; else empty. */
  readonly reason: string;
}

/**
 * A thread's network and the loop that takes its turns. `descriptors`: where a thread that is watched writes down what it
 * has open. Where io_uring was asked for and is not to be had, the main thread has refused to start.
 */
export function openNetwork(backend: IoBackend, descriptors: SharedArrayBuffer | null): OpenedNetwork {
  let reason = '';
  if (backend !== 'node') {
    try {
      const table = descriptors === null ? new DescriptorTable() : new DescriptorTable(descriptors);
      const network = new UringNetwork(table);
      return { network, loop: network.loop, backend: 'io_uring', reason };
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  const loop = new Loop();
  return { network: new NodeNetwork(loop), loop, backend: 'node', reason };
}
