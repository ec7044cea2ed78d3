import { isDeepStrictEqual } from '../../../core/deep-equal.ts';
import { changesChainsOnly } from '../../../listener/chains-only.ts';
import type { FilterChainData, ListenerData } from '../../../listener/listener-data.ts';

/**
 * Whether a listener takes the place of the one before with its filter chains alone changed: connections of chains that
 * are as they were stay. @returns how many chains go; null: it is another listener altogether
 */
export function replacesInPlace({ data: before }: Listening, { data: now }: Listening): number | null {
  if (!changesChainsOnly(before, now)) return null;
  const kept = chainsOf(now);
  return chainsOf(before).filter((chain) => !kept.some((one) => isDeepStrictEqual(one, chain))).length;
}

interface Listening {
  readonly data: ListenerData;
}

function chainsOf({ filterChains, defaultFilterChain }: ListenerData): readonly FilterChainData[] {
  return defaultFilterChain === null ? filterChains : [...filterChains, defaultFilterChain];
}
