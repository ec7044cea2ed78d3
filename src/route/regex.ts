import type { RE2JS } from 're2js';
import { re2 } from '../core/re2.ts';
import { nativeFullMatch, nativeSearch } from './regex/native.ts';
import { programSize } from './regex/program-size.ts';
import type { Substitution } from './regex/substitution.ts';
import { parseSubset } from './regex/syntax.ts';

/** Envoy's default of the runtime key `re2.max_program_size.error_level`. */
export const defaultMaxProgramSize = 100;

/**
 * Why Envoy would refuse `pattern` (wire text), or null. `ownLimit` is the deprecated `google_re2.max_program_size`,
 * which replaces the general limit.
 */
export function regexProblem(
  pattern: string,
  limit = defaultMaxProgramSize,
  ownLimit: number | null = null,
): string | null {
  const node = parseSubset(pattern);
  let size = 0;
  if (node !== null) size = programSize(node);
  else {
    try {
      size = re2().RE2JS.compile(pattern).programSize();
    } catch (error) {
      if (error instanceof re2().RE2JSException) return error.message.replace(/^error parsing regexp: /, '');
      throw error;
    }
  }
  if (ownLimit !== null) {
    if (size <= ownLimit) return null;
    return `regex '${pattern}' RE2 program size of ${size} > max program size of ${ownLimit}. Increase configured max program size if necessary`;
  }
  if (size <= limit) return null;
  return `regex '${pattern}' RE2 program size of ${size} > max program size of ${limit} set for the error level threshold. Increase configured max program size if necessary`;
}

/**
 * A regular expression with RE2's syntax, running in linear time: on V8's engine where `native.ts` can prove it, else on
 * RE2 (`re2js`). Texts are wire text, one character per byte, as Envoy runs RE2 in Latin-1. The engines are made when
 * they are first needed: a table of ten thousand routes asks few of them.
 */
export class Regex {
  readonly pattern: string;
  private full: RegExp | RE2JS | null;
  private search: RegExp | RE2JS | null;

  /** `pattern` has passed `regexProblem`. */
  constructor(pattern: string) {
    this.pattern = pattern;
    this.full = null;
    this.search = null;
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    const engine = this.full ?? this.compileFull();
    return engine instanceof RegExp ? engine.test(text) : engine.testExact(text);
  }

  /** The groups of a match of the whole text, group 0 first; null: no match. */
  captures(text: string): readonly (string | null | undefined)[] | null {
    const engine = this.full ?? this.compileFull();
    if (engine instanceof RegExp) return engine.exec(text);
    const matcher = engine.matcher(text);
    if (!matcher.matches()) return null;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group));
  }

  /** Name of each named group → its number. */
  groupNames(): ReadonlyMap<string, number> {
    return new Map(Object.entries(re2().RE2JS.compile(this.pattern).namedGroups()));
  }

  /**
   * Every match from left to right replaced, as RE2's `GlobalReplace`: an empty match right behind another match does
   * not count.
   */
  replaceAll(text: string, substitution: Substitution): string {
    const engine = this.search ?? this.compileSearch();
    const find = engine instanceof RegExp ? new NativeFinder(engine, text) : new Re2Finder(engine, text);
    if (substitution.highestGroup > find.groupCount) return text;
    let result = '';
    let at = 0;
    let lastEnd = -1;
    while (at <= text.length && find.from(at)) {
      result += text.slice(at, find.start);
      if (find.start === lastEnd && find.end === find.start) {
        result += text.slice(find.start, find.start + 1);
        at = find.start + 1;
        continue;
      }
      result += substitution.apply(find.captures);
      at = find.end;
      lastEnd = at;
    }
    return result + text.slice(at);
  }

  private compileFull(): RegExp | RE2JS {
    const node = parseSubset(this.pattern);
    const source = node === null ? null : nativeFullMatch(node);
    this.full = source === null ? re2().RE2JS.compile(this.pattern) : new RegExp(source);
    return this.full;
  }

  private compileSearch(): RegExp | RE2JS {
    const node = parseSubset(this.pattern);
    const source = node === null ? null : nativeSearch(node);
    this.search = source === null ? re2().RE2JS.compile(this.pattern) : new RegExp(source, 'g');
    return this.search;
  }
}

/** Finds matches one after the other. */
interface Finder {
  readonly groupCount: number;
  readonly start: number;
  readonly end: number;
  readonly captures: readonly (string | null | undefined)[];
  from(at: number): boolean;
}

class NativeFinder implements Finder {
  readonly groupCount: number;
  start: number;
  end: number;
  captures: readonly (string | undefined)[];
  private readonly regex: RegExp;
  private readonly text: string;

  constructor(regex: RegExp, text: string) {
    this.regex = regex;
    this.text = text;
    this.groupCount = groupsOf(regex);
    this.start = 0;
    this.end = 0;
    this.captures = [];
  }

  from(at: number): boolean {
    this.regex.lastIndex = at;
    const match = this.regex.exec(this.text);
    if (match === null) return false;
    this.start = match.index;
    this.end = match.index + match[0].length;
    this.captures = match;
    return true;
  }
}

/** Our own sources use `(` for captures and `(?:` only, everything else is escaped. */
function groupsOf(regex: RegExp): number {
  return regex.source.split('(').length - 1 - (regex.source.split('(?:').length - 1);
}

class Re2Finder implements Finder {
  readonly groupCount: number;
  start: number;
  end: number;
  captures: readonly (string | null)[];
  private readonly matcher: ReturnType<RE2JS['matcher']>;

  constructor(regex: RE2JS, text: string) {
    this.matcher = regex.matcher(text);
    this.groupCount = this.matcher.groupCount();
    this.start = 0;
    this.end = 0;
    this.captures = [];
  }

  from(at: number): boolean {
    if (!this.matcher.find(at)) return false;
    this.start = this.matcher.start();
    this.end = this.matcher.end();
    this.captures = Array.from({ length: this.groupCount + 1 }, (_, group) => this.matcher.group(group));
    return true;
  }
}
