import { Loop } from './loop.ts';
import type { Network } from './network.ts';
import { NodeNetwork } from './node-network.ts';
import { UringNetwork } from './uring/uring-network.ts';

/** `auto`: io_uring where the kernel and Node have it, else `node`. */
export type IoBackend = 'auto' | 'node' | 'io_uring';

/** A thread's network and the loop that takes its turns. Throws where the backend that was asked for is not to be had. */
export function openNetwork(backend: IoBackend): { network: Network; loop: Loop } {
  if (backend !== 'node') {
    try {
      const network = new UringNetwork();
      return { network, loop: network.loop };
    } catch (error) {
      if (backend === 'io_uring') throw error;
    }
  }
  const loop = new Loop();
  return { network: new NodeNetwork(loop), loop };
}
