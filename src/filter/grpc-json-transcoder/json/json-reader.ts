import { parseJsonNumber } from './json-number.ts';
import { JsonObject, type JsonValue } from './json-value.ts';

/** What the reader is in the middle of; the innermost last. */
const State = { Value: 0, ObjectMiddle: 1, Entry: 2, EntryMiddle: 3, ArrayValue: 4, ArrayMiddle: 5 } as const;
type State = (typeof State)[keyof typeof State];

/** How a step went. */
const Step = { Done: 0, Wait: 1, Failed: 2 } as const;
type Step = (typeof Step)[keyof typeof Step];

/** Objects and arrays within each other; protobuf's limit for JSON. */
export const jsonDepthMax = 100;
/** Characters shown on either side of a mistake. */
const contextSize = 20;
/** Characters of a number, or of a name without quotes: each chunk that goes on with it reads it again. */
const tokenLengthMax = 4096;
/** A word of fewer letters may be the beginning of `false`. */
const longestWord = 5;

const surrogatePair = 12;

/**
 * Reads JSON that arrives in pieces, with the liberties and the messages of Envoy's reader: single quotes, names
 * without quotes, trailing commas. Either one value, or (`isStream`) the elements of one array, each as soon as it is
 * complete.
 */
export class JsonReader {
  /** Complete values that nobody has taken yet. */
  readonly values: JsonValue[];
  /** What is wrong with the text; empty: nothing. */
  error: string;
  /** The text is JSON, but no array where one is needed; empty: it is. */
  misfit: string;
  private readonly isStream: boolean;
  private readonly states: State[];
  private readonly containers: (JsonObject | JsonValue[])[];
  private text: string;
  private at: number;
  private leftover: string;
  private isFinishing: boolean;
  private key: string;
  /** Character code of the quote of an open string; 0: none is open. */
  private quote: number;
  /** The open string so far; then the last one. */
  private string: string;

  constructor(isStream: boolean) {
    this.values = [];
    this.error = '';
    this.misfit = '';
    this.isStream = isStream;
    this.states = [State.Value];
    this.containers = [];
    this.text = '';
    this.at = 0;
    this.leftover = '';
    this.isFinishing = false;
    this.key = '';
    this.quote = 0;
    this.string = '';
  }

  /** Characters that wait for what comes behind them, a string's included. */
  get heldSize(): number {
    return this.leftover.length + this.string.length;
  }

  push(text: string): void {
    if (this.error !== '' || text === '') return;
    this.text = this.leftover + text;
    this.at = 0;
    this.leftover = '';
    if (this.run() === Step.Failed) return;
    this.skipSpace();
    if (this.at === this.text.length) return;
    if (this.states.length === 0) this.fail('Parsing terminated before end of input.');
    else this.leftover = this.text.slice(this.at);
  }

  /** No more text. */
  finish(): void {
    if (this.error !== '' || (this.states.length === 0 && this.leftover === '')) return;
    this.text = this.leftover;
    this.leftover = '';
    this.at = 0;
    this.isFinishing = true;
    if (this.run() !== Step.Done) return;
    this.skipSpace();
    if (this.at < this.text.length) this.fail('Parsing terminated before end of input.');
  }

  /** What follows is no text: its bytes as latin1. */
  breakOff(rest: string): void {
    if (this.error !== '') return;
    this.error = `Encountered non UTF-8 code points.\n${(this.leftover + rest).slice(0, contextSize)}\n^`;
  }

  private fail(message: string): Step {
    const { text, at } = this;
    const before = text.slice(Math.max(0, at - contextSize), at);
    this.error = `${message}\n${before}${text.slice(at, at + contextSize)}\n${' '.repeat(before.length)}^`;
    return Step.Failed;
  }

  private run(): Step {
    while (this.states.length > 0) {
      if (this.quote === 0) this.skipSpace();
      const state = this.states.pop()!;
      const depth = this.states.length;
      const step = this.step(state);
      if (step === Step.Done) continue;
      if (step === Step.Wait) {
        this.states.length = depth;
        this.states.push(state);
      }
      return step;
    }
    return Step.Done;
  }

  private step(state: State): Step {
    switch (state) {
      case State.Value:
        return this.readValue('Expected a value.');
      case State.ArrayValue:
        return this.readArrayValue();
      case State.Entry:
        return this.readEntry();
      case State.EntryMiddle:
        return this.readColon();
      case State.ObjectMiddle:
        return this.readSeparator(125 /* } */, State.Entry, 'Expected , or } after key:value pair.');
      case State.ArrayMiddle:
        return this.readSeparator(93 /* ] */, State.ArrayValue, 'Expected , or ] after array value.');
    }
  }

  private readValue(expected: string): Step {
    const { text, at } = this;
    const code = this.quote === 0 ? text.charCodeAt(at) : this.quote;
    switch (code) {
      case 34: // "
      case 39: // '
        return this.readString() === Step.Done ? this.add(this.takeString()) : this.waitOrFailed();
      case 123: // {
        return this.begin(new JsonObject(), State.Entry, `for key '${this.key}'`);
      case 91: // [
        return this.begin([], State.ArrayValue, 'in array');
    }
    if (code === 45 || (code >= 48 && code <= 57)) return this.readNumber();
    if (text.startsWith('true', at)) return this.addWord(true, 4);
    if (text.startsWith('false', at)) return this.addWord(false, 5);
    if (text.startsWith('null', at)) return this.addWord(null, 4);
    if (!isToken(code)) return this.unknown(expected);
    if (!this.isFinishing && text.length - at < longestWord) return Step.Wait;
    return this.fail('Unexpected token.');
  }

  private readArrayValue(): Step {
    if (this.quote === 0) {
      if (this.text.charCodeAt(this.at) === 93 /* ] */) return this.end();
      // An unknown token is reported with what an array may hold.
      if (!isToken(this.text.charCodeAt(this.at))) return this.unknown('Expected a value or ] within an array.');
    }
    this.states.push(State.ArrayMiddle);
    return this.readValue('');
  }

  private readEntry(): Step {
    const { text, at } = this;
    const code = this.quote === 0 ? text.charCodeAt(at) : this.quote;
    if (code === 125 /* } */) return this.end();
    const expected = 'Expected an object key or }.';
    if (code === 34 || code === 39) {
      if (this.readString() !== Step.Done) return this.waitOrFailed();
      this.key = this.takeString();
    } else {
      if (!isToken(code)) return this.unknown(expected);
      if (!isLetter(code)) return this.fail(expected);
      const end = nameEnd(text, at);
      if (end - at > tokenLengthMax) return this.fail('Invalid key or variable name.');
      if (!this.isFinishing && end === text.length) return Step.Wait;
      this.key = text.slice(at, end);
      this.at = end;
      if (this.key === 'true' || this.key === 'false' || this.key === 'null') return this.fail(expected);
    }
    this.states.push(State.ObjectMiddle, State.EntryMiddle);
    return Step.Done;
  }

  private readColon(): Step {
    const code = this.text.charCodeAt(this.at);
    if (!isToken(code)) return this.unknown('Expected : between key:value pair.');
    if (code !== 58) return this.fail('Expected : between key:value pair.');
    this.at++;
    this.states.push(State.Value);
    return Step.Done;
  }

  private readSeparator(close: number, next: State, expected: string): Step {
    const code = this.text.charCodeAt(this.at);
    if (code === close) return this.end();
    if (!isToken(code)) return this.unknown(expected);
    if (code !== 44 /* , */) return this.fail(expected);
    this.at++;
    this.states.push(next);
    return Step.Done;
  }

  /** The end of the text so far, or something that begins nothing. */
  private unknown(expected: string): Step {
    if (this.at === this.text.length) {
      return this.isFinishing ? this.fail(`Unexpected end of string. ${expected}`) : Step.Wait;
    }
    // Envoy reads on to the end before it says so, and has forgotten what came before.
    this.text = this.text.slice(this.at);
    this.at = 0;
    return this.fail(expected);
  }

  private waitOrFailed(): Step {
    return this.error === '' ? Step.Wait : Step.Failed;
  }

  private begin(container: JsonObject | JsonValue[], state: State, where: string): Step {
    this.at++;
    const depth = this.containers.length;
    if (depth === 0 && this.isStream && container instanceof JsonObject)
      this.misfit ||= 'Expected an array instead of an object';
    if (depth >= jsonDepthMax) {
      this.error = `Message too deep. Max recursion depth reached ${where}`;
      return Step.Failed;
    }
    if (depth > (this.isStream ? 1 : 0)) this.attach(container);
    this.containers.push(container);
    this.states.push(state);
    return Step.Done;
  }

  private end(): Step {
    this.at++;
    const container = this.containers.pop()!;
    const depth = this.containers.length;
    if (depth === (this.isStream ? 1 : 0)) this.values.push(container);
    return Step.Done;
  }

  private add(value: JsonValue): Step {
    const depth = this.containers.length;
    if (depth === 0 && this.isStream) this.misfit ||= 'Expected an array instead of a scalar value.';
    else if (depth > (this.isStream ? 1 : 0)) this.attach(value);
    else this.values.push(value);
    return Step.Done;
  }

  private addWord(value: boolean | null, length: number): Step {
    this.at += length;
    return this.add(value);
  }

  private attach(value: JsonValue): void {
    const parent = this.containers[this.containers.length - 1];
    if (parent instanceof JsonObject) {
      parent.names.push(this.key);
      parent.values.push(value);
    } else parent.push(value);
  }

  private readNumber(): Step {
    const { text, at } = this;
    let end = at;
    while (end < text.length && isNumeric(text.charCodeAt(end))) end++;
    if (end - at > tokenLengthMax) return this.fail('Unable to parse number.');
    if (end === text.length && !this.isFinishing) return Step.Wait;
    const value = parseJsonNumber(text.slice(at, end));
    if (typeof value === 'string') return this.fail(value);
    this.at = end;
    return this.add(value);
  }

  private takeString(): string {
    const { string } = this;
    this.string = '';
    return string;
  }

  /** Reads on to the closing quote. What is read of a string is never read again, however many pieces it has. */
  private readString(): Step {
    const { text } = this;
    if (this.quote === 0) this.quote = text.charCodeAt(this.at++);
    let from = this.at;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === this.quote) {
        this.string += text.slice(from, this.at);
        this.quote = 0;
        this.at++;
        return Step.Done;
      }
      if (code !== 92 /* \ */) {
        this.at++;
        continue;
      }
      this.string += text.slice(from, this.at);
      const step = this.readEscape();
      if (step !== Step.Done) return step;
      from = this.at;
    }
    this.string += text.slice(from);
    return this.isFinishing ? this.fail('Closing quote expected in string.') : Step.Wait;
  }

  private readEscape(): Step {
    const { text, at } = this;
    if (text.length - at === 1) {
      return this.isFinishing ? this.fail('Closing quote expected in string.') : Step.Wait;
    }
    const letter = text[at + 1];
    if (letter === 'u') return this.readUnicode();
    this.string += escapes[letter] ?? letter;
    this.at += 2;
    return Step.Done;
  }

  private readUnicode(): Step {
    const { text, at } = this;
    const left = text.length - at;
    if (left < 6) return this.isFinishing ? this.fail('Illegal hex string.') : Step.Wait;
    const code = hex(text, at + 2);
    if (code < 0) return this.fail('Invalid escape sequence.');
    if (code >= 0xd800 && code < 0xdc00) {
      if (left < surrogatePair) return this.isFinishing ? this.fail('Missing low surrogate.') : Step.Wait;
      if (text[at + 6] !== '\\' || text[at + 7] !== 'u') return this.fail('Missing low surrogate.');
      const low = hex(text, at + 8);
      if (low < 0) return this.fail('Invalid escape sequence.');
      if (low < 0xdc00 || low > 0xdfff) return this.fail('Invalid low surrogate.');
      this.string += String.fromCharCode(code, low);
      this.at += surrogatePair;
      return Step.Done;
    }
    if (code >= 0xdc00 && code < 0xe000) return this.fail('Invalid unicode code point.');
    this.string += String.fromCharCode(code);
    this.at += 6;
    return Step.Done;
  }

  private skipSpace(): void {
    const { text } = this;
    while (this.at < text.length && isSpace(text.charCodeAt(this.at))) this.at++;
  }
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 /* _ */ || code === 36; /* $ */
}

/** Of a number as Envoy cuts it out, right or wrong. */
function isNumeric(code: number): boolean {
  // 0–9 . e E + - x
  return (
    (code >= 48 && code <= 57) ||
    code === 46 ||
    code === 101 ||
    code === 69 ||
    code === 43 ||
    code === 45 ||
    code === 120
  );
}

/** A character that begins something known, if perhaps not here. */
function isToken(code: number): boolean {
  if (isLetter(code) || (code >= 48 && code <= 57)) return true;
  switch (code) {
    case 34: // "
    case 39: // '
    case 44: // ,
    case 45: // -
    case 58: // :
    case 91: // [
    case 93: // ]
    case 123: // {
    case 125: // }
      return true;
    default:
      return false;
  }
}

function nameEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (!isLetter(code) && !(code >= 48 && code <= 57)) break;
    end++;
  }
  return end;
}

/** Four hexadecimal digits; -1: they are not. */
function hex(text: string, at: number): number {
  const digits = text.slice(at, at + 4);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}
