import { OwnCount, type SharedNumber, type SharedNumberDirectory } from '../../observe/limit/shared-limit.ts';
import type { ClusterData, HostData } from '../cluster-data.ts';
import { hostKeys } from './host-key.ts';

/** Connections to one host over all workers, and how many each routing priority lets there be: `per_host_thresholds`. */
export class HostConnections {
  private readonly maxima: readonly [normal: number, high: number];
  private number: SharedNumber | OwnCount;

  /** `number`: the host's; null: the main thread does not know the host yet, and this worker counts alone. */
  constructor(maxima: readonly [normal: number, high: number], number: SharedNumber | null) {
    this.maxima = maxima;
    this.number = number ?? new OwnCount();
  }

  /** Those of both priorities count. */
  mayConnect(priority: 0 | 1): boolean {
    return this.number.load() < this.maxima[priority];
  }

  inc(): void {
    this.number.inc();
  }

  dec(): void {
    this.number.dec();
  }

  /** The main thread has heard of the host: what was counted alone counts for all. */
  share(number: SharedNumber): void {
    if (!(this.number instanceof OwnCount)) return;
    for (let own = this.number.load(); own > 0; own--) number.inc();
    this.number = number;
  }
}

/** The main thread's bookkeeping: the number on which workers count the connections to a host. */
export class HostConnectionSlots {
  private readonly numbers: SharedNumberDirectory;
  /** Cluster → keys of its hosts. */
  private readonly clusters: Map<string, ReadonlySet<string>>;

  constructor(numbers: SharedNumberDirectory) {
    this.numbers = numbers;
    this.clusters = new Map();
  }

  /** The cluster's hosts are these now. Where it limits connections to a host each gets its number. */
  place(cluster: ClusterData, hosts: readonly HostData[]): readonly HostData[] {
    const { name } = cluster;
    if (cluster.hostConnectionsMax === undefined) {
      if (!this.clusters.has(name)) return hosts;
      this.release(name);
      return hosts.map((host) => (host.connectionsSlot === undefined ? host : unlimited(host)));
    }
    const keys = hostKeys(hosts);
    const before = this.clusters.get(name) ?? [];
    const after = new Set(keys);
    this.clusters.set(name, after);
    for (const key of before) if (!after.has(key)) this.numbers.release(numberKey(name, key));
    return hosts.map((host, i) => ({ ...host, connectionsSlot: this.numbers.allot(numberKey(name, keys[i])) }));
  }

  /** The cluster has gone, or limits nothing any more. */
  release(cluster: string): void {
    for (const key of this.clusters.get(cluster) ?? []) this.numbers.release(numberKey(cluster, key));
    this.clusters.delete(cluster);
  }
}

function numberKey(cluster: string, host: string): string {
  return `cluster/${cluster}/host/${host}/cx`;
}

function unlimited({ connectionsSlot: _slot, ...host }: HostData): HostData {
  return host;
}
