import type { Peer } from '../../core/peer.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import { buildMatcher } from '../../match/matcher.ts';
import type { FilterChain, FilterChainChoice } from '../listener.ts';
import { FilterChainMatcher, type Candidate } from './filter-chain-matcher.ts';
import { networkInputs, type NetworkInput } from './network-inputs.ts';

/** By what chains ask for. `otherwise`: default_filter_chain; null: none. */
export function chooseByMatch(
  candidates: readonly Candidate<FilterChain>[],
  otherwise: FilterChain | null,
): FilterChainChoice {
  const matcher = new FilterChainMatcher(candidates);
  return { find: (peer) => matcher.find(peer) ?? otherwise };
}

/** A string test, built. */
export type BuildStringTest = (data: unknown) => { matches(text: string): boolean };

/** By filter_chain_matcher. A name that no chain has is nobody's, and `otherwise` is for what it names no chain for. */
export function chooseByName(
  data: MatcherData,
  chains: readonly FilterChain[],
  otherwise: FilterChain | null,
  string: BuildStringTest,
): FilterChainChoice {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  const matcher = buildMatcher<Peer, { readonly chain: FilterChain | null }>(data, {
    input: (name) => networkInputs[name as NetworkInput],
    string,
    action: (name) => ({ chain: byName.get(name as string) ?? null }),
  });
  return {
    find: (peer) => {
      const found = matcher.match(peer);
      return found === null ? otherwise : found.chain;
    },
  };
}
