import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import type { DnsResolver, DnsResolverOptions } from '../../net/dns-resolver.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { DiscoveryEnvironment } from '../discovery/dns-target.ts';
import type { DnsCacheData } from './dns-cache-data.ts';
import { DnsCache, type CacheUser, type TellEnd } from './dns-cache.ts';

/** The caches of the main thread by name, each for as long as a cluster uses it. */
export class DnsCaches {
  private readonly environment: DiscoveryEnvironment;
  private readonly stats: StatsScope;
  private readonly openResolver: (options: DnsResolverOptions) => DnsResolver;
  private readonly caches: Map<string, DnsCache>;

  /** `stats`: the root. */
  constructor(
    environment: DiscoveryEnvironment,
    stats: StatsScope,
    openResolver: (options: DnsResolverOptions) => DnsResolver,
  ) {
    this.environment = environment;
    this.stats = stats;
    this.openResolver = openResolver;
    this.caches = new Map();
  }

  /** The first to name a cache says what it is; one that says otherwise later gets a cache of its own in its place. */
  join(data: DnsCacheData, user: CacheUser): DnsCache {
    let cache = this.caches.get(data.name);
    if (cache === undefined || !isDeepStrictEqual(cache.data, data)) {
      const scope = this.stats.scope('dns_cache').scope(data.name);
      cache = new DnsCache(data, this.openResolver(data.resolver), this.environment, scope);
      this.caches.set(data.name, cache);
    }
    cache.join(user);
    return cache;
  }

  leave(cache: DnsCache, user: CacheUser): void {
    cache.leave(user);
    if (!cache.isUnused) return;
    cache.stop();
    if (this.caches.get(cache.data.name) === cache) this.caches.delete(cache.data.name);
  }

  /** A worker wants `name` (`cachedName`); a cache that no cluster uses has room for none. */
  want(cache: string, name: string, end: TellEnd): void {
    const known = this.caches.get(cache);
    if (known === undefined) end('full', '');
    else known.want(name, end);
  }
}
