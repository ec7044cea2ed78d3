import { lowerAscii } from './wire-text.ts';

interface Wildcards<T> {
  readonly length: number;
  readonly values: Map<string, T>;
}

/**
 * Finds what belongs to a host: exact domains, then `*suffix`, then `prefix*`, each longest first, then `*`. A wildcard
 * stands for at least one character. Hosts compare without regard to case.
 */
export class DomainTable<T> {
  private readonly exact: Map<string, T>;
  /** Longest first. */
  private readonly suffixes: Wildcards<T>[];
  private readonly prefixes: Wildcards<T>[];
  private fallback: T | null;

  constructor() {
    this.exact = new Map();
    this.suffixes = [];
    this.prefixes = [];
    this.fallback = null;
  }

  /** What `*` stands for if there is no other domain, so that hosts need not be looked at; else null. */
  get only(): T | null {
    return this.exact.size === 0 && this.suffixes.length === 0 && this.prefixes.length === 0 ? this.fallback : null;
  }

  /** `domain` lower-case and not added before. */
  add(domain: string, value: T): void {
    if (domain === '*') this.fallback = value;
    else if (domain.startsWith('*')) addWildcard(this.suffixes, domain.slice(1), value);
    else if (domain.endsWith('*')) addWildcard(this.prefixes, domain.slice(0, -1), value);
    else this.exact.set(domain, value);
  }

  find(host: string): T | null {
    const exact = this.exact.get(host);
    if (exact !== undefined) return exact;
    const lower = lowerAscii(host);
    if (lower !== host) {
      const folded = this.exact.get(lower);
      if (folded !== undefined) return folded;
    }
    for (const { length, values } of this.suffixes) {
      const found = length < lower.length ? values.get(lower.slice(lower.length - length)) : undefined;
      if (found !== undefined) return found;
    }
    for (const { length, values } of this.prefixes) {
      const found = length < lower.length ? values.get(lower.slice(0, length)) : undefined;
      if (found !== undefined) return found;
    }
    return this.fallback;
  }
}

function addWildcard<T>(wildcards: Wildcards<T>[], text: string, value: T): void {
  let group = wildcards.find(({ length }) => length === text.length);
  if (group === undefined) {
    group = { length: text.length, values: new Map() };
    wildcards.push(group);
    wildcards.sort((a, b) => b.length - a.length);
  }
  group.values.set(text, value);
}
