import type { Timed } from '../../core/clock.ts';
import { ConnectionTimeout } from '../../core/failures.ts';
import type { Address } from '../../core/peer.ts';
import type { Dialing, DialHandler, DialOptions } from '../network.ts';
import { boundTo, dialFailure } from '../socket-error.ts';
import { highHalf, lowHalf } from './native-memory.ts';
import { SystemCallError } from './system-call-error.ts';
import { Op, type RingUser } from './ring.ts';
import { UringConnection } from './uring-connection.ts';
import { UringPeer } from './uring-peer.ts';
import type { Postponed } from './uring-turns.ts';
import type { UringThread } from './uring-thread.ts';

const connected = 1;

/** One attempt to open a connection. */
export class UringDialing implements Dialing, RingUser, Timed, Postponed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly thread: UringThread;
  private readonly address: Address;
  private readonly options: DialOptions;
  private fd: number;
  private slot: number;
  private error: SystemCallError | null;
  private handler: DialHandler | null;

  constructor(thread: UringThread, address: Address, options: DialOptions, handler: DialHandler) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.thread = thread;
    this.address = address;
    this.options = options;
    this.fd = -1;
    this.slot = -1;
    this.error = null;
    this.handler = handler;
    try {
      this.connect();
    } catch (error) {
      // Told later: the caller does not have us yet.
      this.error = error as SystemCallError;
      thread.turns.postpone(this);
    }
  }

  onCompletion(_what: number, result: number): void {
    const { thread, fd, options } = this;
    thread.ring.dismiss(this.slot);
    this.slot = -1;
    const handler = this.take();
    if (handler === null) return;
    if (result < 0) {
      thread.closeSocket(fd, false);
      handler.onDialFailure(dialFailure(new SystemCallError('connect', -result), null));
    } else {
      const peer = new UringPeer(thread.sockets, fd, this.address);
      handler.onConnected(new UringConnection(thread, fd, peer, options.bufferLimit));
    }
    thread.loop.leave();
  }

  /** The kernel refused before anything was sent. */
  afterReading(): void {
    const handler = this.take();
    if (this.fd >= 0) this.thread.closeSocket(this.fd, false);
    handler?.onDialFailure(dialFailure(this.error!, boundTo(this.options)));
  }

  tick(): void {
    const handler = this.take();
    this.giveUp();
    handler?.onDialFailure(ConnectionTimeout);
  }

  cancel(): void {
    if (this.take() !== null) this.giveUp();
  }

  private connect(): void {
    const { thread, address, options } = this;
    const { sockets, ring, loop } = thread;
    this.fd = sockets.open(address, options.keepAliveSeconds, options.place);
    if (options.keepAliveSeconds !== null)
      sockets.keepAlive(this.fd, options.keepAliveIntervalSeconds ?? 0, options.keepAliveProbes ?? 0);
    sockets.prepare(this.fd, address, options);
    const placed = sockets.place(address);
    this.slot = ring.enlist(this);
    const [low, high] = [lowHalf(placed.address), highHalf(placed.address)];
    ring.request(Op.Connect, this.fd, 0, low, high, 0, 0, this.slot, connected);
    ring.setOffset(placed.size);
    loop.timers.schedule(this, loop.clock.now + options.connectTimeoutMs);
  }

  private giveUp(): void {
    if (this.slot >= 0) this.thread.closeSocket(this.fd, true);
  }

  /** The handler hears exactly one thing. */
  private take(): DialHandler | null {
    const { handler } = this;
    this.handler = null;
    this.thread.loop.timers.cancel(this);
    return handler;
  }
}
