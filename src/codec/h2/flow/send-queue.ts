import type { Headers } from '../../../core/headers.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import { copiedQueueBytesMax } from '../limits.ts';

/** DATA of a stream that could not leave yet, and what comes behind it. */
export class SendQueue {
  bytes: number;
  /** The message ends with what is queued. */
  isEnding: boolean;
  /** What ends it; null: END_STREAM on the last DATA. */
  trailers: Headers | null;
  private chunks: Uint8Array[];
  private head: number;
  /** Bytes of the first chunk that have left. */
  private offset: number;

  constructor() {
    this.bytes = 0;
    this.isEnding = false;
    this.trailers = null;
    this.chunks = [];
    this.head = 0;
    this.offset = 0;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** Up to `max` bytes of one chunk, which leave the queue; only where there are any. */
  take(max: number): Uint8Array {
    const chunk = this.chunks[this.head];
    const { offset } = this;
    const end = Math.min(chunk.length, offset + max);
    this.bytes -= end - offset;
    if (end < chunk.length) {
      this.offset = end;
      return chunk.subarray(offset, end);
    }
    this.offset = 0;
    this.dropFirst();
    return offset === 0 ? chunk : chunk.subarray(offset);
  }

  /** What was pushed last stays for longer: a small piece must not hold the memory of a large read. */
  settleLast(): void {
    const last = this.chunks.length - 1;
    if (last < this.head || (last === this.head && this.offset > 0)) return;
    const chunk = this.chunks[last];
    if (chunk.length > copiedQueueBytesMax || chunk.buffer.byteLength < 4 * chunk.length) return;
    // Not `slice`: that of a Buffer copies nothing.
    this.chunks[last] = new Uint8Array(chunk);
    lentBytes.settle(chunk, chunk.length);
  }

  clear(): void {
    this.bytes = 0;
    this.isEnding = false;
    this.trailers = null;
    this.chunks = [];
    this.head = 0;
    this.offset = 0;
  }

  private dropFirst(): void {
    const { chunks } = this;
    chunks[this.head] = undefined as unknown as Uint8Array;
    this.head++;
    if (this.head === chunks.length) {
      chunks.length = 0;
      this.head = 0;
    } else if (this.head >= 64 && this.head * 2 > chunks.length) {
      chunks.splice(0, this.head);
      this.head = 0;
    }
  }
}
