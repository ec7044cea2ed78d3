import type { RequestHead } from '../../core/head.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';

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
  of(head: RequestHead): Map<string, string> {
    const sent = new Map<string, string>();
    this.add(sent, ':authority', head.authority);
    this.add(sent, ':path', head.path);
    this.add(sent, ':method', head.method);
    this.add(sent, ':scheme', head.scheme);
    if (head.protocol !== '') this.add(sent, ':protocol', head.protocol);
    const { names, values } = head.headers;
    for (let i = 0; i < names.length; i++) this.add(sent, names[i], values[i]);
    return sent;
  }

  private add(sent: Map<string, string>, name: string, value: string): void {
    if (!this.sends(name)) return;
    const before = sent.get(name);
    sent.set(name, before === undefined ? value : `${before},${value}`);
  }

  private sends(name: string): boolean {
    if (name === partialBody || this.disallowed.some((matcher) => matcher.matches(name))) return false;
    return this.allowed === null || this.always.has(name) || this.allowed.some((matcher) => matcher.matches(name));
  }
}
