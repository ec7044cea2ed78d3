import { isDeepStrictEqual } from 'node:util';
import type { ClusterData, HostData } from './cluster-data.ts';
import { ClusterRuntime, type ClusterEnvironment } from './cluster-runtime.ts';
import type { Cluster, Clusters } from './cluster.ts';

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
export class WorkerClusters implements Clusters {
  private readonly environment: ClusterEnvironment;
  private readonly entries: Map<string, Entry>;

  constructor(environment: ClusterEnvironment) {
    this.environment = environment;
    this.entries = new Map();
  }

  get(name: string): Cluster | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    return entry.runtime ?? this.inflate(entry);
  }

  /**
   * A new configuration: all clusters. Unchanged ones keep their hosts and pools, also where only hosts came and went;
   * the others are made anew, and what they had drains. Streams that hold a cluster from before keep it.
   */
  replace(list: readonly ClusterData[]): void {
    const names = new Set(list.map(({ name }) => name));
    for (const data of list) {
      const entry = this.entries.get(data.name);
      if (entry !== undefined && isEqualButForHosts(entry.data, data)) this.updateEntry(entry, data.hosts);
      else {
        this.entries.set(data.name, new Entry(data));
        entry?.runtime?.drain();
      }
    }
    for (const [name, entry] of this.entries) {
      if (names.has(name)) continue;
      this.entries.delete(name);
      entry.runtime?.drain();
    }
  }

  /** Discovery knows others than before. */
  updateHosts(name: string, hosts: readonly HostData[]): void {
    const entry = this.entries.get(name);
    if (entry !== undefined) this.updateEntry(entry, hosts);
  }

  /** The process is ending: idle upstream connections close, the others when they have served. */
  drain(): void {
    for (const entry of this.entries.values()) entry.runtime?.drainPools();
  }

  private updateEntry(entry: Entry, hosts: readonly HostData[]): void {
    if (isDeepStrictEqual(entry.data.hosts, hosts)) return;
    entry.data = { ...entry.data, hosts };
    entry.runtime?.updateHosts(hosts);
  }

  private inflate(entry: Entry): ClusterRuntime {
    entry.runtime = new ClusterRuntime(entry.data, this.environment);
    return entry.runtime;
  }
}

/** The configured hosts of a static cluster travel as hosts too, so that a changed list is no other cluster. */
function isEqualButForHosts(before: ClusterData, after: ClusterData): boolean {
  return isDeepStrictEqual({ ...before, hosts: null }, { ...after, hosts: null });
}
