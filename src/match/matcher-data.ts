import type { IpPrefix } from './ip-prefix-map.ts';

/** `xds.type.matcher.v3.Matcher` as plain data. What an input, a string test or an action is, its user knows. */
export interface MatcherData {
  readonly tree: MatchTreeData;
  /** Null: nothing happens. */
  readonly onNoMatch: OnMatchData | null;
}

export type OnMatchData =
  | { readonly kind: 'matcher'; readonly matcher: MatcherData }
  | { readonly kind: 'action'; readonly action: unknown };

export type MatchTreeData =
  /** None: `onNoMatch` it is. */
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly matchers: readonly FieldMatcherData[] }
  | { readonly kind: 'exact' | 'prefix'; readonly input: unknown; readonly entries: readonly MatchEntryData[] }
  | { readonly kind: 'ip'; readonly input: unknown; readonly ranges: readonly IpRangesData[] }
  | { readonly kind: 'domain'; readonly input: unknown; readonly domains: readonly DomainsData[] };

export interface FieldMatcherData {
  readonly predicate: PredicateData;
  readonly onMatch: OnMatchData;
}

export interface MatchEntryData {
  readonly key: string;
  readonly onMatch: OnMatchData;
}

/** `xds.type.matcher.v3.ServerNameMatcher.DomainMatcher`: whole names, `*.` in front of one, or `*`. */
export interface DomainsData {
  readonly names: readonly string[];
  readonly onMatch: OnMatchData;
}

/** `xds.type.matcher.v3.IPMatcher.IPRangeMatcher`. */
export interface IpRangesData {
  readonly ranges: readonly IpPrefix[];
  readonly onMatch: OnMatchData;
  /** Counts only where no longer range holds the address. */
  readonly exclusive: boolean;
}

export type PredicateData =
  | { readonly kind: 'string'; readonly input: unknown; readonly string: unknown }
  | { readonly kind: 'ip'; readonly input: unknown; readonly ranges: readonly IpPrefix[] }
  /** A test that its user knows, of an input that is more than a text. */
  | { readonly kind: 'custom'; readonly input: unknown; readonly custom: unknown }
  | { readonly kind: 'or' | 'and'; readonly predicates: readonly PredicateData[] }
  | { readonly kind: 'not'; readonly predicate: PredicateData };
