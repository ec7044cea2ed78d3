const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const pad = 61; /* = */

/** Six bits → character. */
const characters = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
const invalid = 64;
/** Character → six bits. */
const sixBits = new Uint8Array(256).fill(invalid);
for (let i = 0; i < characters.length; i++) sixBits[characters[i]] = i;

/**
 * Decodes base64 that comes in pieces. Padding may stand wherever its sender flushed (gRPC-Web, "application/
 * grpc-web-text"), so every group of four is complete in itself.
 */
export class Base64Decoder {
  private readonly group: Uint8Array;
  private size: number;

  constructor() {
    this.group = new Uint8Array(4);
    this.size = 0;
  }

  /** Nothing is left of a group that has not ended. */
  get isAtEnd(): boolean {
    return this.size === 0;
  }

  /** Null: not base64. */
  decode(text: Uint8Array): Uint8Array | null {
    const bytes = new Uint8Array(Math.floor((this.size + text.length) / 4) * 3);
    const { group } = this;
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      group[this.size++] = text[i];
      if (this.size < 4) continue;
      this.size = 0;
      const written = decodeGroup(group, bytes, length);
      if (written === 0) return null;
      length += written;
    }
    return bytes.subarray(0, length);
  }
}

/** Writes up to three bytes; 0: not base64. Bits that padding leaves over must be zero, as Envoy has it. */
function decodeGroup(group: Uint8Array, bytes: Uint8Array, at: number): number {
  const a = sixBits[group[0]];
  const b = sixBits[group[1]];
  let c = sixBits[group[2]];
  let d = sixBits[group[3]];
  let written = 3;
  if (group[3] === pad) {
    d = 0;
    written = 2;
    if (group[2] === pad) {
      c = 0;
      written = 1;
    }
  }
  if (a === invalid || b === invalid || c === invalid || d === invalid) return 0;
  const bits = (a << 18) | (b << 12) | (c << 6) | d;
  if (written < 3 && (bits & (written === 1 ? 0xffff : 0xff)) !== 0) return 0;
  bytes[at] = bits >>> 16;
  if (written > 1) bytes[at + 1] = bits >>> 8;
  if (written > 2) bytes[at + 2] = bits;
  return written;
}

/** Encodes bytes that come in pieces, with padding only where it is told to flush. */
export class Base64Encoder {
  private first: number;
  private second: number;
  /** Bytes that wait for a third one. */
  private waiting: number;

  constructor() {
    this.first = 0;
    this.second = 0;
    this.waiting = 0;
  }

  /** Room that `bytes` bytes and so many flushes need at most. */
  static room(bytes: number, flushes: number): number {
    return (Math.ceil(bytes / 3) + 1 + flushes) * 4;
  }

  /** Writes `chunk[start, end)` to `text` from `at`; returns where it stopped. */
  write(chunk: Uint8Array, start: number, end: number, text: Uint8Array, at: number): number {
    let i = start;
    let to = at;
    while (this.waiting !== 0 && i < end) to = this.writeByte(chunk[i++], text, to);
    for (; i + 3 <= end; i += 3) {
      const bits = (chunk[i] << 16) | (chunk[i + 1] << 8) | chunk[i + 2];
      writeGroup(bits, text, to);
      to += 4;
    }
    while (i < end) to = this.writeByte(chunk[i++], text, to);
    return to;
  }

  /** Writes what waits, padded. */
  flush(text: Uint8Array, at: number): number {
    if (this.waiting === 0) return at;
    const second = this.waiting === 2 ? this.second : 0;
    writeGroup((this.first << 16) | (second << 8), text, at);
    text[at + 3] = pad;
    if (this.waiting === 1) text[at + 2] = pad;
    this.waiting = 0;
    return at + 4;
  }

  private writeByte(byte: number, text: Uint8Array, at: number): number {
    if (this.waiting === 0) this.first = byte;
    else if (this.waiting === 1) this.second = byte;
    else {
      writeGroup((this.first << 16) | (this.second << 8) | byte, text, at);
      this.waiting = 0;
      return at + 4;
    }
    this.waiting++;
    return at;
  }
}

function writeGroup(bits: number, text: Uint8Array, at: number): void {
  text[at] = characters[bits >>> 18];
  text[at + 1] = characters[(bits >>> 12) & 63];
  text[at + 2] = characters[(bits >>> 6) & 63];
  text[at + 3] = characters[bits & 63];
}
