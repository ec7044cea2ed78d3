import { latin1 } from '../../../core/bytes.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const none = new Uint8Array(0);

/** UTF-8 that arrives in pieces; a character may be cut in two. */
export class Utf8Text {
  /** What is not UTF-8, from its first byte on, as latin1; null: all is well. */
  broken: string | null;
  private tail: Uint8Array;

  constructor() {
    this.broken = null;
    this.tail = none;
  }

  /** The whole characters so far; what comes before a wrong byte, if there is one. */
  decode(chunk: Uint8Array): string {
    const bytes = this.tail.length === 0 ? chunk : joined(this.tail, chunk);
    const whole = bytes.length - incompleteSize(bytes);
    this.tail = whole === bytes.length ? none : bytes.slice(whole);
    try {
      return decoder.decode(bytes.subarray(0, whole));
    } catch {
      const good = validSize(bytes);
      this.broken = latin1(bytes, good, bytes.length);
      this.tail = none;
      return decoder.decode(bytes.subarray(0, good));
    }
  }

  /** No more bytes: half a character is wrong. */
  finish(): void {
    if (this.tail.length > 0) this.broken ??= latin1(this.tail, 0, this.tail.length);
  }
}

/** Size of a character at the end that may go on in the next chunk. */
function incompleteSize(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sizeOf(byte) > back ? back : 0;
  }
  return 0;
}

function sizeOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** How many bytes are whole characters, up to the first that is none (RFC 3629). */
function validSize(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : sizeOf(lead);
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return at;
    for (let i = 1; i < size; i++) {
      const byte = bytes[at + i] ?? 0;
      if (byte < 0x80 || byte > 0xbf) return at;
    }
    const second = bytes[at + 1];
    // Overlong forms, surrogates, and what is beyond Unicode.
    if (lead === 0xe0 && second < 0xa0) return at;
    if (lead === 0xed && second > 0x9f) return at;
    if (lead === 0xf0 && second < 0x90) return at;
    if (lead === 0xf4 && second > 0x8f) return at;
    at += size;
  }
  return at;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
