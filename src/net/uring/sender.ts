import { lentBytes } from '../../core/lent-bytes.ts';
import { MessageFlag } from './message-writer.ts';
import { highHalf, lowHalf } from './native-memory.ts';
import { EntryFlag, ifRefused, Op } from './ring.ts';
import { Ask } from './ask.ts';
import type { UringThread } from './uring-thread.ts';

const sendFlags = MessageFlag.NoSignal | MessageFlag.WaitAll;
/** Sent whole while it is handed over, or refused. */
const atOnceFlags = sendFlags | MessageFlag.DontWait;
const unheard = EntryFlag.SkipSuccess << 8;
const Errno = { Again: -11 } as const;

/** Most connections never have anything left to send. */
const none: Uint8Array[] = [];

/** Whose writing it is. */
export interface Sending {
  readonly fd: number;
  readonly slot: number;
  readonly thread: UringThread;
}

/**
 * The writing half of a connection. Small messages are requested of the ring, and leave with those of other connections
 * in one call, of which nothing is heard unless the kernel's buffer had no room for them; larger ones are sent at once,
 * because what they lie in may be read into again (core/lent-bytes.ts). Only what the kernel did not take is waited
 * for, one piece at a time, so that the order holds.
 */
export class Sender {
  private readonly connection: Sending;
  /** The kernel may still complete something. */
  isAsked: boolean;
  unsentBytes: number;
  /** What the kernel has not taken, first the one that is asked for. */
  private pieces: Uint8Array[];
  /** The last small message: where it lies, and what `Ring.handOvers` was when it was requested. */
  private textAddress: number;
  private textBytes: number;
  private textAskedAt: number;

  constructor(connection: Sending) {
    this.connection = connection;
    this.isAsked = false;
    this.unsentBytes = 0;
    this.pieces = none;
    this.textAddress = 0;
    this.textBytes = 0;
    this.textAskedAt = -1;
  }

  /** A small message has been requested and not handed over: it may yet be refused, so nothing may follow it. */
  get isInDoubt(): boolean {
    return this.textAskedAt === this.connection.thread.ring.handOvers;
  }

  /**
   * `tail` stands behind the text. `withTurn`: leaves with the turn if it is small, and unless refused the kernel has it.
   * Else it leaves at once.
   */
  sendText(text: string, tail: Uint8Array | null, withTurn: boolean): void {
    const { thread, fd, slot } = this.connection;
    const { outgoing, ring } = thread;
    // Not between writing and requesting, which have to be of one hand-over.
    ring.makeRoom();
    const address = withTurn ? outgoing.write(text, tail) : -1;
    if (address < 0) {
      const pieces: Uint8Array[] = text === '' ? [] : [Buffer.from(text, 'latin1')];
      if (tail !== null) pieces.push(tail);
      this.send(pieces);
      return;
    }
    const size = tail === null ? text.length : text.length + tail.length;
    this.textAddress = address;
    this.textBytes = size;
    this.textAskedAt = ring.handOvers;
    ring.request(Op.Send, fd, unheard, address, outgoing.high, size, atOnceFlags, slot, ifRefused);
  }

  /** The kernel has not taken the last small message, or not all of it. A negative errno when it never will. */
  onRefused(result: number): number {
    this.textAskedAt = -1;
    if (result < 0 && result !== Errno.Again) return result;
    const rest = this.connection.thread.outgoing.copyRest(this.textAddress, this.textBytes, Math.max(0, result));
    this.unsentBytes = rest.length;
    this.ask([rest]);
    return 0;
  }

  sendPieces(chunks: (Uint8Array | string)[], lastText: string): void {
    const pieces: Uint8Array[] = [];
    for (const chunk of chunks) pieces.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
    if (lastText !== '') pieces.push(Buffer.from(lastText, 'latin1'));
    this.send(pieces);
  }

  /** At once. */
  send(pieces: Uint8Array[]): void {
    let size = 0;
    for (const piece of pieces) size += piece.length;
    const taken = size === 0 ? 0 : this.connection.thread.writer.send(this.connection.fd, pieces);
    this.unsentBytes = size - taken;
    this.ask(this.without(pieces, taken));
  }

  /** The kernel has taken `size` bytes of what was asked. True: nothing is left. */
  onSent(size: number): boolean {
    this.isAsked = false;
    this.send(this.without(this.pieces, size));
    return !this.isAsked;
  }

  /** Nothing of it is wanted any more, and the kernel does not look at it. */
  release(): void {
    for (const piece of this.pieces) lentBytes.settle(piece, piece.length);
    this.pieces = none;
    this.isAsked = false;
    this.unsentBytes = 0;
  }

  /** What was taken is settled. */
  private without(pieces: Uint8Array[], taken: number): Uint8Array[] {
    let left = taken;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      if (left < piece.length) {
        const rest = pieces.slice(i);
        if (left > 0) {
          lentBytes.settle(piece, left);
          rest[0] = piece.subarray(left);
        }
        return rest;
      }
      left -= piece.length;
      lentBytes.settle(piece, piece.length);
    }
    return [];
  }

  private ask(pieces: Uint8Array[]): void {
    this.pieces = pieces;
    if (pieces.length === 0) return;
    this.isAsked = true;
    const piece = pieces[0];
    const { thread, fd, slot } = this.connection;
    const address = thread.libc.addressOf(piece);
    const [low, high] = [lowHalf(address), highHalf(address)];
    thread.ring.request(Op.Send, fd, 0, low, high, piece.length, sendFlags, slot, Ask.Send);
  }
}
