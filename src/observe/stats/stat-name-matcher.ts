import { re2 } from '../../core/re2.ts';

import type { StatNameMatcherData, StatsMatcherData } from './stats-data.ts';

export type NamePredicate = (name: string) => boolean;

/** Builds one `StringMatcher`. A regex must match the whole name, as in Envoy. */
export function buildNameMatcher(data: StatNameMatcherData): NamePredicate {
  if (data.kind === 'regex') {
    const pattern = re2().RE2JS.compile(data.value);
    return (name) => pattern.matches(name);
  }
  const value = data.ignoreCase ? data.value.toLowerCase() : data.value;
  const fold = data.ignoreCase ? (name: string) => name.toLowerCase() : (name: string) => name;
  switch (data.kind) {
    case 'exact':
      return (name) => fold(name) === value;
    case 'prefix':
      return (name) => fold(name).startsWith(value);
    case 'suffix':
      return (name) => fold(name).endsWith(value);
    case 'contains':
      return (name) => fold(name).includes(value);
  }
}

/** True: the stat exists. */
export function buildStatsMatcher(data: StatsMatcherData): NamePredicate {
  const patterns = data.patterns.map(buildNameMatcher);
  const matchesAny = (name: string) => patterns.some((matches) => matches(name));
  switch (data.kind) {
    case 'all':
      return () => true;
    case 'none':
      return () => false;
    case 'include':
      return matchesAny;
    case 'exclude':
      return (name) => !matchesAny(name);
  }
}
