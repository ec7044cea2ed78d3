import { writeLatin1 } from '../../core/bytes.ts';

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

/** Text that is the same in every line. */
export class LineLiteral {
  readonly length: number;
  /** Four bytes each, the last ones filled up. */
  readonly groups: Int32Array;

  /** `text`: one byte per character. */
  constructor(text: string) {
    const bytes = Buffer.alloc(text.length + 3);
    bytes.write(text, 'latin1');
    this.length = text.length;
    this.groups = Int32Array.from({ length: Math.ceil(text.length / 4) }, (_, i) => bytes.readInt32LE(i * 4));
  }
}

/**
 * V8 keeps strings in many ways, and asks for a length in the slow way where it has met more than four of them; of what
 * is the result of an addition it knows that it is a string.
 */
function asString(text: string): string {
  // oxlint-disable-next-line typescript/no-unnecessary-type-conversion -- hot: bench/request-path.ts
  return text + '';
}

/** Whether JSON escapes none of the bytes. */
function isPlain(view: DataView, memory: Uint8Array, from: number, end: number): boolean {
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const four = view.getInt32(at, true);
    const quotes = four ^ 0x22222222;
    const slashes = four ^ 0x5c5c5c5c;
    const deleted = four ^ 0x7f7f7f7f;
    // Per byte, the highest bit: set below SP and above DEL, and at a quote, a backslash or DEL.
    const odd =
      (four - 0x20202020) |
      0 |
      four |
      (((quotes - 0x01010101) | 0) & ~quotes) |
      (((slashes - 0x01010101) | 0) & ~slashes) |
      (((deleted - 0x01010101) | 0) & ~deleted);
    if ((odd & 0x80808080) !== 0) break;
  }
  for (; at < end; at++) if (plain[memory[at]] === 0) return false;
  return true;
}

/**
 * Lines while they are written: bytes that grow. Nothing of a line becomes a string that is thrown away, and what needs
 * no escape in JSON is found to need none while it is copied.
 */
// hot: bench/access-log.ts
export class LineBytes {
  length: number;
  private memory: Uint8Array;
  /** The same memory, to be written and read four bytes at a time. */
  private view: DataView;

  constructor() {
    this.length = 0;
    this.memory = new Uint8Array(startBytes);
    this.view = new DataView(this.memory.buffer);
  }

  /** What is written, until more is. */
  get bytes(): Uint8Array {
    return this.memory.subarray(0, this.length);
  }

  get capacity(): number {
    return this.memory.length;
  }

  literal(literal: LineLiteral): void {
    const { groups, length: size } = literal;
    const { view, length } = this.room(size + 4);
    for (let i = 0, at = length; i < groups.length; i++, at += 4) view.setInt32(at, groups[i], true);
    this.length = length + size;
  }

  /** One byte per character. */
  text(value: string): void {
    const text = asString(value);
    const size = text.length;
    const { memory, length } = this.room(size);
    if (size >= loopMax) writeLatin1(memory, text, length);
    else for (let i = 0; i < size; i++) memory[length + i] = text.charCodeAt(i);
    this.length = length + size;
  }

  /** `value` in quotes. False, and nothing is written, where JSON needs something of it escaped. */
  quoted(value: string): boolean {
    const text = asString(value);
    const size = text.length;
    const { memory, view, length } = this.room(size + 2);
    const from = length + 1;
    const end = from + size;
    if (size >= loopMax) {
      writeLatin1(memory, text, from);
      if (!isPlain(view, memory, from, end)) return false;
    } else {
      for (let i = 0; i < size; i++) {
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
    this.view = new DataView(memory.buffer);
  }
}
