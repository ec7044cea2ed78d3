import type { Clock, Timers } from '../../core/clock.ts';
import type { Address } from '../../core/peer.ts';
import { Loop } from '../loop.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
} from '../network.ts';
import { NodeNetwork } from '../node-network.ts';
import { errorText } from '../socket-error.ts';
import type { DescriptorTable } from './descriptor-table.ts';
import { Ring } from './ring.ts';
import { UringDialing } from './uring-dialing.ts';
import { UringListeningSocket } from './uring-listening-socket.ts';
import { UringThread } from './uring-thread.ts';
import { UringTurns } from './uring-turns.ts';

/** The operating system through an io_uring for TCP, and through `node:net` for Unix sockets. One per thread. */
export class UringNetwork implements Network {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly timers: Timers;
  /** For Unix sockets; null: there have been none. */
  private node: NodeNetwork | null;
  private readonly thread: UringThread;

  /**
   * `waitMsMax`: see `UringTurns`.
   * @throws where there is no `node:ffi`, or where the kernel has no io_uring of our kind or forbids it
   */
  constructor(descriptors: DescriptorTable, waitMsMax?: number) {
    const ring = new Ring();
    descriptors.opened(ring.fd);
    descriptors.mapped(ring.areas);
    const turns = new UringTurns(ring, waitMsMax);
    this.loop = new Loop(turns);
    this.clock = this.loop.clock;
    this.timers = this.loop.timers;
    this.node = null;
    this.thread = new UringThread(ring, turns, this.loop, descriptors);
    turns.start(this.loop);
  }

  async listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    if (address.kind === 'pipe') {
      return this.throughNode().listen(address, options, handler);
    }
    try {
      return new UringListeningSocket(this.thread, address, options, handler);
    } catch (error) {
      throw new Error(errorText(error as NodeJS.ErrnoException), { cause: error });
    }
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    if (address.kind === 'pipe') {
      return this.throughNode().dial(address, options, handler);
    }
    return new UringDialing(this.thread, address, options, handler);
  }

  private throughNode(): NodeNetwork {
    this.thread.turns.shareWithNode();
    this.node ??= new NodeNetwork(this.loop);
    return this.node;
  }

  /** Nothing of it is heard of again. */
  close(): void {
    this.thread.turns.stop();
    this.thread.ring.close();
  }
}
