import { Regex } from '../regex.ts';
import { lowerAscii } from '../wire-text.ts';
import type { StringMatcherData } from './matcher-data.ts';

const Kind = { Exact: 0, Prefix: 1, Suffix: 2, Contains: 3, Regex: 4 } as const;
const kinds = {
  exact: Kind.Exact,
  prefix: Kind.Prefix,
  suffix: Kind.Suffix,
  contains: Kind.Contains,
  regex: Kind.Regex,
};

/** A string test, built once. */
export class StringMatcher {
  private readonly kind: number;
  private readonly value: string;
  private readonly ignoreCase: boolean;
  private readonly regex: Regex | null;

  constructor(data: StringMatcherData) {
    this.kind = kinds[data.kind];
    this.value = data.value;
    this.ignoreCase = data.ignoreCase;
    this.regex = data.kind === 'regex' ? new Regex(data.value) : null;
  }

  matches(text: string): boolean {
    const subject = this.ignoreCase ? lowerAscii(text) : text;
    switch (this.kind) {
      case Kind.Exact:
        return subject === this.value;
      case Kind.Prefix:
        return subject.startsWith(this.value);
      case Kind.Suffix:
        return subject.endsWith(this.value);
      case Kind.Contains:
        return subject.includes(this.value);
      default:
        return this.regex!.matches(text);
    }
  }
}
