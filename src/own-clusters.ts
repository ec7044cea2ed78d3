import { clusterChanges } from './cluster/cluster-changes.ts';
import type { ClusterData, HostData } from './cluster/cluster-data.ts';
import type { ClusterEnvironment } from './cluster/cluster-runtime.ts';
import type { Cluster } from './cluster/cluster.ts';
import { WorkerClusters } from './cluster/clusters.ts';

/** The clusters as the main thread uses them itself, for calls that belong to the process: to control planes. */
export class OwnClusters {
  private readonly clusters: WorkerClusters;
  private known: Map<string, ClusterData>;

  constructor(environment: ClusterEnvironment) {
    this.clusters = new WorkerClusters(environment, 'main_thread');
    this.known = new Map();
  }

  get(name: string): Cluster | undefined {
    return this.clusters.get(name);
  }

  /** All that are configured now, warm or not: to get warm, one may need another. */
  replace(list: readonly ClusterData[]): void {
    const now = new Map(list.map((data) => [data.name, data]));
    this.clusters.apply(clusterChanges(this.known, now));
    this.known = now;
  }

  updateHosts(name: string, hosts: readonly HostData[]): void {
    const known = this.known.get(name);
    if (known === undefined) return;
    this.known.set(name, { ...known, hosts });
    this.clusters.apply({ set: [], removed: [], hosts: [{ name, hosts }] });
  }

  onHealthChanged(name: string): void {
    this.clusters.onHealthChanged(name);
  }

  onRuntimeChanged(): void {
    this.clusters.onRuntimeChanged();
  }

  close(): void {
    this.clusters.drain();
  }
}
