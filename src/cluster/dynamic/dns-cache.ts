import type { DnsResolver } from '../../net/dns-resolver.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { DiscoveryEnvironment } from '../discovery/dns-target.ts';
import { CachedName } from './cached-name.ts';
import type { DnsCacheData } from './dns-cache-data.ts';
import { DnsCacheStats } from './dns-cache-stats.ts';

/** How a question ended, for who asked it: the name has an address, or none (and why); or the cache is full. */
export type LookupEnd = 'cached' | 'unresolved' | 'full';

/** `details`: why there is no address; else empty. */
export type TellEnd = (how: LookupEnd, details: string) => void;

/** Who hears of the addresses: a cluster. */
export interface CacheUser {
  /** All names that have an address, and it, when that has changed. */
  onAddresses(addresses: ReadonlyMap<string, string>): void;
  /** Whether a worker has used the name since this was last asked. */
  wasUsed(name: string): boolean;
}

/**
 * Names that requests and connections ask for, on the main thread: each is resolved when it is first wanted, and again and
 * again for as long as it is used. Source: Envoy `DnsCacheImpl`.
 */
export class DnsCache {
  readonly data: DnsCacheData;
  readonly resolver: DnsResolver;
  readonly environment: DiscoveryEnvironment;
  readonly stats: DnsCacheStats;
  private readonly names: Map<string, CachedName>;
  private readonly users: Set<CacheUser>;
  private waiting: Map<string, TellEnd[]>;

  /** `scope`: `dns_cache.<name>`. */
  constructor(data: DnsCacheData, resolver: DnsResolver, environment: DiscoveryEnvironment, scope: StatsScope) {
    this.data = data;
    this.resolver = resolver;
    this.environment = environment;
    this.stats = new DnsCacheStats(scope, data.maxPending);
    this.names = new Map();
    this.users = new Set();
    this.waiting = new Map();
    for (const name of data.preresolved) this.want(name, () => {});
  }

  get isUnused(): boolean {
    return this.users.size === 0;
  }

  join(user: CacheUser): void {
    this.users.add(user);
    const addresses = this.addresses();
    if (addresses.size > 0) user.onAddresses(addresses);
  }

  leave(user: CacheUser): void {
    this.users.delete(user);
  }

  /** Nobody is told any more. */
  stop(): void {
    for (const name of this.names.values()) name.stop();
    this.names.clear();
    this.stats.hosts(0);
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const ends of waiting) for (const end of ends) end('full', '');
  }

  /** `end` is told when the first answer for the name is there, perhaps at once. */
  want(name: string, end: TellEnd): void {
    const known = this.names.get(name);
    if (known?.isAnswered === true) {
      known.use();
      known.tell(end);
      return;
    }
    if (known === undefined && this.names.size >= this.data.maxHosts) {
      this.stats.overflow.inc();
      end('full', '');
      return;
    }
    const waiting = this.waiting.get(name);
    if (waiting === undefined) this.waiting.set(name, [end]);
    else waiting.push(end);
    if (known === undefined) this.add(name);
  }

  // For the names.

  wasUsed(name: string): boolean {
    let isUsed = false;
    // All are asked: each forgets what it has said.
    for (const user of this.users) isUsed = user.wasUsed(name) || isUsed;
    return isUsed;
  }

  onAnswer(name: CachedName, isChanged: boolean): void {
    if (isChanged) this.tellUsers();
    const waiting = this.waiting.get(name.name) ?? [];
    this.waiting.delete(name.name);
    for (const end of waiting) name.tell(end);
  }

  forget(name: CachedName): void {
    name.stop();
    this.names.delete(name.name);
    this.stats.removed.inc();
    this.stats.hosts(this.names.size);
    if (name.address !== '') this.tellUsers();
  }

  private add(name: string): void {
    const cached = new CachedName(name, this);
    this.names.set(name, cached);
    this.stats.added.inc();
    this.stats.hosts(this.names.size);
    cached.start();
  }

  private tellUsers(): void {
    const addresses = this.addresses();
    for (const user of this.users) user.onAddresses(addresses);
  }

  private addresses(): Map<string, string> {
    const addresses = new Map<string, string>();
    for (const { name, address } of this.names.values()) if (address !== '') addresses.set(name, address);
    return addresses;
  }
}
