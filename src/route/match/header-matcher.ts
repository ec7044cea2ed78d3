import type { Headers } from '../../core/headers.ts';
import type { HeaderMatcherData } from './matcher-data.ts';
import { StringMatcher } from './string-matcher.ts';

/** A request's or response's head, as header matchers read it. */
export interface MatchableHead {
  readonly headers: Headers;
  /** A pseudo-header or the first value of a field. */
  get(name: string): string | undefined;
}

const int64Min = -(1n << 63n);
const int64Max = (1n << 63n) - 1n;

/**
 * Tests a header. Every value of a repeated field is tested on its own, and one that passes is enough; a missing field
 * fails every test but `present_match`, even an inverted one, unless it counts as empty (observed on Envoy 1.39).
 */
export class HeaderMatcher {
  private readonly name: string;
  private readonly isPseudo: boolean;
  private readonly string: StringMatcher | null;
  private readonly hasRange: boolean;
  private readonly start: bigint;
  private readonly end: bigint;
  private readonly present: boolean;
  private readonly invert: boolean;
  private readonly treatMissingAsEmpty: boolean;

  constructor(data: HeaderMatcherData) {
    const { test } = data;
    this.name = data.name;
    this.isPseudo = data.name.startsWith(':') || data.name === 'host';
    this.string = test.kind === 'string' ? new StringMatcher(test.string) : null;
    this.hasRange = test.kind === 'range';
    this.start = test.kind === 'range' ? test.start : 0n;
    this.end = test.kind === 'range' ? test.end : 0n;
    this.present = test.kind === 'present' ? test.present : true;
    this.invert = data.invert;
    this.treatMissingAsEmpty = data.treatMissingAsEmpty;
  }

  matches(head: MatchableHead): boolean {
    if (this.isPseudo) return this.decide(head.get(this.name));
    const { names, values } = head.headers;
    const at = head.headers.indexOf(this.name);
    if (at < 0) return this.decide(undefined);
    if (this.string === null && !this.hasRange) return this.present !== this.invert;
    for (let i = at; i < names.length; i++) {
      if (names[i] === this.name && this.passes(values[i])) return !this.invert;
    }
    return this.invert;
  }

  private decide(value: string | undefined): boolean {
    if (this.string === null && !this.hasRange) {
      return ((value !== undefined || this.treatMissingAsEmpty) === this.present) !== this.invert;
    }
    if (value === undefined && !this.treatMissingAsEmpty) return false;
    return this.passes(value ?? '') !== this.invert;
  }

  private passes(value: string): boolean {
    if (this.string !== null) return this.string.matches(value);
    const number = parseInt64(value);
    return number !== null && number >= this.start && number < this.end;
  }
}

// Nineteen digits hold every such number: a field full of them is no work.
const int64 = /^[ \t-\r]*([+-]?)0*(\d{1,19})[ \t-\r]*$/;

/** As `absl::SimpleAtoi<int64_t>`: a sign, and ASCII's white space around, are allowed. Null: not such a number. */
function parseInt64(text: string): bigint | null {
  const found = int64.exec(text);
  if (found === null) return null;
  const value = found[1] === '-' ? -BigInt(found[2]) : BigInt(found[2]);
  return value < int64Min || value > int64Max ? null : value;
}

/** True if all match; an empty list matches anything. */
export function allMatch(matchers: readonly HeaderMatcher[], head: MatchableHead): boolean {
  for (let i = 0; i < matchers.length; i++) if (!matchers[i].matches(head)) return false;
  return true;
}

export function anyMatches(matchers: readonly HeaderMatcher[], head: MatchableHead): boolean {
  for (let i = 0; i < matchers.length; i++) if (matchers[i].matches(head)) return true;
  return false;
}
