import { inOnePiece } from '../../core/bytes.ts';
import type { Outcome } from '../outcome.ts';
import { quoteJson, toBytes } from './byte-string.ts';

/** One piece of a compiled format. */
export interface Operator {
  /** The value as bytes; null: there is none. */
  text(outcome: Outcome): string | null;
  /** The value in JSON with its type: digits, a quoted string, a structure, or `null`. */
  json(outcome: Outcome): string;
}

/** Text between the operators. */
export class Literal implements Operator {
  readonly bytes: string;

  constructor(bytes: string) {
    this.bytes = bytes;
  }

  text(): string {
    return this.bytes;
  }

  json(): string {
    return quoteJson(this.bytes);
  }
}

/** A string that is bytes already. */
export class TextOperator implements Operator {
  readonly read: (outcome: Outcome) => string | null;

  constructor(read: (outcome: Outcome) => string | null) {
    this.read = read;
  }

  text(outcome: Outcome): string | null {
    return this.read(outcome);
  }

  json(outcome: Outcome): string {
    const text = this.read(outcome);
    return text === null ? 'null' : quoteJson(text);
  }
}

/** Names of which an operator remembers the bytes. */
const namesMax = 1024;

/** A name's bytes, bare and quoted. */
class NameBytes {
  readonly bytes: string;
  readonly quoted: string;

  constructor(name: string) {
    this.bytes = toBytes(name);
    this.quoted = inOnePiece(quoteJson(this.bytes));
  }
}

/** A name from the configuration: Unicode, empty where there is none. There are few of them, so they are remembered. */
export class NameOperator implements Operator {
  private readonly read: (outcome: Outcome) => string;
  private readonly known: Map<string, NameBytes>;

  constructor(read: (outcome: Outcome) => string) {
    this.read = read;
    this.known = new Map();
  }

  text(outcome: Outcome): string | null {
    const name = this.read(outcome);
    return name === '' ? null : this.bytesOf(name).bytes;
  }

  json(outcome: Outcome): string {
    const name = this.read(outcome);
    return name === '' ? 'null' : this.bytesOf(name).quoted;
  }

  private bytesOf(name: string): NameBytes {
    return this.known.get(name) ?? this.learn(name);
  }

  private learn(name: string): NameBytes {
    if (this.known.size >= namesMax) this.known.clear();
    const made = new NameBytes(name);
    this.known.set(name, made);
    return made;
  }
}

/** A whole number; NaN: there is none. */
export class NumberOperator implements Operator {
  readonly read: (outcome: Outcome) => number;

  constructor(read: (outcome: Outcome) => number) {
    this.read = read;
  }

  text(outcome: Outcome): string | null {
    const value = this.read(outcome);
    return value === value ? String(Math.trunc(value)) : null;
  }

  json(outcome: Outcome): string {
    const value = this.read(outcome);
    return value === value ? String(Math.trunc(value)) : 'null';
  }
}

/** The first `length` bytes of another operator's value. In JSON only strings are cut. */
export class Truncated implements Operator {
  private readonly inner: Operator;
  private readonly length: number;

  constructor(inner: Operator, length: number) {
    this.inner = inner;
    this.length = length;
  }

  text(outcome: Outcome): string | null {
    const text = this.inner.text(outcome);
    return text === null || text.length <= this.length ? text : text.slice(0, this.length);
  }

  json(outcome: Outcome): string {
    const json = this.inner.json(outcome);
    return json.charCodeAt(0) === 0x22 /* " */ ? quoteJson(this.text(outcome)!) : json;
  }
}

/** Another operator's JSON, as a piece of a line. */
export class JsonValue implements Operator {
  readonly inner: Operator;

  constructor(inner: Operator) {
    this.inner = inner;
  }

  text(outcome: Outcome): string {
    return this.inner.json(outcome);
  }

  json(outcome: Outcome): string {
    return this.inner.json(outcome);
  }
}
