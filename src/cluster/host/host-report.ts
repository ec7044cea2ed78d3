import { HostStat, hostStatCount, hostStatNames, type HostBlockMessage } from './host-counters.ts';

/** What all workers have counted of one host, index HostStat. */
export type HostTotals = readonly number[];

const useStats = [HostStat.CxTotal, HostStat.RqTotal] as const;

/** What all workers have done with a host, and do. */
export interface HostUse {
  /** Connections and requests. */
  begun: number;
  /** Connections. */
  open: number;
}

interface OpenBlock {
  readonly key: string;
  readonly values: Float64Array;
}

/**
 * The main thread's view of the workers' host counters: fed with their messages, read when `/clusters` is asked for.
 */
export class HostReports {
  /** Worker → block id → where it is. */
  private readonly workers: Map<string, Map<number, OpenBlock>>;
  private readonly used: Set<string>;

  constructor() {
    this.workers = new Map();
    this.used = new Set();
  }

  /** `worker` names the sender. */
  receive(worker: string, message: HostBlockMessage): void {
    let blocks = this.workers.get(worker);
    if (blocks === undefined) {
      blocks = new Map();
      this.workers.set(worker, blocks);
    }
    if (message.kind === 'closed') {
      blocks.delete(message.block);
      return;
    }
    this.used.add(message.cluster);
    const values = new Float64Array(message.slab, message.offset * Float64Array.BYTES_PER_ELEMENT, hostStatCount);
    blocks.set(message.block, { key: keyOf(message.cluster, message.host), values });
  }

  /** The worker has ended, and with it what it counted. */
  forget(worker: string): void {
    this.workers.delete(worker);
  }

  /** Somebody has used a host of the cluster since the start. */
  hasBeenUsed(cluster: string): boolean {
    return this.used.has(cluster);
  }

  /** Connections and requests that all workers have begun or have open; not for a list of hosts. */
  usesOf(cluster: string, host: string): number {
    const wanted = keyOf(cluster, host);
    let uses = 0;
    for (const blocks of this.workers.values()) {
      for (const { key, values } of blocks.values()) {
        if (key === wanted) for (const stat of useStats) uses += values[stat];
      }
    }
    return uses;
  }

  /** By `hostKeys`. */
  usesIn(cluster: string): ReadonlyMap<string, HostUse> {
    const uses = new Map<string, HostUse>();
    const prefix = keyOf(cluster, '');
    for (const blocks of this.workers.values()) {
      for (const { key, values } of blocks.values()) {
        if (!key.startsWith(prefix)) continue;
        const host = key.slice(prefix.length);
        let use = uses.get(host);
        if (use === undefined) uses.set(host, (use = { begun: 0, open: 0 }));
        for (const stat of useStats) use.begun += values[stat];
        use.open += values[HostStat.CxActive];
      }
    }
    return uses;
  }

  /** Sums per host. `totalsOf` looks one up, by cluster name and `hostKeys`. */
  collect(): HostTotalsByKey {
    const sums = new Map<string, number[]>();
    for (const blocks of this.workers.values()) {
      for (const { key, values } of blocks.values()) {
        let sum = sums.get(key);
        if (sum === undefined) {
          sum = hostStatNames.map(() => 0);
          sums.set(key, sum);
        }
        for (let i = 0; i < hostStatCount; i++) sum[i] = sum[i] + values[i];
      }
    }
    return new HostTotalsByKey(sums);
  }
}

const noTotals: HostTotals = hostStatNames.map(() => 0);

export class HostTotalsByKey {
  private readonly sums: ReadonlyMap<string, HostTotals>;

  constructor(sums: ReadonlyMap<string, HostTotals>) {
    this.sums = sums;
  }

  /** Zeros for a host that no worker has used. */
  totalsOf(cluster: string, host: string): HostTotals {
    return this.sums.get(keyOf(cluster, host)) ?? noTotals;
  }
}

function keyOf(cluster: string, host: string): string {
  return `${cluster}\0${host}`;
}
