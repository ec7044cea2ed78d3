import {
  COLLECTION_STYLE,
  EVENT_ID,
  SCALAR_STYLE,
  YAMLException,
  getScalarValue,
  parseEvents,
  type Event,
  type ScalarEvent,
} from 'js-yaml';
import { depthMax, type ConfigObject, type ConfigValue } from './config-value.ts';

/** The text cannot be read at all. */
export class TextError extends Error {
  /** Into the text; -1: the text as a whole. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'TextError';
    this.offset = offset;
  }
}

/** What a plain (unquoted) scalar means. */
export type PlainScalar = (text: string, offset: number) => ConfigValue;

/** The events of a text; offsets in them are what both the value and its places are made from. */
export function eventsOf(text: string): Event[] {
  try {
    // Envoy's reader counts lists in lists too; one more than allowed, so that the reader can say which field it is.
    return parseEvents(text, { maxDepth: depthMax * 5 });
  } catch (error) {
    if (error instanceof YAMLException) throw new TextError(error.reason, error.mark?.position ?? -1);
    if (error instanceof RangeError) throw new TextError('objects and lists are nested too deeply', -1);
    throw error;
  }
}

/** The value of the first document, as yaml-cpp reads it; undefined when there is none. */
export function valueOf(text: string, events: Event[], plain: PlainScalar): ConfigValue | undefined {
  return new Composer(text, events, plain).compose();
}

/** A collection that is still open. */
interface Frame {
  readonly list: ConfigValue[] | null;
  readonly object: ConfigObject | null;
  /** The key whose value comes next, or null. */
  key: string | null;
  /** The key carries `!ignore`. */
  isIgnored: boolean;
}

class Composer {
  readonly #text: string;
  readonly #events: Event[];
  readonly #plain: PlainScalar;
  readonly #anchors = new Map<string, ConfigValue>();
  readonly #frames: Frame[] = [];
  #root: ConfigValue | undefined = undefined;

  constructor(text: string, events: Event[], plain: PlainScalar) {
    this.#text = text;
    this.#events = events;
    this.#plain = plain;
  }

  compose(): ConfigValue | undefined {
    let documents = 0;
    for (const event of this.#events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          // yaml-cpp reads the first document and never looks at the rest.
          if (++documents > 1) return this.#root;
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.SEQUENCE:
        case EVENT_ID.MAPPING:
          this.#open(event.type === EVENT_ID.SEQUENCE ? [] : {}, event);
          break;
        case EVENT_ID.ALIAS:
          this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd), event.anchorStart);
          break;
        case EVENT_ID.POP:
          this.#frames.pop();
      }
    }
    return this.#root;
  }

  #scalar(event: ScalarEvent): void {
    const frame = this.#frames.at(-1);
    const text = getScalarValue(this.#text, event);
    const tag = event.tagStart === -1 ? '' : this.#text.slice(event.tagStart, event.tagEnd);
    if (frame !== undefined && frame.object !== null && frame.key === null) {
      frame.key = keyText(text, event.style === SCALAR_STYLE.PLAIN);
      frame.isIgnored = tag === '!ignore';
      return;
    }
    const isPlain = event.style === SCALAR_STYLE.PLAIN && tag !== '!';
    const value = isPlain ? this.#plain(text, event.valueStart) : text;
    this.#anchor(event, value);
    this.#add(value);
  }

  #open(value: ConfigValue[] | ConfigObject, event: { start: number; anchorStart: number; anchorEnd: number }): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined && frame.object !== null && frame.key === null)
      throw new TextError('a key must be a scalar', event.start);
    this.#anchor(event, value);
    this.#add(value);
    const isList = Array.isArray(value);
    this.#frames.push({
      list: isList ? value : null,
      object: isList ? null : value,
      key: null,
      isIgnored: false,
    });
  }

  #alias(name: string, offset: number): void {
    const value = this.#anchors.get(name);
    if (value === undefined) throw new TextError(`no anchor '${name}' comes before this alias`, offset);
    const frame = this.#frames.at(-1);
    if (frame !== undefined && frame.object !== null && frame.key === null) {
      if (typeof value === 'object') throw new TextError('a key must be a scalar', offset);
      frame.key = String(value);
      frame.isIgnored = false;
      return;
    }
    this.#add(value);
  }

  #anchor(event: { anchorStart: number; anchorEnd: number }, value: ConfigValue): void {
    if (event.anchorStart !== -1) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), value);
  }

  #add(value: ConfigValue): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      this.#root = value;
    } else if (frame.list !== null) {
      frame.list.push(value);
    } else if (frame.object !== null && frame.key !== null) {
      if (!frame.isIgnored) setKey(frame.object, frame.key, value);
      frame.key = null;
    }
  }
}

/** A key given twice: the last one wins, as with Envoy. */
function setKey(object: ConfigObject, key: string, value: ConfigValue): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, writable: true });
  else object[key] = value;
}

export function keyText(text: string, isPlain: boolean): string {
  return isPlain && (text === '' || text === '~') ? 'null' : text;
}

/** The document is one flow mapping, as JSON is. */
export function isFlowMapping(events: Event[]): boolean {
  const first = events[1];
  return first?.type === EVENT_ID.MAPPING && first.style === COLLECTION_STYLE.FLOW;
}

const nulls: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const booleans: ReadonlyMap<string, boolean> = new Map(
  [
    ['y', 'n'],
    ['yes', 'no'],
    ['true', 'false'],
    ['on', 'off'],
  ].flatMap(([yes, no]) => [...casings(yes, true), ...casings(no, false)]),
);

function casings(name: string, value: boolean): [string, boolean][] {
  return [name, name.toUpperCase(), name[0].toUpperCase() + name.slice(1)].map((casing) => [casing, value]);
}

const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;
const int64Max = 2n ** 63n - 1n;

/**
 * yaml-cpp's reading of a plain scalar with what Envoy makes of it: null, boolean, a whole number (hexadecimal and
 * octal too); a number beyond 32 bits and everything with a decimal point stay text, which fields of a number type take.
 */
export function plainYaml(text: string): ConfigValue {
  const first = text.charCodeAt(0);
  if ((first >= 48 && first <= 57) || first === 45 || first === 43) {
    if (!integer.test(text)) return text;
    const number = wholeNumber(text);
    if (number > int64Max || number < -int64Max - 1n) return text;
    return number >= -2147483648n && number <= 2147483647n ? Number(number) : String(number);
  }
  if (nulls.has(text)) return null;
  return booleans.get(text) ?? text;
}

function wholeNumber(text: string): bigint {
  const isNegative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '');
  const isOctal = digits.length > 1 && digits[0] === '0' && digits[1] !== 'x' && digits[1] !== 'X';
  const size = BigInt(isOctal ? `0o${digits}` : digits);
  return isNegative ? -size : size;
}

/** A plain scalar in JSON text: a literal or a number. */
export function plainJson(text: string, offset: number): ConfigValue {
  if (text === 'null') return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text))
    throw new TextError(`text must be in quotes in JSON, found ${text === '' ? 'nothing' : text}`, offset);
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}
