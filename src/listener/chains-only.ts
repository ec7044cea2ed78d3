import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { ListenerData } from './listener-data.ts';

/**
 * Two versions of a listener that differ in their filter chains, and in how these are chosen, and in nothing else.
 * Source: Envoy `ListenerMessageUtil::filterChainOnlyChange`.
 */
export function changesChainsOnly(before: ListenerData, now: ListenerData): boolean {
  return now.filterChains.length > 0 && isDeepStrictEqual(withoutChains(before), withoutChains(now));
}

function withoutChains(data: ListenerData): Partial<ListenerData> {
  const { filterChains: _chains, defaultFilterChain: _default, filterChainMatcher: _matcher, ...rest } = data;
  return rest;
}
