import { writeLatin1 } from '../core/bytes.ts';

const startBytes = 1024;

/** Below this many characters a loop is faster than a call into native code. */
const loopMax = 12;

const quote = 0x22;
const zero = 0x30;

/** 1: stands for itself in a JSON string. */
const plain = new Uint8Array(256);
for (let code = 0x20; code < 0x7f; code++) plain[code] = 1;
plain[quote] = 0;
plain[0x5c /* \ */] = 0;

const digits = new Uint8Array(16);

/**
 * Lines while they are written: bytes that grow. Nothing of a line becomes a string that is thrown away, and what needs
 * no escape in JSON is found to need none while it is copied.
 */
// hot: bench/access-log.ts
export class LineBytes {
  length: number;
  private memory: Uint8Array;

  constructor() {
    this.length = 0;
    this.memory = new Uint8Array(startBytes);
  }

  /** What is written, until more is. */
  get bytes(): Uint8Array {
    return this.memory.subarray(0, this.length);
  }

  get capacity(): number {
    return this.memory.length;
  }

  literal(bytes: Uint8Array): void {
    const { memory, length } = this.room(bytes.length);
    for (let i = 0; i < bytes.length; i++) memory[length + i] = bytes[i]!;
    this.length = length + bytes.length;
  }

  /** One byte per character. */
  text(text: string): void {
    const { memory, length } = this.room(text.length);
    if (text.length >= loopMax) writeLatin1(memory, text, length);
    else for (let i = 0; i < text.length; i++) memory[length + i] = text.charCodeAt(i);
    this.length = length + text.length;
  }

  /** `text` in quotes. False, and nothing is written, where JSON needs something of it escaped. */
  quoted(text: string): boolean {
    const { memory, length } = this.room(text.length + 2);
    const from = length + 1;
    const end = from + text.length;
    if (text.length >= loopMax) {
      writeLatin1(memory, text, from);
      for (let i = from; i < end; i++) if (plain[memory[i]] === 0) return false;
    } else {
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (plain[code] !== 1) return false;
        memory[from + i] = code;
      }
    }
    memory[length] = quote;
    memory[end] = quote;
    this.length = end + 1;
    return true;
  }

  /** A whole number. */
  number(value: number): void {
    if (!(value >= 0 && value <= 0x7fffffff)) {
      this.text(String(value));
      return;
    }
    const { memory, length } = this.room(10);
    let rest = value | 0;
    let count = 0;
    do {
      const next = (rest / 10) | 0;
      digits[count++] = zero + rest - next * 10;
      rest = next;
    } while (rest > 0);
    for (let i = 0; i < count; i++) memory[length + i] = digits[count - 1 - i];
    this.length = length + count;
  }

  private room(size: number): this {
    if (this.length + size > this.memory.length) this.grow(this.length + size);
    return this;
  }

  private grow(least: number): void {
    const memory = new Uint8Array(Math.max(least, this.memory.length * 2));
    memory.set(this.bytes);
    this.memory = memory;
  }
}
