/** Reads big-endian numbers and length-prefixed vectors out of `bytes[at, end)`, never past its end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Something was asked for that is not there; what was returned then means nothing. */
  hasFailed: boolean;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.hasFailed = false;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** A whole that was read to its end, with nothing missing. */
  get isComplete(): boolean {
    return !this.hasFailed && this.at === this.end;
  }

  u8(): number {
    return this.has(1) ? this.bytes[this.at++] : 0;
  }

  u16(): number {
    if (!this.has(2)) return 0;
    const { bytes, at } = this;
    this.at += 2;
    return (bytes[at] << 8) | bytes[at + 1];
  }

  u24(): number {
    return (this.u8() << 16) | this.u16();
  }

  skip(size: number): void {
    if (this.has(size)) this.at += size;
  }

  /** The next `size` bytes, to be read by themselves. */
  take(size: number): ByteReader {
    const { bytes, at } = this;
    if (!this.has(size)) return new ByteReader(bytes, at, at);
    this.at += size;
    return new ByteReader(bytes, at, at + size);
  }

  vector8(): ByteReader {
    return this.take(this.u8());
  }

  vector16(): ByteReader {
    return this.take(this.u16());
  }

  /** All that is left, as numbers of 16 bits; an odd byte at the end is a failure. */
  numbers(): number[] {
    const list: number[] = [];
    while (this.left > 0 && !this.hasFailed) {
      const number = this.u16();
      if (!this.hasFailed) list.push(number);
    }
    return list;
  }

  /** The same bytes from where it stands, for another look. */
  again(): ByteReader {
    return new ByteReader(this.bytes, this.at, this.end);
  }

  private has(size: number): boolean {
    if (size <= this.end - this.at) return true;
    this.hasFailed = true;
    return false;
  }
}
