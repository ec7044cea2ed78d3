import { isDeepStrictEqual } from 'node:util';
import type { DnsResolver, DnsResolverOptions } from '../net/dns-resolver.ts';
import type { SharedNumberDirectory } from '../observe/shared-limit.ts';
import type { Counter, StatsScope } from '../observe/stats.ts';
import type { StatsReport, StatsSource } from '../observe/stats-source.ts';
import { emptyRuntime, type RuntimeView } from '../core/runtime-view.ts';
import { allotBreakerSlots, releaseBreakerSlots, reportBreakers } from './circuit-breaker.ts';
import { clusterStatNames } from './cluster-stat-names.ts';
import { clusterChanges, type ClusterChanges } from './cluster-changes.ts';
import type { ClusterData, HostData } from './cluster-data.ts';
import type { TellEnd } from './dynamic/dns-cache.ts';
import { DnsCaches } from './dynamic/dns-caches.ts';
import type { LookupQuestion } from './dynamic/dns-lookups.ts';
import { DynamicHosts } from './dynamic/dynamic-hosts.ts';
import type { HealthSlots } from './health/health-slots.ts';
import { HostConnectionSlots } from './host-connections.ts';
import { hostKeys } from './host-key.ts';
import type { HostUse } from './host-report.ts';
import { OriginalHosts } from './original-dst/original-hosts.ts';
import type { HostSighting } from './original-dst/host-sighting.ts';
import { makeDiscovery, type Discovery } from './discovery/discovery.ts';
import { updateStats, type DiscoveryEnvironment } from './discovery/dns-target.ts';
import { MatchCounts } from './transport/match-counts.ts';
import { isDegraded, isExcluded, isHealthy } from './host-health.ts';

export interface DirectoryEnvironment extends DiscoveryEnvironment {
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly limits: SharedNumberDirectory;
  readonly runtime?: RuntimeView;
  /** Where the health of watched hosts is. */
  readonly health: HealthSlots;
  openResolver(options: DnsResolverOptions): DnsResolver;
  /** How often workers have used a host (`hostKeys`) since the start; absent: nobody counts. */
  usesOf?(cluster: string, host: string): number;
  /** The same of all hosts of a cluster; absent: nobody counts. */
  usesIn?(cluster: string): ReadonlyMap<string, HostUse>;
  /** Discovery knows other hosts than before of a cluster that has been published. */
  onPublished(cluster: string, hosts: readonly HostData[]): void;
  /** As `onPublished`, of clusters too that the workers do not know yet: for calls of the main thread's own. */
  onHosts?(cluster: string, hosts: readonly HostData[]): void;
  /** What a cluster needs besides its hosts has come; absent: nothing else is needed. */
  hasSecrets?(cluster: string): boolean;
}

/** A cluster as the main thread keeps it. */
class Entry {
  data: ClusterData;
  hosts: readonly HostData[];
  discovery: Discovery | null;
  isWarm: boolean;
  readonly membershipChange: Counter;
  matches: MatchCounts;

  constructor(data: ClusterData, hosts: readonly HostData[], scope: StatsScope) {
    this.data = data;
    this.hosts = hosts;
    this.discovery = null;
    this.isWarm = true;
    this.membershipChange = scope.counter('membership_change');
    this.matches = new MatchCounts(scope, data.transports);
    this.matches.add(hosts);
  }
}

/**
 * The main thread's clusters: runs discovery for those that need it, adds what only this thread can know before the
 * data go to the workers, and answers the admin's questions about members and limits.
 */
export class ClusterDirectory implements StatsSource {
  private readonly environment: DirectoryEnvironment;
  private readonly resolvers: Map<string, DnsResolver>;
  private readonly caches: DnsCaches;
  private entries: Map<string, Entry>;
  /** What the workers know. */
  private published: Map<string, ClusterData>;
  private waiting: (() => void)[];
  private readonly connectionSlots: HostConnectionSlots;

  constructor(environment: DirectoryEnvironment) {
    this.environment = environment;
    this.resolvers = new Map();
    this.caches = new DnsCaches(environment, environment.stats, (options) => this.resolver(options));
    this.entries = new Map();
    this.published = new Map();
    this.waiting = [];
    this.connectionSlots = new HostConnectionSlots(environment.limits);
  }

  /** A new configuration: all clusters, from the decoder. Discovery whose configuration is unchanged goes on. */
  replace(list: readonly ClusterData[]): void {
    const before = this.entries;
    this.entries = new Map();
    for (const data of list) {
      const known = before.get(data.name);
      before.delete(data.name);
      this.entries.set(data.name, this.update(known, data));
    }
    for (const [name, { discovery }] of before) {
      discovery?.stop();
      releaseBreakerSlots(this.environment.limits, name);
      this.environment.health.release(name);
      this.connectionSlots.release(name);
    }
    this.sayIfWarm();
  }

  /** Resolves when every cluster that waits for its first hosts has an answer. */
  whenWarm(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.sayIfWarm();
    });
  }

  /** What all workers are to be told since the last call; to be asked for when `whenWarm` has resolved. */
  takeChanges(): ClusterChanges {
    const now = new Map(Array.from(this.entries, ([name, { data, hosts }]) => [name, { ...data, hosts }]));
    const changes = clusterChanges(this.published, now);
    this.published = now;
    return changes;
  }

  /** All of them with the hosts of now, warm or not. */
  current(): readonly ClusterData[] {
    return Array.from(this.entries.values(), ({ data, hosts }) => ({ ...data, hosts }));
  }

  /** A worker wants a name of a DNS cache; told once it is there, with an address or without, or when there is no room. */
  wantName(question: LookupQuestion, end: TellEnd): void {
    this.caches.want(question.cache, question.name, end);
  }

  /** The hosts of now; empty for an unknown cluster. */
  hostsOf(cluster: string): readonly HostData[] {
    return this.entries.get(cluster)?.hosts ?? [];
  }

  /** Gauges that nobody has to keep up to date, and the names of everything that a cluster counts. */
  reportStats(report: StatsReport): void {
    const { limits, runtime = emptyRuntime } = this.environment;
    const hasSecrets = (name: string): boolean => this.environment.hasSecrets?.(name) ?? true;
    for (const { data, hosts, isWarm } of this.entries.values()) {
      const prefix = `cluster.${data.statName}`;
      const flags = hosts.map((host) => this.environment.health.flagsOf(host));
      const isDiscovered = 'dns' in data.discovery;
      const heaviest = isDiscovered ? hosts.reduce((most, { weight }) => Math.max(most, weight), 0) : 0;
      report.known(prefix, clusterStatNames);
      reportBreakers(data, prefix, limits, runtime, report);
      report.gauge(`${prefix}.max_host_weight`, heaviest, isDiscovered);
      report.gauge(`${prefix}.membership_degraded`, flags.filter(isDegraded).length, true);
      report.gauge(`${prefix}.membership_excluded`, flags.filter(isExcluded).length, true);
      report.gauge(`${prefix}.membership_healthy`, flags.filter(isHealthy).length, true);
      report.gauge(`${prefix}.membership_total`, flags.length, true);
      report.gauge(`${prefix}.warming_state`, isWarm && hasSecrets(data.name) ? 0 : 1, true);
    }
  }

  stop(): void {
    for (const { discovery } of this.entries.values()) discovery?.stop();
  }

  private update(known: Entry | undefined, decoded: ClusterData): Entry {
    const data = { ...decoded, breakerSlots: allotBreakerSlots(this.environment.limits, decoded.name) };
    if (known !== undefined && isDeepStrictEqual(known.data.discovery, data.discovery)) {
      known.data = data;
      known.matches = new MatchCounts(this.scopeOf(data), data.transports);
      this.setHosts(known, data.discovery.kind === 'static' ? data.hosts : known.hosts);
      return known;
    }
    known?.discovery?.stop();
    const scope = this.scopeOf(data);
    const entry = new Entry(data, this.placed(data, data.hosts), scope);
    if (entry.hosts.length > 0) entry.membershipChange.inc();
    entry.discovery = this.discovery(entry, scope);
    entry.isWarm = !('dns' in data.discovery) || !data.discovery.dns.waitForWarm;
    entry.discovery?.start();
    return entry;
  }

  private discovery(entry: Entry, scope: StatsScope): Discovery | null {
    const { name, discovery } = entry.data;
    const listener = {
      onHosts: (hosts: readonly HostData[]) => this.discovered(entry, hosts),
      onWarm: () => this.warmed(entry),
    };
    if (discovery.kind === 'dynamic') {
      const usesOf = (host: string): number => this.environment.usesOf?.(name, host) ?? 0;
      return new DynamicHosts(discovery.cache, this.caches, usesOf, listener);
    }
    if (discovery.kind === 'original-dst') {
      const usesIn = (): ReadonlyMap<string, HostUse> => this.environment.usesIn?.(name) ?? new Map();
      return new OriginalHosts(name, discovery.asked.cleanupMs, this.environment, usesIn, listener);
    }
    if (discovery.kind === 'aggregate') return null;
    return makeDiscovery(
      discovery,
      ({ dns }) => this.resolver(dns.resolver),
      this.environment,
      () => updateStats(scope),
      listener,
    );
  }

  /** A worker has begun to use an address of a cluster whose hosts are those that are asked for. */
  foundHost({ cluster, address }: HostSighting): void {
    const discovery = this.entries.get(cluster)?.discovery;
    if (discovery instanceof OriginalHosts) discovery.add(address);
  }

  /** Discovery has not known it for some time, and now it fails its checks, too. */
  removeHost(cluster: string, key: string): void {
    const entry = this.entries.get(cluster);
    if (entry === undefined) return;
    const keys = hostKeys(entry.hosts);
    this.tellHosts(
      entry,
      entry.hosts.filter((_, i) => keys[i] !== key),
    );
  }

  private discovered(entry: Entry, found: readonly HostData[]): void {
    this.tellHosts(entry, this.environment.health.keepPassing(entry.data, entry.hosts, found));
  }

  private tellHosts(entry: Entry, list: readonly HostData[]): void {
    this.setHosts(entry, list);
    const { hosts } = entry;
    const { name, discovery } = entry.data;
    this.environment.onHosts?.(name, hosts);
    const known = this.published.get(name);
    // Hosts of a cluster that is still warming belong to no cluster that the workers have.
    if (known === undefined || !isDeepStrictEqual(known.discovery, discovery)) return;
    this.published.set(name, { ...known, hosts });
    this.environment.onPublished(name, hosts);
  }

  private setHosts(entry: Entry, list: readonly HostData[]): void {
    const hosts = this.placed(entry.data, list);
    const before = entry.hosts;
    if (isDeepStrictEqual(before, hosts)) return;
    entry.hosts = hosts;
    entry.membershipChange.inc();
    entry.matches.add(isAskedFor(entry.data) ? newOnes(hosts, before) : hosts);
  }

  /** With their places in shared memory. */
  private placed(data: ClusterData, list: readonly HostData[]): readonly HostData[] {
    return this.connectionSlots.place(data, this.environment.health.place(data, list));
  }

  private scopeOf({ statName }: ClusterData): StatsScope {
    return this.environment.stats.scope('cluster').scope(statName);
  }

  private warmed(entry: Entry): void {
    if (entry.isWarm) return;
    entry.isWarm = true;
    this.sayIfWarm();
  }

  private sayIfWarm(): void {
    for (const { isWarm } of this.entries.values()) if (!isWarm) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Clusters with the same resolver configuration share one. */
  private resolver(options: DnsResolverOptions): DnsResolver {
    const key = JSON.stringify(options);
    let resolver = this.resolvers.get(key);
    if (resolver === undefined) {
      resolver = this.environment.openResolver(options);
      this.resolvers.set(key, resolver);
    }
    return resolver;
  }
}

/** Its hosts come one by one; those of others are made anew with every list, as in Envoy. */
function isAskedFor({ discovery }: ClusterData): boolean {
  return discovery.kind === 'original-dst' || discovery.kind === 'dynamic';
}

function newOnes(hosts: readonly HostData[], before: readonly HostData[]): readonly HostData[] {
  const known = new Set(hostKeys(before));
  const keys = hostKeys(hosts);
  return hosts.filter((_, i) => !known.has(keys[i]));
}
