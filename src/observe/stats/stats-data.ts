/** `StringMatcher` of a stats matcher, as plain data. */
export interface StatNameMatcherData {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex';
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** Which stats exist. `all`: no matcher; `include` keeps what matches, `exclude` drops it. */
export interface StatsMatcherData {
  readonly kind: 'all' | 'none' | 'include' | 'exclude';
  readonly patterns: readonly StatNameMatcherData[];
}

/** A tag for Prometheus: what `regex` takes out of the name, a fixed value, or (both null) the default rule of that name. */
export interface StatsTagData {
  readonly name: string;
  /** RE2: the first group is removed from the name, the second (or first) is the value. */
  readonly regex: string | null;
  readonly fixedValue: string | null;
}

export interface HistogramBucketsData {
  readonly match: StatNameMatcherData;
  /** Ascending upper bounds. */
  readonly bounds: readonly number[];
}

/** `stats_config` of the bootstrap. */
export interface StatsConfigData {
  readonly useAllDefaultTags: boolean;
  readonly tags: readonly StatsTagData[];
  readonly matcher: StatsMatcherData;
  readonly histogramBuckets: readonly HistogramBucketsData[];
}

/** What a bootstrap without `stats_config` means. */
export const DEFAULT_STATS_CONFIG: StatsConfigData = {
  useAllDefaultTags: true,
  tags: [],
  matcher: { kind: 'all', patterns: [] },
  histogramBuckets: [],
};
