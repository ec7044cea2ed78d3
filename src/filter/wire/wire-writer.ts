import type { WireType } from './wire-type.ts';

const encoder = new TextEncoder();
const initialSize = 512;
/** A writer's memory is used again, unless it has grown beyond this. */
const keptSizeMax = 65_536;
/** Longer texts are given to the encoder. */
const shortText = 24;

/** Writes protobuf's wire format. */
export class WireWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at: number;
  /** Where the messages begin that are open, the innermost last. */
  private readonly open: number[];

  constructor() {
    this.bytes = new Uint8Array(initialSize);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
    this.open = [];
  }

  /** Everything that was written; the writer begins anew. */
  finish(): Uint8Array {
    const written = this.bytes.slice(0, this.at);
    this.at = 0;
    this.open.length = 0;
    if (this.bytes.length > keptSizeMax) {
      this.bytes = new Uint8Array(initialSize);
      this.view = new DataView(this.bytes.buffer);
    }
    return written;
  }

  tag(number: number, type: WireType): this {
    return this.uint32(((number << 3) | type) >>> 0);
  }

  /** A message with its length begins; what is written until `end` is in it. */
  begin(): this {
    this.need(1);
    // Most lengths take a byte.
    this.open.push(++this.at);
    return this;
  }

  end(): this {
    const start = this.open.pop()!;
    const length = this.at - start;
    const extra = varintSize(length) - 1;
    if (extra > 0) {
      this.need(extra);
      this.bytes.copyWithin(start + extra, start, this.at);
    }
    const { at } = this;
    this.at = start - 1;
    this.uint32(length);
    this.at = at + extra;
    return this;
  }

  uint32(value: number): this {
    this.need(5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.bytes[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
    return this;
  }

  /** A negative number takes ten bytes, as if it had 64 bits. */
  int32(value: number): this {
    return value < 0 ? this.uint64(BigInt(value)) : this.uint32(value);
  }

  sint32(value: number): this {
    return this.uint32((value << 1) ^ (value >> 31));
  }

  /** Of either sign: 64 bits. */
  uint64(value: bigint | number): this {
    if (typeof value === 'number' && value >= 0 && value <= 0xffff_ffff) return this.uint32(value);
    this.need(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.bytes[this.at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
    return this;
  }

  sint64(value: bigint | number): this {
    const wide = BigInt(value);
    return this.uint64((wide << 1n) ^ (wide >> 63n));
  }

  fixed32(value: number): this {
    this.need(4);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
    return this;
  }

  fixed64(value: bigint | number): this {
    this.need(8);
    this.view.setBigInt64(this.at, BigInt.asIntN(64, BigInt(value)), true);
    this.at += 8;
    return this;
  }

  float(value: number): this {
    this.need(4);
    this.view.setFloat32(this.at, value, true);
    this.at += 4;
    return this;
  }

  double(value: number): this {
    this.need(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
    return this;
  }

  /** UTF-8, with its length. */
  string(text: string): this {
    if (text.length <= shortText) {
      this.need(1 + text.length);
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        this.bytes[this.at + 1 + i] = code;
      }
      if (i === text.length) {
        this.bytes[this.at] = i;
        this.at += i + 1;
        return this;
      }
    }
    this.begin();
    this.need(text.length * 3);
    this.at += encoder.encodeInto(text, this.bytes.subarray(this.at)).written;
    return this.end();
  }

  /** ASCII, with its length; false: there are other characters, and nothing is written. */
  ascii(text: string): boolean {
    const { length } = text;
    this.need(length + 5);
    const { at } = this;
    this.uint32(length);
    if (length <= shortText) {
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) {
          this.at = at;
          return false;
        }
        this.bytes[this.at++] = code;
      }
      return true;
    }
    // Whatever is no ASCII takes more bytes than characters.
    const { read, written } = encoder.encodeInto(text, this.bytes.subarray(this.at, this.at + length));
    if (read !== length || written !== length) {
      this.at = at;
      return false;
    }
    this.at += length;
    return true;
  }

  bytesWithLength(value: Uint8Array): this {
    return this.uint32(value.length).raw(value);
  }

  raw(value: Uint8Array): this {
    this.need(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
    return this;
  }

  private need(size: number): void {
    const wanted = this.at + size;
    if (wanted <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 0; rest > 127; rest >>>= 7) size++;
  return size;
}
