import { CR, LF } from './characters.ts';
import { Incomplete } from './field-scanner.ts';

/** Gathers a head that arrives in pieces. Each byte is copied and looked at once, however small the pieces are. */
export class HeadBuffer {
  bytes: Uint8Array;
  length: number;
  /** Where the last line, which is not complete yet, begins. 0: not even the start line is complete. */
  lineStart: number;
  /** The owner has looked at the start line. */
  isStartLineRead: boolean;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.length = 0;
    this.lineStart = 0;
    this.isStartLineRead = false;
  }

  append(chunk: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
      bytes.set(this.bytes.subarray(0, this.length));
      this.bytes = bytes;
    }
    this.bytes.set(chunk.subarray(from, to), this.length);
    this.length = length;
  }

  /** Looks on for the empty line from where the last call ended; the position after it, or `Incomplete`. */
  findEnd(scannedTo: number): number {
    const { bytes, length } = this;
    let { lineStart } = this;
    for (let i = scannedTo; i < length; i++) {
      if (bytes[i] !== LF) continue;
      const size = i - lineStart;
      if (size === 0 || (size === 1 && bytes[lineStart] === CR)) return i + 1;
      lineStart = i + 1;
    }
    this.lineStart = lineStart;
    return Incomplete;
  }
}
