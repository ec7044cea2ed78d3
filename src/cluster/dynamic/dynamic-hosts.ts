import type { HostData } from '../cluster-data.ts';
import { emptyLocality } from '../cluster-data.ts';
import type { Discovery, DiscoveryListener } from '../discovery/discovery.ts';
import { splitName } from '../../core/destination.ts';
import type { DnsCacheData } from './dns-cache-data.ts';
import type { CacheUser, DnsCache } from './dns-cache.ts';
import type { DnsCaches } from './dns-caches.ts';

/** A cluster whose hosts are the names of a DNS cache. */
export class DynamicHosts implements Discovery, CacheUser {
  private readonly data: DnsCacheData;
  private readonly caches: DnsCaches;
  private readonly listener: DiscoveryListener;
  /** How often workers have used a host since the start. */
  private readonly usesOf: (name: string) => number;
  private cache: DnsCache | null;
  private readonly uses: Map<string, number>;

  constructor(data: DnsCacheData, caches: DnsCaches, usesOf: (name: string) => number, listener: DiscoveryListener) {
    this.data = data;
    this.caches = caches;
    this.listener = listener;
    this.usesOf = usesOf;
    this.cache = null;
    this.uses = new Map();
  }

  start(): void {
    this.cache = this.caches.join(this.data, this);
    this.listener.onWarm();
  }

  stop(): void {
    if (this.cache !== null) this.caches.leave(this.cache, this);
    this.cache = null;
  }

  onAddresses(addresses: ReadonlyMap<string, string>): void {
    for (const name of this.uses.keys()) if (!addresses.has(name)) this.uses.delete(name);
    this.listener.onHosts(Array.from(addresses, ([name, address]) => hostOf(name, address)));
  }

  wasUsed(name: string): boolean {
    const uses = this.usesOf(name);
    const before = this.uses.get(name) ?? 0;
    this.uses.set(name, uses);
    return uses !== before;
  }
}

function hostOf(name: string, address: string): HostData {
  return {
    address: { kind: 'ip', host: address, port: splitName(name).port },
    hostname: name,
    weight: 1,
    priority: 0,
    locality: emptyLocality,
    localityWeight: 0,
    health: 'HEALTHY',
    canary: false,
    metadata: null,
    transport: 0,
    key: name,
  };
}
