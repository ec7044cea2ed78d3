import {
  CelScalar,
  celFunc,
  celList,
  celMethod,
  isCelError,
  isCelList,
  listType,
  mapType,
  type CelFunc,
  type CelInput,
  type CelValue,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { RE2JS } from 're2js';
import { toBytes } from '../format/byte-string.ts';

/** Patterns that come with requests, too, are remembered. */
const patternsMax = 256;

/**
 * Envoy's limit is 100 of RE2's instructions; re2js counts some more for the same pattern, as it has one for each
 * character of a literal. What is compared with a request stays linear, and short.
 */
const programSizeMax = 1000;

/** Bytes that `replace` and `join` may add: more than any header is. */
const replacementMax = 1024 * 1024;

const { BOOL, INT, STRING } = CelScalar;

/** `matches` and the functions of `re.`, by re2js. */
export class Patterns {
  private readonly known: Map<string, RE2JS>;

  constructor() {
    this.known = new Map();
  }

  /** Functions that are methods are functions, too, as in cel-cpp. */
  functions(): CelFunc[] {
    const matches = (text: string, pattern: string): boolean => this.of(pattern).matcher(characters(text)).find();
    return [
      celFunc('matches', [STRING, STRING], BOOL, matches),
      celMethod('matches', STRING, [STRING], BOOL, function matchesThis(this: string, pattern) {
        return matches(this, pattern);
      }),
      celFunc('re.extract', [STRING, STRING, STRING], STRING, (...args) => this.extract(...args)),
      celFunc('re.capture', [STRING, STRING], STRING, (text, pattern) => this.capture(text, pattern)),
      celFunc('re.captureN', [STRING, STRING], mapType(STRING, STRING), (text, pattern) =>
        this.captures(text, pattern),
      ),
    ];
  }

  private of(pattern: string): RE2JS {
    const known = this.known.get(pattern);
    if (known !== undefined) return known;
    if (this.known.size >= patternsMax) this.known.clear();
    const made = RE2JS.compile(characters(pattern));
    if (made.programSize() > programSizeMax) throw new Error('unsupported RE2 pattern for matches');
    this.known.set(pattern, made);
    return made;
  }

  /** The first match, written as `rewrite` says: `\\1` is its first group. */
  private extract(text: string, pattern: string, rewrite: string): string {
    const matcher = this.of(pattern).matcher(characters(text));
    if (!matcher.find()) throw new Error('unable to extract: no match');
    const written = characters(rewrite).replace(/\\(.?)/gsu, (_, escaped: string) => {
      if (escaped === '\\') return '\\';
      if (!/^[0-9]$/.test(escaped) || Number(escaped) > matcher.groupCount()) throw new Error('invalid rewrite');
      return matcher.group(Number(escaped)) ?? '';
    });
    return toBytes(written);
  }

  /** The first group of a pattern that the whole text matches. */
  private capture(text: string, pattern: string): string {
    const matcher = this.of(pattern).matcher(characters(text));
    if (matcher.groupCount() === 0 || !matcher.matches()) throw new Error('unable to capture: no match');
    return toBytes(matcher.group(1) ?? '');
  }

  /** All groups, by their names, and by their numbers where they have none. */
  private captures(text: string, pattern: string): Map<string, string> {
    const compiled = this.of(pattern);
    const matcher = compiled.matcher(characters(text));
    const count = matcher.groupCount();
    if (count === 0 || !matcher.matches()) throw new Error('unable to capture: no match');
    const names = new Map(Object.entries(compiled.namedGroups()).map(([name, group]) => [group, name]));
    const found = new Map<string, string>();
    for (let group = 1; group <= count; group++)
      found.set(toBytes(names.get(group) ?? String(group)), toBytes(matcher.group(group) ?? ''));
    return found;
  }
}

/** Functions for texts that are bytes. */
export function textFunctions(): CelFunc[] {
  return [
    celFunc('size', [STRING], INT, (text) => BigInt(characterCount(text))),
    celMethod('size', STRING, [], INT, function size(this: string) {
      return BigInt(characterCount(this));
    }),
    celFunc('contains', [STRING, STRING], BOOL, (text, part) => text.includes(part)),
    celFunc('startsWith', [STRING, STRING], BOOL, (text, part) => text.startsWith(part)),
    celFunc('endsWith', [STRING, STRING], BOOL, (text, part) => text.endsWith(part)),
  ];
}

/**
 * `enable_string_functions`: the library's own and `reverse`, which it lacks; `split` with a limit, whose rest it throws
 * away; and `replace` and `join`, which have a limit here. They count characters, not bytes.
 */
export function stringFunctions(): CelFunc[] {
  const reverse = celMethod('reverse', STRING, [], STRING, function reverse(this: string) {
    return Array.from(this).toReversed().join('');
  });
  const split = celMethod(
    'split',
    STRING,
    [STRING, INT],
    listType(STRING),
    function split(this: string, separator, limit) {
      return splitAt(this, separator, Number(limit));
    },
  );
  const replace = celMethod('replace', STRING, [STRING, STRING], STRING, function replace(this: string, part, by) {
    return replaced(this, part, by, -1);
  });
  const replaceSome = celMethod(
    'replace',
    STRING,
    [STRING, STRING, INT],
    STRING,
    function replaceSome(this: string, part, by, limit) {
      return replaced(this, part, by, Number(limit));
    },
  );
  const join = celMethod('join', listType(STRING), [STRING], STRING, function joinThis(this, separator) {
    return joined([...this], separator);
  });
  return [...strings, reverse, split, replace, replaceSome, join].map(ofCharacters);
}

/** Each `part`, or as many as `limit` says from the front. An empty one is in front of each character, and at the end. */
function replaced(text: string, part: string, by: string, limit: number): string {
  const pieces = part === '' ? ['', ...Array.from(text), ''] : text.split(part);
  const times = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  if (times * by.length > replacementMax) throw new Error('replacement is too long');
  return [...pieces.slice(0, times), pieces.slice(times).join(part)].join(by);
}

function joined(parts: readonly unknown[], separator: string): string {
  if (!parts.every((part) => typeof part === 'string')) throw new Error('no matching overload for join');
  if (parts.length * separator.length > replacementMax) throw new Error('replacement is too long');
  return parts.join(separator);
}

/** At most `limit` parts, the last of which is all the rest; below 0: as many as there are. */
function splitAt(text: string, separator: string, limit: number): string[] {
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return limit === 0 ? [] : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

/** The same for texts that are bytes. */
function ofCharacters(inner: CelFunc): CelFunc {
  const call = (target: CelValue | undefined, args: readonly CelValue[]): CelInput => {
    const result = inner.call(0, target === undefined ? undefined : unpacked(target), args.map(unpacked));
    if (result === undefined) throw new Error(`found no matching overload for '${inner.name}'`);
    if (isCelError(result)) throw result;
    return packed(result);
  };
  if (inner.target === undefined)
    return celFunc(inner.name, inner.arguments, inner.result, (...args: readonly CelValue[]) => call(undefined, args));
  return celMethod(inner.name, inner.target, inner.arguments, inner.result, function method(this: CelValue, ...args) {
    return call(this, args);
  });
}

function unpacked(value: CelValue): CelValue {
  return mapped(value, characters) as CelValue;
}

function packed(value: CelValue): CelInput {
  return mapped(value, toBytes);
}

function mapped(value: CelValue, of: (text: string) => string): CelInput {
  if (typeof value === 'string') return of(value);
  return isCelList(value) ? celList([...value].map((one) => mapped(one, of))) : value;
}

// oxlint-disable-next-line no-control-regex
const beyondAscii = /[^\x00-\x7f]/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The characters that bytes are in UTF-8; what is none stays as it is. */
function characters(bytes: string): string {
  if (!beyondAscii.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

/** Code points of the UTF-8 that the bytes are. */
function characterCount(bytes: string): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes.charCodeAt(i) & 0xc0) !== 0x80) count++;
  return count;
}
