import { WireType } from './wire-type.ts';

/** Groups within groups that are skipped. */
const groupDepthMax = 100;

/** Reads protobuf's wire format. What is wrong with it is thrown as a `WireError`, and caught where the message is. */
export class WireCursor {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A field's number and type; 0 at the end, even if that comes in the middle of a tag, as protobuf has it. */
  tag(): number {
    for (let i = this.at; i < this.end; i++) if (this.bytes[i] < 128) return this.uint32();
    this.at = this.end;
    return 0;
  }

  /** 32 bits, unsigned; what a varint has beyond them is dropped, as protobuf does. */
  uint32(): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw new WireError('unexpected EOF');
      const byte = bytes[this.at++];
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new WireError('invalid varint');
  }

  /** 64 bits, unsigned. */
  uint64(): number | bigint {
    const start = this.at;
    const { bytes } = this;
    // Most numbers are small.
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (this.at >= this.end) throw new WireError('unexpected EOF');
      const byte = bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    this.at = start;
    return this.largeUint64();
  }

  private largeUint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw new WireError('unexpected EOF');
      const byte = this.bytes[this.at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new WireError('invalid varint');
  }

  fixed32(): number {
    this.need(4);
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  fixed64(): bigint {
    this.need(8);
    const value = this.view.getBigUint64(this.at, true);
    this.at += 8;
    return value;
  }

  float(): number {
    this.need(4);
    const value = this.view.getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  double(): number {
    this.need(8);
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Where the bytes end whose length is next. */
  lengthEnd(): number {
    const length = this.uint32();
    this.need(length);
    return this.at + length;
  }

  /** Past a value. */
  skip(number: number, type: WireType, depth = 0): void {
    switch (type) {
      case WireType.Varint:
        this.uint64();
        return;
      case WireType.Bit64:
        this.need(8);
        this.at += 8;
        return;
      case WireType.LengthDelimited:
        this.at = this.lengthEnd();
        return;
      case WireType.Bit32:
        this.need(4);
        this.at += 4;
        return;
      case WireType.StartGroup:
        this.skipGroup(number, depth);
        return;
      case WireType.EndGroup:
        throw new WireError(`attempted to close group ${number} before SGROUP tag`);
      default:
        throw new WireError(`unknown wire type: ${String(type)}`);
    }
  }

  private skipGroup(number: number, depth: number): void {
    if (depth >= groupDepthMax) throw new WireError('allowed depth exceeded');
    for (;;) {
      const tag = this.tag();
      if (tag === 0) throw new WireError('unexpected EOF');
      const inner = tag >>> 3;
      if ((tag & 7) === WireType.EndGroup) {
        if (inner !== number) throw new WireError(`attempted to close group ${inner} before SGROUP tag`);
        return;
      }
      this.skip(inner, (tag & 7) as WireType, depth + 1);
    }
  }

  private need(size: number): void {
    if (this.end - this.at < size) throw new WireError('unexpected EOF');
  }
}

/** Bytes that are no message of their type, or one that JSON cannot say. Caught where the message is read. */
export class WireError extends Error {}
