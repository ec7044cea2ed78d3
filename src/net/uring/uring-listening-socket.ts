import type { Timed } from '../../core/clock.ts';
import type { Address } from '../../core/peer.ts';
import type { AcceptHandler, ListeningSocket, ListenOptions } from '../network.ts';
import { errorText } from '../socket-error.ts';
import { SystemCallError } from './system-call-error.ts';
import { CompletionFlag, Op, type RingUser } from './ring.ts';
import { UringConnection } from './uring-connection.ts';
import { UringPeer } from './uring-peer.ts';
import type { UringThread } from './uring-thread.ts';

const acceptMultishot = 1 << 16;
const closeOnExec = 0o2_000_000;
const accepted = 1;

/** After a failure, which is mostly a lack of descriptors: how long until the next attempt. */
const retryMs = 100;

export class UringListeningSocket implements ListeningSocket, RingUser, Timed {
  readonly address: Address;
  handler: AcceptHandler;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly thread: UringThread;
  private readonly options: ListenOptions;
  private readonly fd: number;
  private readonly slot: number;
  private isAsked: boolean;
  private isClosed: boolean;

  /** Throws SystemCallError. */
  constructor(thread: UringThread, address: Address, options: ListenOptions, handler: AcceptHandler) {
    this.handler = handler;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.thread = thread;
    this.options = options;
    const { sockets } = thread;
    this.fd = sockets.open(address, options.keepAliveSeconds, options.place);
    try {
      sockets.listen(this.fd, address, options);
    } catch (error) {
      sockets.close(this.fd);
      throw error;
    }
    this.address = { kind: 'ip', host: address.host, port: sockets.localOf(this.fd)!.port };
    this.slot = thread.ring.enlist(this);
    this.isAsked = false;
    this.isClosed = false;
    this.ask();
  }

  onCompletion(_what: number, result: number, flags: number): void {
    if ((flags & CompletionFlag.More) === 0) this.isAsked = false;
    if (this.isClosed) {
      if (result >= 0) this.thread.sockets.close(result);
      if (!this.isAsked) this.thread.ring.dismiss(this.slot);
      return;
    }
    if (result >= 0) this.accept(result);
    else this.handler.onAcceptFailure(errorText(new SystemCallError('accept', -result)));
    if (this.isAsked || this.isClosed) return;
    const { loop } = this.thread;
    if (result >= 0) this.ask();
    else loop.timers.schedule(this, loop.clock.now + retryMs);
  }

  tick(): void {
    if (!this.isAsked && !this.isClosed) this.ask();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.thread.loop.timers.cancel(this);
    this.thread.closeSocket(this.fd, this.isAsked);
    if (!this.isAsked) this.thread.ring.dismiss(this.slot);
  }

  private accept(fd: number): void {
    const { thread, options } = this;
    thread.descriptors.opened(fd);
    const peer = new UringPeer(thread.sockets, fd, null);
    this.handler.onAccepted(new UringConnection(thread, fd, peer, options.bufferLimit));
    thread.loop.leave();
  }

  private ask(): void {
    this.isAsked = true;
    this.thread.ring.request(Op.Accept, this.fd, acceptMultishot, 0, 0, 0, closeOnExec, this.slot, accepted);
  }
}
