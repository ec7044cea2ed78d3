import type { Hash64 } from '../../core/hash64.ts';
import { formatHash } from '../../core/hash64.ts';
import type { RequestHead } from '../../core/head.ts';
import { formatAddress } from '../../core/peer.ts';
import { xxHash64Text } from '../../core/xx-hash64.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { stateText } from '../../observe/filter-state.ts';
import { findCookie } from '../match/cookie-matcher.ts';
import { findParameter, parameterValue } from '../match/query-matcher.ts';
import { Regex } from '../regex.ts';
import { Substitution } from '../regex/substitution.ts';
import type { CookieData, HashPolicyData } from './hash-policy-data.ts';
import { setCookie } from './set-cookie.ts';

/** Who tells the client of a cookie that was made for it; null where there is nobody to be told. */
export type CookieTaker = { addCookie(setCookie: string): void } | null;

/** One thing that a request, or a connection, may be told apart by. */
interface HashMethod {
  /** Null: there is nothing of the kind. `head` null: it is a connection. */
  hash(head: RequestHead | null, outcome: Outcome, cookies: CookieTaker): Hash64 | null;
}

/** `hash_policy` of a route or of tcp_proxy: what keeps requests that belong together with one host. */
export class HashPolicy {
  private readonly methods: readonly HashMethod[];
  private readonly terminal: readonly boolean[];

  constructor(data: readonly HashPolicyData[]) {
    this.methods = data.map(buildMethod);
    this.terminal = data.map(({ terminal }) => terminal);
  }

  /** Null: nothing to be told apart by. */
  hash(head: RequestHead | null, outcome: Outcome, cookies: CookieTaker): Hash64 | null {
    const { methods, terminal } = this;
    let all: Hash64 | null = null;
    for (let i = 0; i < methods.length; i++) {
      const one = methods[i].hash(head, outcome, cookies);
      if (one !== null) all = all === null ? one : combine(all, one);
      if (all !== null && terminal[i]) break;
    }
    return all;
  }
}

/** Turned by one bit, so that two equal hashes do not cancel each other out. */
function combine(before: Hash64, next: Hash64): Hash64 {
  return {
    high: (((before.high << 1) | (before.low >>> 31)) ^ next.high) >>> 0,
    low: (((before.low << 1) | (before.high >>> 31)) ^ next.low) >>> 0,
  };
}

function buildMethod(data: HashPolicyData): HashMethod {
  switch (data.kind) {
    case 'header':
      return data.rewrite === null
        ? new HeaderHash(data.name)
        : new RewrittenHeaderHash(
            data.name,
            new Regex(data.rewrite.pattern),
            new Substitution(data.rewrite.substitution),
          );
    case 'cookie':
      return new CookieHash(data.name, data.generated);
    case 'sourceIp':
      return new SourceIpHash();
    case 'queryParameter':
      return new QueryHash(data.name);
    case 'filterState':
      return new FilterStateHash(data.key);
  }
}

class HeaderHash implements HashMethod {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  hash(head: RequestHead | null): Hash64 | null {
    if (head === null) return null;
    const value = head.get(this.name);
    if (value === undefined) return null;
    const { headers } = head;
    const first = headers.indexOf(this.name);
    if (first < 0 || headers.indexOf(this.name, first + 1) < 0) return xxHash64Text(value);
    return hashValues(head.getAll(this.name));
  }
}

/** With each value rewritten before it is hashed. */
class RewrittenHeaderHash implements HashMethod {
  private readonly name: string;
  private readonly regex: Regex;
  private readonly substitution: Substitution;

  constructor(name: string, regex: Regex, substitution: Substitution) {
    this.name = name;
    this.regex = regex;
    this.substitution = substitution;
  }

  hash(head: RequestHead | null): Hash64 | null {
    if (head?.get(this.name) === undefined) return null;
    return hashValues(head.getAll(this.name).map((value) => this.regex.replaceAll(value, this.substitution)));
  }
}

/** Each with the hash of those before it as its seed; in whatever order they came. */
function hashValues(values: string[]): Hash64 {
  let hash: Hash64 = { high: 0, low: 0 };
  for (const value of values.sort(byBytes)) hash = xxHash64Text(value, hash);
  return hash;
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

class CookieHash implements HashMethod {
  private readonly name: string;
  private readonly generated: CookieData | null;

  constructor(name: string, generated: CookieData | null) {
    this.name = name;
    this.generated = generated;
  }

  hash(head: RequestHead | null, outcome: Outcome, cookies: CookieTaker): Hash64 | null {
    if (head === null) return null;
    const value = findCookie(head.headers, this.name) ?? '';
    if (value !== '') return xxHash64Text(value);
    return this.generated === null ? null : this.generate(this.generated, outcome, cookies);
  }

  /** The same for all streams of a connection, which may race for it. */
  private generate(data: CookieData, { peer }: Outcome, cookies: CookieTaker): Hash64 {
    if (cookies === null) return xxHash64Text('');
    const ends = peer === null ? '' : formatAddress(peer.remote) + formatAddress(peer.local);
    const value = formatHash(xxHash64Text(ends));
    cookies.addCookie(setCookie(this.name, value, data));
    return xxHash64Text(value);
  }
}

class SourceIpHash implements HashMethod {
  hash(_head: RequestHead | null, outcome: Outcome): Hash64 | null {
    const address = outcome.remoteAddress ?? outcome.peer?.remote;
    return address?.kind === 'ip' ? xxHash64Text(address.host) : null;
  }
}

class QueryHash implements HashMethod {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  hash(head: RequestHead | null): Hash64 | null {
    if (head === null) return null;
    const at = findParameter(head.path, this.name);
    return at < 0 ? null : xxHash64Text(parameterValue(head.path, at));
  }
}

class FilterStateHash implements HashMethod {
  private readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  hash(_head: RequestHead | null, outcome: Outcome): Hash64 | null {
    const text = stateText(outcome.filterState?.get(this.key));
    return text === null ? null : xxHash64Text(text);
  }
}
