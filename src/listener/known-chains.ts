import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { FilterChain, Listener } from './listener.ts';
import type { FilterChainData } from './listener-data.ts';

interface Known {
  readonly data: FilterChainData;
  readonly chain: FilterChain;
}

/** The filter chains that a listener has, by what they were made of. */
export class KnownChains {
  private readonly byName: Map<string, Known[]>;

  constructor({ data: { filterChains, defaultFilterChain }, chains }: Pick<Listener, 'data' | 'chains'>) {
    this.byName = new Map();
    const all = defaultFilterChain === null ? filterChains : [...filterChains, defaultFilterChain];
    for (const [i, data] of all.entries()) {
      const named = this.byName.get(data.name);
      const known = { data, chain: chains[i] };
      if (named === undefined) this.byName.set(data.name, [known]);
      else named.push(known);
    }
  }

  /** The one that is made of the same; null: there is none. */
  find(data: FilterChainData): FilterChain | null {
    return this.byName.get(data.name)?.find((known) => isDeepStrictEqual(known.data, data))?.chain ?? null;
  }
}
