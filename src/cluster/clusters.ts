import type { Gauge } from '../observe/stats/stats.ts';
import type { ClusterChanges } from './cluster-changes.ts';
import type { ClusterData, HostData } from './cluster-data.ts';
import type { Members } from './aggregate/aggregate-balancer.ts';
import { AggregateRuntime } from './aggregate/aggregate-runtime.ts';
import { ClusterRuntime, type ClusterEnvironment } from './cluster-runtime.ts';
import type { Clusters } from './cluster.ts';
import { DnsLookups, type LookupQuestion } from './dynamic/dns-lookups.ts';
import { hostKeys } from './host/host-key.ts';
import { StatNamesInUse } from './stats/stat-names-in-use.ts';
import { HostSet } from './host/host-set.ts';
import { ClusterLookups, type ClusterQuestion } from './on-demand/cluster-lookups.ts';

export type { ClusterChanges };

/** A cluster that may not have been used yet. */
class Entry {
  data: ClusterData;
  runtime: ClusterRuntime | null;

  constructor(data: ClusterData) {
    this.data = data;
    this.runtime = null;
  }
}

/** All clusters of one worker. What a cluster needs at run time is built when it is first asked for. */
export class WorkerClusters implements Clusters, Members {
  private readonly environment: ClusterEnvironment;
  /** Empty: there is no local cluster. */
  private readonly localName: string;
  private readonly entries: Map<string, Entry>;
  /** Of `Members`. */
  version: number;
  private readonly inflated: Gauge;
  private readonly statNames: StatNamesInUse;
  /** What is known of names that requests and connections ask for. */
  readonly lookups: DnsLookups;
  readonly onDemand: ClusterLookups;

  /** `ask`, `askCluster`: of the main thread. */
  constructor(
    environment: ClusterEnvironment,
    workerName = 'worker_0',
    ask: (question: LookupQuestion) => void = () => {},
    askCluster: (question: ClusterQuestion) => void = () => {},
  ) {
    this.localName = environment.localCluster?.name ?? '';
    this.environment = { ...environment, localHosts: () => this.localHosts(), members: this };
    this.inflated = environment.stats
      .scope('thread_local_cluster_manager')
      .scope(workerName)
      .gauge('clusters_inflated');
    this.inflated.add(0);
    this.entries = new Map();
    this.statNames = new StatNamesInUse(environment.stats.scope('cluster'));
    this.version = 0;
    this.lookups = new DnsLookups(environment.stats, ask);
    const { clock, timers } = environment.network;
    this.onDemand = new ClusterLookups(clock, timers, askCluster);
  }

  get(name: string): ClusterRuntime | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    return entry.runtime ?? this.inflate(entry);
  }

  /**
   * Clusters that are set anew replace those of the same name, whose connections drain; where only hosts came and
   * went the pools of the others go on. Streams that hold a cluster from before keep it.
   */
  apply(changes: ClusterChanges): void {
    this.version++;
    for (const data of changes.set) {
      const before = this.entries.get(data.name);
      if (before !== undefined) this.nameHosts(before.data, null);
      const entry = new Entry(data);
      this.entries.set(data.name, entry);
      this.statNames.enter(data.statName);
      if (before !== undefined) this.statNames.leave(before.data.statName);
      this.nameHosts(data, data.hosts);
      this.letGo(before);
      // Its tables are large: they are built before anybody asks for them.
      if (data.lb.policy.kind === 'ring-hash' || data.lb.policy.kind === 'maglev') this.inflate(entry);
    }
    for (const name of changes.removed) {
      const before = this.entries.get(name);
      this.entries.delete(name);
      if (before === undefined) continue;
      this.nameHosts(before.data, null);
      this.letGo(before);
      this.statNames.leave(before.data.statName);
    }
    for (const { name, hosts, assignment } of changes.hosts) {
      const entry = this.entries.get(name);
      if (entry === undefined) continue;
      entry.data = assignment === undefined ? { ...entry.data, hosts } : { ...entry.data, hosts, assignment };
      this.nameHosts(entry.data, hosts);
      entry.runtime?.updateHosts(hosts, assignment);
    }
    const isLocal = ({ name }: { readonly name: string }): boolean => name === this.localName;
    if (this.localName !== '' && (changes.set.some(isLocal) || changes.hosts.some(isLocal))) this.tellLocalHosts();
    this.onDemand.found(changes.set);
  }

  /** The main thread has found hosts of this cluster to be other than before. */
  onHealthChanged(name: string): void {
    this.version++;
    this.entries.get(name)?.runtime?.onHealthChanged();
    if (name === this.localName) this.tellLocalHosts();
  }

  onRuntimeChanged(): void {
    for (const entry of this.entries.values()) entry.runtime?.onRuntimeChanged();
  }

  /** The process is ending: idle upstream connections close, the others when they have served. */
  drain(): void {
    for (const entry of this.entries.values()) entry.runtime?.drainPools();
  }

  /** Null: the cluster has gone. */
  private nameHosts({ name, discovery }: ClusterData, hosts: readonly HostData[] | null): void {
    if (discovery.kind === 'dynamic')
      this.lookups.update(discovery.cache.name, name, hosts === null ? null : hostKeys(hosts));
  }

  private localHosts(): HostSet {
    const entry = this.entries.get(this.localName);
    return entry === undefined ? new HostSet([]) : (entry.runtime ?? this.inflate(entry)).firstHosts;
  }

  private tellLocalHosts(): void {
    for (const [name, { runtime }] of this.entries) if (name !== this.localName) runtime?.onLocalHostsChanged();
  }

  private letGo(entry: Entry | undefined): void {
    if (entry === undefined || entry.runtime === null) return;
    this.inflated.dec();
    entry.runtime.drain();
  }

  private inflate(entry: Entry): ClusterRuntime {
    this.inflated.inc();
    const Runtime = entry.data.discovery.kind === 'aggregate' ? AggregateRuntime : ClusterRuntime;
    entry.runtime = new Runtime(entry.data, this.environment);
    return entry.runtime;
  }
}
