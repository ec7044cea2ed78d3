import type { RequestHead } from '../../../core/head.ts';
import { StringMatcher } from '../../../route/match/string-matcher.ts';
import type { StringMatcherData } from '../../../route/match/matcher-data.ts';

/** Only the filter says it. */
const partialBody = 'x-envoy-auth-partial-body';

/** An HTTP service gets them whatever is allowed. */
const always: ReadonlySet<string> = new Set([':authority', ':method', ':path', 'authorization']);

/** Which fields of a request an authorization server sees. */
export class SentHeaders {
  /** Null: all. */
  private readonly allowed: readonly StringMatcher[] | null;
  private readonly disallowed: readonly StringMatcher[];
  private readonly always: ReadonlySet<string>;

  constructor(
    allowed: readonly StringMatcherData[],
    disallowed: readonly StringMatcherData[],
    service: 'grpc' | 'http',
  ) {
    const matchers = allowed.map((data) => new StringMatcher(data));
    this.allowed = service === 'grpc' && matchers.length === 0 ? null : matchers;
    this.disallowed = disallowed.map((data) => new StringMatcher(data));
    this.always = service === 'http' ? always : new Set();
  }

  /** Pseudo fields too; values of one name are joined. */
  each(head: RequestHead, visit: (name: string, value: string) => void): void {
    if (this.sends(':authority')) visit(':authority', head.authority);
    if (this.sends(':path')) visit(':path', head.path);
    if (this.sends(':method')) visit(':method', head.method);
    if (this.sends(':scheme')) visit(':scheme', head.scheme);
    if (head.protocol !== '' && this.sends(':protocol')) visit(':protocol', head.protocol);
    const { names, values } = head.headers;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      // Nobody sends so many that looking through them costs more than a map.
      if (names.indexOf(name) < i || !this.sends(name)) continue;
      let value = values[i];
      for (let j = names.indexOf(name, i + 1); j >= 0; j = names.indexOf(name, j + 1)) value += `,${values[j]}`;
      visit(name, value);
    }
  }

  private sends(name: string): boolean {
    if (name === partialBody) return false;
    if (this.disallowed.length > 0 && this.disallowed.some((matcher) => matcher.matches(name))) return false;
    return this.allowed === null || this.always.has(name) || this.allowed.some((matcher) => matcher.matches(name));
  }
}
