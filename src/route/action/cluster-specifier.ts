import { hashModulo } from '../../core/hash64.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { MetadataCriteria } from '../../core/metadata-criteria.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { HashPolicy } from '../hash/hash-policy.ts';
import type { HeaderMutations } from '../mutate/header-mutations.ts';
import type { ClusterChoice, RouteRuntime } from '../route.ts';

/** Which cluster a request goes to. */
export interface ClusterSpecifier {
  choose(head: RequestHead, random: number, outcome?: Outcome): ClusterChoice;
  /** For a repeat: one that is not in `tried`, which it joins. Absent: there is none but the first. */
  chooseAgain?(head: RequestHead, random: number, outcome: Outcome, tried: Set<unknown>): ClusterChoice;
}

/** What a weighted entry adds to a request, beside the name. */
export interface ChoiceParts {
  readonly perFilter: ReadonlyMap<string, readonly unknown[]> | null;
  readonly filterDisabled: ReadonlyMap<string, boolean> | null;
  readonly requestHeaders: HeaderMutations | null;
  readonly responseHeaders: HeaderMutations | null;
  /** Empty: none. */
  readonly hostRewrite: string;
  readonly metadataMatch: MetadataCriteria | null;
}

const noParts: ChoiceParts = {
  perFilter: null,
  filterDisabled: null,
  requestHeaders: null,
  responseHeaders: null,
  hostRewrite: '',
  metadataMatch: null,
};

export class Choice implements ClusterChoice {
  readonly name: string;
  readonly perFilter: ReadonlyMap<string, readonly unknown[]> | null;
  readonly filterDisabled: ReadonlyMap<string, boolean> | null;
  readonly metadataMatch: MetadataCriteria | null;
  private readonly parts: ChoiceParts;

  constructor(name: string, parts: ChoiceParts = noParts) {
    this.name = name;
    this.perFilter = parts.perFilter;
    this.filterDisabled = parts.filterDisabled;
    this.metadataMatch = parts.metadataMatch;
    this.parts = parts;
  }

  mutateRequest(head: RequestHead, outcome: Outcome): void {
    const { parts } = this;
    if (parts.requestHeaders !== null) parts.requestHeaders.apply(head.headers, outcome);
    // Envoy does not tell the original host here.
    if (parts.hostRewrite !== '') head.authority = parts.hostRewrite;
  }

  mutateResponse(head: ResponseHead, outcome: Outcome): void {
    if (this.parts.responseHeaders !== null) this.parts.responseHeaders.apply(head.headers, outcome);
  }
}

export class FixedCluster implements ClusterSpecifier {
  private readonly choice: Choice;

  constructor(name: string, parts: ChoiceParts = noParts) {
    this.choice = new Choice(name, parts);
  }

  choose(): ClusterChoice {
    return this.choice;
  }
}

/** `cluster_header`: the first value of a header; without it no cluster. */
export class HeaderCluster implements ClusterSpecifier {
  private readonly header: string;
  private readonly parts: ChoiceParts;

  constructor(header: string, parts: ChoiceParts = noParts) {
    this.header = header;
    this.parts = parts;
  }

  choose(head: RequestHead): ClusterChoice {
    return new Choice(head.get(this.header) ?? '', this.parts);
  }
}

export interface WeightedEntry {
  readonly name: string;
  readonly weight: number;
  readonly specifier: ClusterSpecifier;
}

/**
 * `weighted_clusters`: value modulo the sum of the weights falls into the entry's share. The value is that of a header,
 * if one is configured and holds one number, or the route's hash, else the stream's random.
 */
export class WeightedClusters implements ClusterSpecifier {
  private readonly entries: readonly WeightedEntry[];
  private readonly total: number;
  private readonly randomHeader: string;
  /** Null: it does not decide. */
  private readonly hashPolicy: HashPolicy | null;
  private readonly runtimeKeyPrefix: string;
  private readonly runtime: RouteRuntime;

  constructor(
    entries: readonly WeightedEntry[],
    randomHeader: string,
    runtimeKeyPrefix: string,
    runtime: RouteRuntime,
    hashPolicy: HashPolicy | null = null,
  ) {
    this.entries = entries;
    this.total = entries.reduce((sum, entry) => sum + entry.weight, 0);
    this.randomHeader = randomHeader;
    this.hashPolicy = hashPolicy;
    this.runtimeKeyPrefix = runtimeKeyPrefix;
    this.runtime = runtime;
  }

  choose(head: RequestHead, random: number, outcome?: Outcome): ClusterChoice {
    const total = this.runtimeKeyPrefix === '' ? this.total : this.totalOf(this.entries);
    if (total === 0) return new Choice('');
    return this.entryAt(this.entries, total, head, random, outcome).specifier.choose(head, random);
  }

  /** By the same value among fewer; when all have been tried they begin anew. Those without weight are never tried. */
  chooseAgain(head: RequestHead, random: number, outcome: Outcome, tried: Set<unknown>): ClusterChoice {
    const { entries } = this;
    const all = this.totalOf(entries);
    if (all === 0) return new Choice('');
    if (tried.size === 0) tried.add(this.entryAt(entries, all, head, random, outcome));
    let others = entries.filter((entry) => !tried.has(entry));
    let total = this.totalOf(others);
    if (total === 0) {
      tried.clear();
      others = [...entries];
      total = all;
    }
    const entry = this.entryAt(others, total, head, random, outcome);
    tried.add(entry);
    return entry.specifier.choose(head, random);
  }

  /** `total`: of the weights of `entries`, not 0. */
  private entryAt(
    entries: readonly WeightedEntry[],
    total: number,
    head: RequestHead,
    random: number,
    outcome: Outcome | undefined,
  ): WeightedEntry {
    let value = this.randomHeader === '' ? -1 : headerModulo(head, this.randomHeader, total);
    if (this.hashPolicy !== null && outcome !== undefined)
      value = this.hashValue(this.hashPolicy, head, outcome, total);
    if (value < 0) value = Math.floor(random * total);
    for (const entry of entries) {
      const weight = this.weightOf(entry);
      if (value < weight) return entry;
      value -= weight;
    }
    return entries[entries.length - 1];
  }

  /** -1: there is nothing to hash. */
  private hashValue(policy: HashPolicy, head: RequestHead, outcome: Outcome, total: number): number {
    const hash = policy.hash(head, outcome, null);
    return hash === null ? -1 : hashModulo(hash, total);
  }

  private weightOf(entry: WeightedEntry): number {
    if (this.runtimeKeyPrefix === '') return entry.weight;
    return this.runtime.number(`${this.runtimeKeyPrefix}.${entry.name}`, entry.weight);
  }

  private totalOf(entries: readonly WeightedEntry[]): number {
    let total = 0;
    for (const entry of entries) total += this.weightOf(entry);
    return total;
  }
}

const uint64Max = '18446744073709551615';

/** A header's unsigned 64-bit value modulo `total` (< 2^32); -1: missing, repeated, or no such number. */
function headerModulo(head: RequestHead, name: string, total: number): number {
  const text = head.get(name);
  if (text === undefined) return -1;
  const { headers } = head;
  if (headers.indexOf(name, headers.indexOf(name) + 1) >= 0) return -1;
  const match = /^\s*\+?0*(\d{1,20})\s*$/.exec(text);
  if (match === null) return -1;
  const digits = match[1];
  if (digits.length === uint64Max.length && digits > uint64Max) return -1;
  let remainder = 0;
  for (let i = 0; i < digits.length; i++) remainder = (remainder * 10 + digits.charCodeAt(i) - 48) % total;
  return remainder;
}
