/** Growable output: what is written lies in `bytes[0, length)`. */
export interface ByteTarget {
  /** Replaced when it grows: read it anew after `ensure`. */
  bytes: Uint8Array;
  length: number;
  /** Makes room for `size` more bytes after `length`. */
  ensure(size: number): void;
}

/** A `ByteTarget` that doubles. */
export class ByteWriter implements ByteTarget {
  bytes: Uint8Array;
  length: number;

  constructor(size = 4096) {
    this.bytes = new Uint8Array(size);
    this.length = 0;
  }

  ensure(size: number): void {
    if (this.bytes.length - this.length < size) this.grow(this.length + size);
  }

  private grow(size: number): void {
    const bytes = new Uint8Array(Math.max(size, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}
