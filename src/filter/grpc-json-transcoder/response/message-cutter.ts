import { noBytes } from '../../../core/bytes.ts';
import { frameHeadBytes } from '../../grpc/grpc-frames.ts';

/** Cuts a gRPC body into its length-prefixed messages, however it arrives. */
export class MessageCutter {
  private readonly chunks: Uint8Array[];
  /** Bytes of the first chunk that have been read. */
  private at: number;
  private size: number;

  constructor() {
    this.chunks = [];
    this.at = 0;
    this.size = 0;
  }

  /** Bytes that wait for more. */
  get heldSize(): number {
    return this.size;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.size += chunk.length;
  }

  /** Length of the message that is arriving; -1: not known yet. Looks, takes nothing. */
  get nextLength(): number {
    if (this.size < frameHeadBytes) return -1;
    return ((this.byte(1) << 24) | (this.byte(2) << 16) | (this.byte(3) << 8) | this.byte(4)) >>> 0;
  }

  /** Flag of the message that is arriving; -1: not known yet. */
  get nextFlag(): number {
    return this.size < frameHeadBytes ? -1 : this.byte(0);
  }

  /** The next whole message; null: it has not arrived. A view of the chunk where it lies in one. */
  next(): Uint8Array | null {
    const length = this.nextLength;
    if (length < 0 || this.size < frameHeadBytes + length) return null;
    this.drop(frameHeadBytes);
    return this.take(length);
  }

  private byte(index: number): number {
    let offset = this.at + index;
    for (const chunk of this.chunks) {
      if (offset < chunk.length) return chunk[offset];
      offset -= chunk.length;
    }
    return 0;
  }

  private take(length: number): Uint8Array {
    if (length === 0) return noBytes;
    const [first] = this.chunks;
    if (first.length - this.at >= length) {
      const message = first.subarray(this.at, this.at + length);
      this.drop(length);
      return message;
    }
    const message = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const part = this.chunks[0].subarray(this.at, this.at + length - filled);
      message.set(part, filled);
      filled += part.length;
      this.drop(part.length);
    }
    return message;
  }

  private drop(length: number): void {
    this.size -= length;
    this.at += length;
    while (this.chunks.length > 0 && this.at >= this.chunks[0].length) this.at -= this.chunks.shift()!.length;
  }
}
