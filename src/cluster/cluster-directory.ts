import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { DnsResolver, DnsResolverOptions } from '../net/dns-resolver.ts';
import type { SharedNumberDirectory } from '../observe/limit/shared-limit.ts';
import type { Counter, StatsScope } from '../observe/stats/stats.ts';
import type { StatsReport, StatsSource } from '../observe/stats/stats-source.ts';
import { emptyRuntime, type RuntimeView } from '../core/runtime-view.ts';
import { allotBreakerSlots, releaseBreakerSlots, reportBreakers } from './limit/circuit-breaker.ts';
import { clusterStatNames } from './stats/cluster-stat-names.ts';
import { hostsOf, isEqualButForHosts, type ClusterChanges, type HostChanges } from './cluster-changes.ts';
import type { AssignmentData, ClusterData, DiscoveryData, HostData } from './cluster-data.ts';
import type { TellEnd } from './dynamic/dns-cache.ts';
import { DnsCaches } from './dynamic/dns-caches.ts';
import type { LookupQuestion } from './dynamic/dns-lookups.ts';
import { DynamicHosts } from './dynamic/dynamic-hosts.ts';
import type { HealthSlots } from './health/health-slots.ts';
import { MergedChanges } from './merged-changes.ts';
import { HostConnectionSlots } from './host/host-connections.ts';
import { hostKeys } from './host/host-key.ts';
import type { HostUse } from './host/host-report.ts';
import { OriginalHosts } from './original-dst/original-hosts.ts';
import type { HostSighting } from './original-dst/host-sighting.ts';
import { makeDnsDiscovery, type Discovery, type DiscoveryListener } from './discovery/discovery.ts';
import { updateStats, type DiscoveryEnvironment } from './discovery/dns-target.ts';
import { StatNamesInUse } from './stats/stat-names-in-use.ts';
import { MatchCounts } from './transport/match-counts.ts';
import { isDegraded, isExcluded, isHealthy } from './host/host-health.ts';

export interface DirectoryEnvironment extends DiscoveryEnvironment {
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly limits: SharedNumberDirectory;
  readonly runtime?: RuntimeView;
  /** Where the health of watched hosts is. */
  readonly health: HealthSlots;
  openResolver(options: DnsResolverOptions): DnsResolver;
  /** Hosts that a control plane tells; absent: there is none. `before`: what told them to the version before; null: nothing. */
  openEndpoints?(
    cluster: ClusterData,
    scope: StatsScope,
    listener: DiscoveryListener,
    before: Discovery | null,
  ): Discovery | null;
  /** How often workers have used a host (`hostKeys`) since the start; absent: nobody counts. */
  usesOf?(cluster: string, host: string): number;
  /** The same of all hosts of a cluster; absent: nobody counts. */
  usesIn?(cluster: string): ReadonlyMap<string, HostUse>;
  /** Discovery knows other hosts than before of a cluster that is in force. `isMerged`: several times, since it was told. */
  onPublished(change: HostChanges, isMerged: boolean): void;
  /** The same of the newest version of a cluster. `isInForce`: some version is. */
  onHosts?(change: HostChanges, isInForce: boolean): void;
  /** No cluster counts under this name any more. */
  onForgotten?(statName: string): void;
  /** A version waits for something besides its hosts; absent: none ever does. */
  isWarming?(cluster: string): boolean;
}

/** Where the hosts of one or more versions of a cluster come from, as long as they say the same of it. */
class HostSource implements DiscoveryListener {
  readonly users: Set<Entry>;
  discovery: Discovery | null;
  hosts: readonly HostData[];
  assignment: AssignmentData | undefined;
  isWarm: boolean;
  private readonly onFound: (source: HostSource) => void;

  constructor(isWarm: boolean, onFound: (source: HostSource) => void) {
    this.users = new Set();
    this.discovery = null;
    this.hosts = [];
    this.assignment = undefined;
    this.isWarm = isWarm;
    this.onFound = onFound;
  }

  onHosts(hosts: readonly HostData[], assignment?: AssignmentData): void {
    this.hosts = hosts;
    this.assignment = assignment;
    this.onFound(this);
  }

  onWarm(): void {
    if (this.isWarm) return;
    this.isWarm = true;
    for (const entry of this.users) entry.warmed();
  }

  leave(entry: Entry): void {
    this.users.delete(entry);
    if (this.users.size === 0) this.discovery?.stop();
  }
}

/** A version of a cluster as the main thread keeps it. */
class Entry {
  readonly data: ClusterData;
  /** Null: the hosts are configured. */
  readonly source: HostSource | null;
  hosts: readonly HostData[];
  assignment: AssignmentData | undefined;
  readonly membershipChange: Counter;
  readonly matches: MatchCounts;
  /** What the workers were told; null: nothing yet. */
  published: ClusterData | null;
  private waiting: (() => void)[];

  constructor(data: ClusterData, source: HostSource | null, scope: StatsScope) {
    this.data = data;
    this.source = source;
    this.hosts = [];
    this.assignment = source?.assignment;
    this.membershipChange = scope.counter('membership_change');
    this.matches = new MatchCounts(scope, data.transports);
    this.published = null;
    this.waiting = [];
    source?.users.add(this);
  }

  get isWarm(): boolean {
    return this.source?.isWarm ?? true;
  }

  get current(): ClusterData {
    const { data, hosts, assignment } = this;
    return assignment === undefined ? { ...data, hosts } : { ...data, hosts, assignment };
  }

  whenWarm(): Promise<void> {
    return this.isWarm ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Or nobody need wait for it any more. */
  warmed(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  leave(): void {
    this.source?.leave(this);
    this.warmed();
  }
}

/**
 * The main thread's clusters: runs discovery for those that need it, adds what only this thread can know before the
 * data go to the workers, and answers the admin's questions about members and limits. A cluster that is set anew serves
 * on as it was until `takeChanges` is told that the new version is to take its place.
 */
export class ClusterDirectory implements StatsSource {
  private readonly environment: DirectoryEnvironment;
  private readonly resolvers: Map<string, DnsResolver>;
  private readonly caches: DnsCaches;
  private readonly active: Map<string, Entry>;
  /** New, or to take the place of an active one. */
  private readonly warming: Map<string, Entry>;
  /** That the workers have, and are to be told of. */
  private readonly removed: Set<string>;
  private readonly connectionSlots: HostConnectionSlots;
  private readonly statNames: StatNamesInUse;
  private readonly merged: MergedChanges;

  constructor(environment: DirectoryEnvironment) {
    this.environment = environment;
    this.resolvers = new Map();
    this.caches = new DnsCaches(environment, environment.stats, (options) => this.resolver(options));
    this.active = new Map();
    this.warming = new Map();
    this.removed = new Set();
    this.connectionSlots = new HostConnectionSlots(environment.limits);
    this.statNames = new StatNamesInUse(environment.stats.scope('cluster'));
    const { clock, timers, stats } = environment;
    this.merged = new MergedChanges(clock, timers, stats, (name) => this.publishHosts(name, true));
  }

  /** A new version, from the decoder. Discovery whose configuration is unchanged goes on. */
  set(decoded: ClusterData): void {
    const { name } = decoded;
    const data = { ...decoded, breakerSlots: allotBreakerSlots(this.environment.limits, name) };
    const replaced = this.warming.get(name);
    const before = replaced ?? this.active.get(name) ?? null;
    const scope = this.scopeOf(data);
    const shared = before !== null && isSameDiscovery(before.data, data) ? before.source : null;
    const source = shared ?? this.makeSource(data);
    const entry = new Entry(data, source, scope);
    this.statNames.enter(data.statName);
    this.warming.set(name, entry);
    this.place(entry, source?.hosts ?? data.hosts, before?.hosts ?? []);
    if (source !== null && shared === null) {
      source.discovery = this.discovery(source, data, scope, before?.source?.discovery ?? null);
      source.discovery?.start();
    }
    if (replaced !== undefined) this.letGo(replaced);
  }

  remove(name: string): void {
    const active = this.active.get(name);
    if (active?.published !== undefined && active.published !== null) this.removed.add(name);
    const warming = this.warming.get(name);
    this.active.delete(name);
    this.warming.delete(name);
    if (active !== undefined) this.letGo(active);
    if (warming !== undefined) this.letGo(warming);
    releaseBreakerSlots(this.environment.limits, name);
    this.environment.health.release(name);
    this.connectionSlots.release(name);
    this.merged.forget(name);
  }

  /** Resolves when the newest version need not wait for its first hosts, or is the newest no longer. */
  whenWarm(name: string): Promise<void> {
    return this.newest(name)?.whenWarm() ?? Promise.resolve();
  }

  /**
   * The newest versions of these come into force.
   * @returns what all workers are to be told since the last call
   */
  takeChanges(names: Iterable<string> = [...this.warming.keys()]): ClusterChanges {
    const set: ClusterData[] = [];
    const hosts: HostChanges[] = [];
    for (const name of names) {
      const entry = this.warming.get(name);
      if (entry === undefined) continue;
      const before = this.active.get(name)?.published ?? null;
      this.promote(name, entry);
      const now = entry.published!;
      if (before === null || !isEqualButForHosts(before, now)) set.push(now);
      else if (!isDeepStrictEqual(hostsOf(before), hostsOf(now))) hosts.push({ name, ...hostsOf(now) });
    }
    const removed = [...this.removed].filter((name) => !this.active.has(name));
    this.removed.clear();
    return { set, removed, hosts };
  }

  private promote(name: string, entry: Entry): void {
    const before = this.active.get(name);
    this.warming.delete(name);
    this.active.set(name, entry);
    if (before !== undefined) this.letGo(before);
    this.environment.health.promote(name);
    entry.hosts = this.connectionSlots.place(entry.data, entry.hosts);
    entry.published = entry.current;
    this.merged.told(name);
  }

  private letGo(entry: Entry): void {
    const { statName } = entry.data;
    entry.leave();
    if (this.statNames.leave(statName)) this.environment.onForgotten?.(statName);
  }

  has(name: string): boolean {
    return this.active.has(name) || this.warming.has(name);
  }

  /** As it is in force, else as it is to come; null: there is none. */
  get(name: string): ClusterData | null {
    return (this.active.get(name) ?? this.warming.get(name))?.current ?? null;
  }

  /** The newest version with the hosts of now, warm or not; null: there is none. */
  latest(name: string): ClusterData | null {
    return this.newest(name)?.current ?? null;
  }

  /** All of them with the hosts of now: as they are in force, else as they are to come. */
  *current(): Generator<ClusterData> {
    for (const { current } of this.active.values()) yield current;
    for (const [name, { current }] of this.warming) if (!this.active.has(name)) yield current;
  }

  /** A worker wants a name of a DNS cache; told once it is there, with an address or without, or when there is no room. */
  wantName(question: LookupQuestion, end: TellEnd): void {
    this.caches.want(question.cache, question.name, end);
  }

  /** The hosts of now; empty for an unknown cluster. */
  hostsOf(cluster: string): readonly HostData[] {
    return (this.active.get(cluster) ?? this.warming.get(cluster))?.hosts ?? [];
  }

  /** Gauges that nobody has to keep up to date, and the names of everything that a cluster counts. */
  reportStats(report: StatsReport): void {
    for (const [name, entry] of this.active) this.reportEntry(name, entry, report);
    for (const [name, entry] of this.warming) if (!this.active.has(name)) this.reportEntry(name, entry, report);
  }

  private reportEntry(name: string, { data, hosts }: Entry, report: StatsReport): void {
    const { limits, runtime = emptyRuntime } = this.environment;
    const newest = this.newest(name)!;
    const isWarm = newest.isWarm && !(this.environment.isWarming?.(name) ?? false);
    const prefix = `cluster.${data.statName}`;
    const flags = hosts.map((host) => this.environment.health.flagsOf(host));
    const isDiscovered = isResolved(data.discovery);
    const heaviest = isDiscovered ? hosts.reduce((most, { weight }) => Math.max(most, weight), 0) : 0;
    report.known(prefix, clusterStatNames);
    reportBreakers(data, prefix, limits, runtime, report);
    report.gauge(`${prefix}.max_host_weight`, heaviest, isDiscovered);
    report.gauge(`${prefix}.membership_degraded`, flags.filter(isDegraded).length, true);
    report.gauge(`${prefix}.membership_excluded`, flags.filter(isExcluded).length, true);
    report.gauge(`${prefix}.membership_healthy`, flags.filter(isHealthy).length, true);
    report.gauge(`${prefix}.membership_total`, flags.length, true);
    report.gauge(`${prefix}.warming_state`, isWarm ? 0 : 1, true);
  }

  stop(): void {
    for (const { source } of [...this.active.values(), ...this.warming.values()]) source?.discovery?.stop();
  }

  private newest(name: string): Entry | undefined {
    return this.warming.get(name) ?? this.active.get(name);
  }

  /** Null: the configuration names the hosts. */
  private makeSource({ discovery }: ClusterData): HostSource | null {
    if (discovery.kind === 'static' || discovery.kind === 'aggregate') return null;
    const waits = discovery.kind === 'eds' || ('dns' in discovery && discovery.dns.waitForWarm);
    return new HostSource(!waits, (source) => this.found(source));
  }

  private discovery(
    listener: HostSource,
    data: ClusterData,
    scope: StatsScope,
    before: Discovery | null,
  ): Discovery | null {
    const { name, discovery } = data;
    switch (discovery.kind) {
      case 'static':
      case 'aggregate':
        return null;
      case 'eds':
        return this.environment.openEndpoints?.(data, scope, listener, before) ?? null;
      case 'dynamic': {
        const usesOf = (host: string): number => this.environment.usesOf?.(name, host) ?? 0;
        return new DynamicHosts(discovery.cache, this.caches, usesOf, listener);
      }
      case 'original-dst': {
        const usesIn = (): ReadonlyMap<string, HostUse> => this.environment.usesIn?.(name) ?? new Map();
        return new OriginalHosts(name, discovery.asked.cleanupMs, this.environment, usesIn, listener);
      }
      default:
        return makeDnsDiscovery(
          discovery,
          this.resolver(discovery.dns.resolver),
          this.environment,
          updateStats(scope),
          listener,
        );
    }
  }

  /** A worker has begun to use an address of a cluster whose hosts are those that are asked for. */
  foundHost({ cluster, address }: HostSighting): void {
    const discovery = (this.active.get(cluster) ?? this.warming.get(cluster))?.source?.discovery;
    if (discovery instanceof OriginalHosts) discovery.add(address);
  }

  /** Discovery has not known it for some time, and now it fails its checks, too. */
  removeHost(cluster: string, key: string): void {
    for (const entry of [this.active.get(cluster), this.warming.get(cluster)]) {
      if (entry === undefined) continue;
      const keys = hostKeys(entry.hosts);
      if (!keys.includes(key)) continue;
      this.tellHosts(
        entry,
        entry.hosts.filter((_, i) => keys[i] !== key),
      );
    }
  }

  private found(source: HostSource): void {
    for (const entry of source.users) {
      entry.assignment = source.assignment;
      this.tellHosts(entry, this.environment.health.keepPassing(entry.data, entry.hosts, source.hosts));
    }
  }

  private tellHosts(entry: Entry, list: readonly HostData[]): void {
    this.place(entry, list, entry.hosts);
    const { name } = entry.data;
    const { current } = entry;
    const change = { name, ...hostsOf(current) };
    if (this.newest(name) === entry) this.environment.onHosts?.(change, this.active.has(name));
    if (this.active.get(name) !== entry) return;
    if (this.merged.isDue(name, entry.published, current, entry.data.lb.updateMergeMs)) this.publishHosts(name, false);
  }

  private publishHosts(name: string, isMerged: boolean): void {
    const entry = this.active.get(name)!;
    const { current } = entry;
    entry.published = current;
    this.environment.onPublished({ name, ...hostsOf(current) }, isMerged);
  }

  private place(entry: Entry, list: readonly HostData[], before: readonly HostData[]): void {
    const hosts = this.placed(entry, list);
    entry.hosts = hosts;
    if (isDeepStrictEqual(before, hosts)) return;
    entry.membershipChange.add(prioritiesChanged(before, hosts));
    entry.matches.add(isAskedFor(entry.data) ? newOnes(hosts, before) : hosts);
  }

  /** With their places in shared memory. */
  private placed(entry: Entry, list: readonly HostData[]): readonly HostData[] {
    const { data } = entry;
    const isActive = this.active.get(data.name) === entry;
    const hosts = this.environment.health.place(data, list, isActive ? 'active' : 'warming');
    return isActive ? this.connectionSlots.place(data, hosts) : hosts;
  }

  private scopeOf({ statName }: ClusterData): StatsScope {
    return this.environment.stats.scope('cluster').scope(statName);
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

/** What versions of a cluster that have this in common share. */
function isSameDiscovery(before: ClusterData, after: ClusterData): boolean {
  if (!isDeepStrictEqual(before.discovery, after.discovery)) return false;
  // Which transport a host has that is told by a control plane is the cluster's to say.
  return (
    after.discovery.kind !== 'eds' ||
    (isDeepStrictEqual(before.transports, after.transports) &&
      isDeepStrictEqual(before.transportMatcher, after.transportMatcher))
  );
}

/** Of these Envoy knows the heaviest host. */
function isResolved(discovery: DiscoveryData): boolean {
  return 'dns' in discovery || discovery.kind === 'eds';
}

/** In so many priorities hosts have come or gone, as Envoy counts. */
function prioritiesChanged(before: readonly HostData[], after: readonly HostData[]): number {
  const isPlaceOf = (a: HostData, b: HostData): boolean =>
    a === b || (a.priority === b.priority && a.key === b.key && isDeepStrictEqual(a.address, b.address));
  // Mostly only weights or health are others.
  if (before.length === after.length && before.every((host, i) => isPlaceOf(host, after[i]))) return 0;
  const placesOf = (hosts: readonly HostData[]): Map<string, number> =>
    new Map(hostKeys(hosts).map((key, i) => [`${hosts[i].priority} ${key}`, hosts[i].priority]));
  const [were, are] = [placesOf(before), placesOf(after)];
  const changed = new Set<number>();
  for (const [place, priority] of were) if (!are.has(place)) changed.add(priority);
  for (const [place, priority] of are) if (!were.has(place)) changed.add(priority);
  return changed.size;
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
