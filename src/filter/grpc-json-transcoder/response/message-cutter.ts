import { noBytes } from '../../../core/bytes.ts';
import { frameHeadBytes } from '../../grpc/grpc-frames.ts';

/** Cuts a gRPC body into its length-prefixed messages, however it arrives. */
export class MessageCutter {
  /** What has not been read: `[at, end)`. */
  private bytes: Uint8Array;
  private at: number;
  private end: number;
  /** The bytes are a copy, and there may be room behind them. */
  private isCopy: boolean;

  constructor() {
    this.bytes = noBytes;
    this.at = 0;
    this.end = 0;
    this.isCopy = false;
  }

  /** Bytes that wait for more. */
  get heldSize(): number {
    return this.end - this.at;
  }

  push(chunk: Uint8Array): void {
    if (this.at === this.end) {
      this.bytes = chunk;
      this.at = 0;
      this.end = chunk.length;
      this.isCopy = false;
      return;
    }
    if (!this.isCopy || this.bytes.length - this.end < chunk.length) this.grow(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Length of the message that is arriving; -1: not known yet. */
  get nextLength(): number {
    if (this.heldSize < frameHeadBytes) return -1;
    const { bytes, at } = this;
    return ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0;
  }

  /** Flag of the message that is arriving; -1: not known yet. */
  get nextFlag(): number {
    return this.heldSize < frameHeadBytes ? -1 : this.bytes[this.at];
  }

  /** The next whole message; null: it has not arrived. A view, which later chunks leave alone. */
  next(): Uint8Array | null {
    const length = this.nextLength;
    if (length < 0 || this.heldSize < frameHeadBytes + length) return null;
    const start = this.at + frameHeadBytes;
    this.at = start + length;
    return this.bytes.subarray(start, this.at);
  }

  /** By doubling, so that a message in many small chunks is not copied for each of them. */
  private grow(size: number): void {
    const held = this.heldSize;
    const larger = new Uint8Array((held + size) * 2);
    larger.set(this.bytes.subarray(this.at, this.end));
    this.bytes = larger;
    this.at = 0;
    this.end = held;
    this.isCopy = true;
  }
}
