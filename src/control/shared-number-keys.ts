import type { DiscoveredExtension } from '../listener/extension-sources.ts';
import type { FilterChainData, ListenerData } from '../listener/listener-data.ts';
import type { SharedNumberDirectory } from '../observe/limit/shared-limit.ts';
import { connectionLimitKind } from '../filter/network/connection-limit/connection-limit-data.ts';
import { sharedNumbersOfFilters } from '../filter/shared-numbers.ts';
import { hcmKind, type HcmData } from '../proxy/http/hcm-data.ts';

/** Key → index: the numbers, beside those of clusters, that a configuration counts over all workers. */
export type SharedNumberIndices = Readonly<Record<string, number>>;

/** The open connections of a listener, for its connection limit. */
export function listenerKey(listener: string): string {
  return `listener/${listener}/connections`;
}

/** The open connections of all listeners together. */
export const downstreamConnectionsKey = 'listeners/connections';

/** A number of an HTTP filter's, by connection manager: where Envoy asks a gauge of that `stat_prefix`, all share it. */
export function filterKey(statPrefix: string, key: string): string {
  return `http/${statPrefix}/${key}`;
}

/** What a network filter counts, by its place in its listener; a chain with a name is found again among other chains. */
export function networkFilterKey(listener: ListenerData, chain: FilterChainData, filter: number): string {
  return `network/${listener.name}/${chain.name || listener.filterChains.indexOf(chain)}/${filter}`;
}

/** All that these listeners count. */
export function sharedNumberKeys(listeners: readonly ListenerData[]): Set<string> {
  const keys = new Set<string>([downstreamConnectionsKey]);
  for (const listener of listeners) {
    keys.add(listenerKey(listener.name));
    const { filterChains, defaultFilterChain } = listener;
    for (const chain of defaultFilterChain === null ? filterChains : [...filterChains, defaultFilterChain]) {
      for (const [i, { kind, data, discovery }] of chain.filters.entries()) {
        if ((discovery?.kinds ?? [kind]).includes(connectionLimitKind)) keys.add(networkFilterKey(listener, chain, i));
        if (kind === hcmKind) addManagerKeys(data as HcmData, keys);
      }
    }
  }
  return keys;
}

/** All that a filter counts that has come by ECDS, besides what its place in its listener has. */
export function sharedNumberKeysOf({ config }: DiscoveredExtension): Set<string> {
  const keys = new Set<string>();
  if (config?.kind === hcmKind) addManagerKeys(config.data as HcmData, keys);
  return keys;
}

function addManagerKeys({ statPrefix, httpFilters }: HcmData, keys: Set<string>): void {
  for (const kind of httpFilters.flatMap((filter) => filter.discovery?.kinds ?? [filter.kind]))
    for (const key of sharedNumbersOfFilters.get(kind) ?? []) keys.add(filterKey(statPrefix, key));
}

/** The main thread's bookkeeping of them, by who counts: what nobody counts any longer is given back. */
export class SharedNumberAllotment {
  private readonly directory: SharedNumberDirectory;
  private readonly keysOf: Map<string, ReadonlySet<string>>;
  /** Key → how many count it. */
  private readonly uses: Map<string, number>;

  constructor(directory: SharedNumberDirectory) {
    this.directory = directory;
    this.keysOf = new Map();
    this.uses = new Map();
  }

  /** `owner` counts these from now on, and nothing else. */
  allot(owner: string, keys: ReadonlySet<string>): SharedNumberIndices {
    for (const key of keys) this.uses.set(key, (this.uses.get(key) ?? 0) + 1);
    this.release(owner);
    this.keysOf.set(owner, keys);
    return Object.fromEntries(Array.from(keys, (key) => [key, this.directory.allot(key)]));
  }

  /** It counts no more. */
  release(owner: string): void {
    for (const key of this.keysOf.get(owner) ?? []) {
      const left = this.uses.get(key)! - 1;
      if (left > 0) {
        this.uses.set(key, left);
        continue;
      }
      this.uses.delete(key);
      this.directory.release(key);
    }
    this.keysOf.delete(owner);
  }
}
