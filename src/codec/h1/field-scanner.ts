import type { Failure } from '../../core/failure.ts';
import type { Headers } from '../../core/headers.ts';
import { COLON, CR, LF, SP, TAB, fieldByte, tokenLower } from './characters.ts';
import { CodecError, InvalidCharacters, TooManyHeaders } from './failures.ts';
import { fieldNames, findFieldName, isNameAt, nameLengths, steeringNames } from './field-names.ts';

/** What a scan returns instead of a position. */
export const Incomplete = -1;
export const Failed = -2;

/** Stands for no field name at all; -1 is any that is not well known. */
export const NoName = -2;

/** Numbers kept per field: position in `fieldNames` or -1, name start, name end, value start, value end. */
const marksPerField = 5;
/** A value that continues on further lines (obs-fold) has this added to its place in `fieldNames`. */
const folded = 1 << 16;

/**
 * Finds the fields of a head or trailer section (RFC 9112 section 5) in bytes, and makes strings of them only when the
 * section is whole and valid. One scanner serves all connections of a thread: nothing in it lives longer than a call.
 */
export class FieldScanner {
  count: number;
  failure: Failure | null;
  /** Bit per steering name (`FieldName`): 1 where it occurred, and where it occurred more than once. */
  seen: number;
  repeated: number;
  private hasTooMany: boolean;
  private marks: Int32Array;
  /** The memory that is scanned, to be read four bytes at a time, and where in it byte 0 lies. */
  private view: DataView;
  private offset: number;
  /** The last field's name; -1: not a well-known one, or none. */
  private previous: number;
  /** By name + 1: the one that followed it last. Peers send their fields in the same order again and again. */
  private readonly followers: Int16Array;
  /** Field at which each steering name first occurred. */
  private readonly firstAt: Int32Array;

  constructor() {
    this.count = 0;
    this.failure = null;
    this.seen = 0;
    this.repeated = 0;
    this.hasTooMany = false;
    this.marks = new Int32Array(128 * marksPerField);
    this.view = new DataView(new ArrayBuffer(0));
    this.offset = 0;
    this.previous = -1;
    this.followers = new Int16Array(fieldNames.length + 1);
    this.firstAt = new Int32Array(steeringNames);
  }

  /** Reads field lines until the empty line; the position after it, `Incomplete` or `Failed` with `failure` set. */
  scan(bytes: Uint8Array, from: number, to: number, countMax: number): number {
    this.count = 0;
    this.failure = null;
    this.seen = 0;
    this.repeated = 0;
    this.hasTooMany = false;
    this.previous = -1;
    this.look(bytes);
    let pos = from;
    while (pos < to) {
      const c = bytes[pos];
      if (c === CR) {
        if (pos + 1 >= to) return Incomplete;
        return bytes[pos + 1] === LF ? this.finish(pos + 2) : this.fail(InvalidCharacters, 'bare CR');
      }
      if (c === LF) return this.finish(pos + 1);
      pos = this.scanField(bytes, pos, to, countMax);
      if (pos < 0) return pos;
    }
    return Incomplete;
  }

  private look(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (buffer !== this.view.buffer) this.view = new DataView(buffer);
    this.offset = bytes.byteOffset;
  }

  /** Too many fields are told last: what is wrong with one of them comes first. */
  private finish(end: number): number {
    return this.hasTooMany ? this.fail(TooManyHeaders, '') : end;
  }

  /** One field with its continuation lines; the position of the next line. */
  private scanField(bytes: Uint8Array, from: number, to: number, countMax: number): number {
    const { view, offset, followers, previous } = this;
    let name = followers[previous + 1];
    let pos = from + nameLengths[name];
    if (pos >= to || bytes[pos] !== COLON || !isNameAt(name, view, offset + from)) {
      pos = from;
      while (pos < to && bytes[pos] > SP && bytes[pos] !== COLON) pos++;
      if (pos >= to) return Incomplete;
      name = findFieldName(bytes, from, pos);
      if (bytes[pos] !== COLON || (name < 0 && !isToken(bytes, from, pos))) return this.failName(bytes[pos]);
      if (name >= 0) followers[previous + 1] = name;
    }
    this.previous = name;
    const nameEnd = pos;
    pos++;
    while (pos < to && (bytes[pos] === SP || bytes[pos] === TAB)) pos++;
    const valueStart = pos;
    pos = valueStart + plainBytes(view, offset + valueStart, offset + to);
    while (pos < to && fieldByte[bytes[pos]] !== 0) pos++;
    let valueEnd = pos;
    pos = this.lineEnd(bytes, pos, to);
    if (pos < 0) return pos;
    if (pos >= to) return Incomplete;
    if (bytes[pos] === SP || bytes[pos] === TAB) {
      pos = this.scanFolds(bytes, pos, to);
      if (pos < 0) return pos;
      name += folded;
      valueEnd = pos - 1;
      while (valueEnd > valueStart && bytes[valueEnd - 1] <= SP) valueEnd--;
    } else {
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
    }
    if (this.count >= countMax) this.hasTooMany = true;
    else this.mark(name, from, nameEnd, valueStart, valueEnd);
    return pos;
  }

  /** Continuation lines: RFC 9112 section 5.2 leaves a proxy the choice to refuse them or to replace the fold. */
  private scanFolds(bytes: Uint8Array, from: number, to: number): number {
    let pos = from;
    while (pos < to && (bytes[pos] === SP || bytes[pos] === TAB)) {
      while (pos < to && fieldByte[bytes[pos]] !== 0) pos++;
      pos = this.lineEnd(bytes, pos, to);
      if (pos < 0) return pos;
    }
    return pos < to ? pos : Incomplete;
  }

  /** The position after CRLF, or after the LF alone that RFC 9112 section 2.2 lets a recipient take for it. */
  private lineEnd(bytes: Uint8Array, pos: number, to: number): number {
    if (pos >= to) return Incomplete;
    const c = bytes[pos];
    if (c === CR) {
      if (pos + 1 >= to) return Incomplete;
      return bytes[pos + 1] === LF ? pos + 2 : this.fail(InvalidCharacters, 'bare CR');
    }
    return c === LF ? pos + 1 : this.fail(InvalidCharacters, 'control character');
  }

  private mark(name: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const field = this.count++;
    const at = field * marksPerField;
    if (at >= this.marks.length) this.grow();
    const marks = this.marks;
    marks[at] = name;
    marks[at + 1] = nameStart;
    marks[at + 2] = nameEnd;
    marks[at + 3] = valueStart;
    marks[at + 4] = valueEnd;
    const known = name < folded - 1 ? name : name - folded;
    if (known < 0 || known >= steeringNames) return;
    const bit = 1 << known;
    if ((this.seen & bit) !== 0) {
      this.repeated |= bit;
      return;
    }
    this.seen |= bit;
    this.firstAt[known] = field;
  }

  private grow(): void {
    const marks = new Int32Array(this.marks.length * 2);
    marks.set(this.marks);
    this.marks = marks;
  }

  has(steering: number): boolean {
    return (this.seen & (1 << steering)) !== 0;
  }

  isRepeated(steering: number): boolean {
    return (this.repeated & (1 << steering)) !== 0;
  }

  /** Value of the first field of that name; only when `has`. `text` is the section from `base` on. */
  value(steering: number, text: string, base: number): string {
    return this.valueAt(this.firstAt[steering] * marksPerField, text, base);
  }

  /** Whether that value has only bytes that `allowed` marks with 1. */
  isValueOf(allowed: Uint8Array, steering: number, bytes: Uint8Array): boolean {
    const at = this.firstAt[steering] * marksPerField;
    const end = this.marks[at + 4];
    for (let i = this.marks[at + 3]; i < end; i++) if (allowed[bytes[i]] === 0) return false;
    return true;
  }

  /** Adds the fields to `headers`, but those of the steering name `except`, which may be `NoName`. */
  copyTo(headers: Headers, text: string, base: number, except: number): void {
    const { marks, count } = this;
    const { rawNames } = headers;
    for (let i = 0, at = 0; i < count; i++, at += marksPerField) {
      const mark = marks[at];
      const known = mark < folded - 1 ? mark : mark - folded;
      if (known === except) continue;
      const name =
        known >= 0 ? fieldNames[known] : text.slice(marks[at + 1] - base, marks[at + 2] - base).toLowerCase();
      const value =
        mark === known ? text.slice(marks[at + 3] - base, marks[at + 4] - base) : this.valueAt(at, text, base);
      headers.add(name, value);
      if (rawNames !== null) rawNames[rawNames.length - 1] = text.slice(marks[at + 1] - base, marks[at + 2] - base);
    }
  }

  private valueAt(at: number, text: string, base: number): string {
    const { marks } = this;
    const value = text.slice(marks[at + 3] - base, marks[at + 4] - base);
    if (marks[at] < folded - 1) return value;
    // As Envoy: the line ends go, and the white space that begins the next line stays.
    return trimBlank(value.replace(/\r?\n/g, ''));
  }

  private failName(c: number): number {
    if (c === CR || c === LF) return this.fail(CodecError, 'a line without a colon');
    if (c === SP || c === TAB) return this.fail(CodecError, 'white space in or before a field name');
    return c < SP || c === 127 ? this.fail(InvalidCharacters, '') : this.fail(CodecError, 'invalid field name');
  }

  private fail(failure: Failure, detail: string): number {
    this.failure = detail === '' ? failure : failure.with(detail);
    return Failed;
  }
}

/** How many of the bytes `[from, to)` are certainly a field value's: found four at a time. */
function plainBytes(view: DataView, from: number, to: number): number {
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const four = view.getInt32(at, true);
    const deleted = four ^ 0x7f7f7f7f;
    // Per byte, the highest bit: set where it is below SP, or DEL; one above such a byte may be taken for one too.
    const odd = (((four - 0x20202020) | 0) & ~four) | (((deleted - 0x01010101) | 0) & ~deleted);
    if ((odd & 0x80808080) !== 0) break;
  }
  return at - from;
}

/** field-name = token (RFC 9110 section 5.1). */
function isToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (tokenLower[bytes[i]] === 0) return false;
  return end > start;
}

/** Not `trim`, which takes obs-text away; and no expression that looks at a long run more than once. */
function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= SP) start++;
  while (end > start && text.charCodeAt(end - 1) <= SP) end--;
  return text.slice(start, end);
}

/** The thread's one scanner. */
export const scanner = new FieldScanner();
