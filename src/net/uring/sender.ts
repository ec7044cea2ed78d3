import { lentBytes } from '../../core/lent-bytes.ts';
import { MessageFlag } from './message-writer.ts';
import { highHalf, lowHalf } from './native-memory.ts';
import { Op } from './ring.ts';
import { sendSlotBytes } from './send-slots.ts';
import { Ask } from './ask.ts';
import type { UringThread } from './uring-thread.ts';

const sendFlags = MessageFlag.NoSignal | MessageFlag.WaitAll;

/** Whose writing it is. */
export interface Sending {
  readonly fd: number;
  readonly slot: number;
  readonly thread: UringThread;
}

/**
 * The writing half of a connection. Small messages are requested of the ring, and leave with those of other connections
 * in one call; larger ones are sent at once, because what they lie in may be read into again (core/lent-bytes.ts), and
 * only what the kernel did not take is requested. One request at a time, so that the order holds.
 */
export class Sender {
  private readonly connection: Sending;
  /** The kernel may still complete something. */
  isAsked: boolean;
  unsentBytes: number;
  private slot: number;
  /** Where in the slot's memory, or in the first piece, what was asked for begins. */
  private offset: number;
  /** What the kernel has not taken, first the one that is asked for; null: the slot holds it. */
  private pieces: Uint8Array[] | null;

  constructor(connection: Sending) {
    this.connection = connection;
    this.isAsked = false;
    this.unsentBytes = 0;
    this.slot = -1;
    this.offset = 0;
    this.pieces = null;
  }

  sendText(text: string): void {
    const { slots } = this.connection.thread;
    const slot = text.length <= sendSlotBytes ? slots.take() : -1;
    if (slot < 0) {
      this.send([Buffer.from(text, 'latin1')]);
      return;
    }
    this.slot = slot;
    this.offset = 0;
    this.unsentBytes = slots.bytes.latin1Write(text, slots.offsetOf(slot), text.length);
    this.askSlot();
  }

  sendPieces(chunks: (Uint8Array | string)[], lastText: string): void {
    const pieces: Uint8Array[] = [];
    for (const chunk of chunks) pieces.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
    if (lastText !== '') pieces.push(Buffer.from(lastText, 'latin1'));
    this.send(pieces);
  }

  /** The kernel has taken `size` bytes of what was asked. True: nothing is left. */
  onSent(size: number): boolean {
    this.isAsked = false;
    this.unsentBytes -= size;
    this.offset += size;
    if (this.pieces !== null) {
      this.send(this.without(this.pieces, this.offset));
      return !this.isAsked;
    }
    if (this.unsentBytes > 0) {
      this.askSlot();
      return false;
    }
    this.release();
    return true;
  }

  /** Nothing of it is wanted any more, and the kernel does not look at it. */
  release(): void {
    if (this.slot >= 0) this.connection.thread.slots.giveBack(this.slot);
    this.slot = -1;
    this.pieces = null;
    this.isAsked = false;
    this.unsentBytes = 0;
  }

  private send(pieces: Uint8Array[]): void {
    let size = 0;
    for (const piece of pieces) size += piece.length;
    const taken = size === 0 ? 0 : this.connection.thread.writer.send(this.connection.fd, pieces);
    const left = this.without(pieces, taken);
    this.unsentBytes = size - taken;
    if (left.length === 0) {
      this.pieces = null;
      return;
    }
    this.pieces = left;
    this.offset = 0;
    this.askPiece(left[0]);
  }

  /** Pieces that were taken whole are settled. */
  private without(pieces: Uint8Array[], taken: number): Uint8Array[] {
    let left = taken;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      if (left < piece.length) {
        const rest = pieces.slice(i);
        if (left > 0) rest[0] = piece.subarray(left);
        return rest;
      }
      left -= piece.length;
      lentBytes.settle(piece, piece.length);
    }
    return [];
  }

  private askSlot(): void {
    this.isAsked = true;
    const { connection, slot, offset } = this;
    const { thread } = connection;
    const { slots } = thread;
    // A slot begins at a multiple of its size, so adding to the lower half never carries.
    const low = slots.lowOf(slot) + offset;
    const size = this.unsentBytes;
    thread.ring.request(Op.Send, connection.fd, 0, low, slots.highOf(slot), size, sendFlags, connection.slot, Ask.Send);
  }

  private askPiece(piece: Uint8Array): void {
    this.isAsked = true;
    const { thread, fd, slot } = this.connection;
    const address = thread.libc.addressOf(piece);
    const [low, high] = [lowHalf(address), highHalf(address)];
    thread.ring.request(Op.Send, fd, 0, low, high, piece.length, sendFlags, slot, Ask.Send);
  }
}
