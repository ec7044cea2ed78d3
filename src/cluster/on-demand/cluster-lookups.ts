import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { OnDemandClustersData, OnDemandSourceData } from './on-demand-data.ts';

/** Names that one worker waits for at a time: who may choose a cluster by a header may ask for any. */
const pendingMax = 1024;
const nameLengthMax = 1024;

/** Who waits for a cluster. */
export interface ClusterWaiter {
  /** Once, later than it was asked for: it is there, or it need not be waited for; or it was, for long enough. */
  onCluster(isThere: boolean, isLate: boolean): void;
}

/** A question to the main thread, which answers by setting the cluster, or by saying that there is none. */
export interface ClusterQuestion {
  readonly source: OnDemandSourceData;
  readonly name: string;
}

/** A cluster that is waited for, at the longest as long as the first who did. */
class Pending implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly name: string;
  readonly waiters: Set<ClusterWaiter>;
  private readonly lookups: ClusterLookups;

  constructor(name: string, lookups: ClusterLookups) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.name = name;
    this.waiters = new Set();
    this.lookups = lookups;
  }

  tick(): void {
    this.lookups.late(this.name);
  }
}

/** Clusters that requests and connections of this worker wait for. Source: Envoy `ClusterDiscoveryManager`. */
export class ClusterLookups {
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly ask: (question: ClusterQuestion) => void;
  private readonly pending: Map<string, Pending>;

  constructor(clock: Clock, timers: Timers, ask: (question: ClusterQuestion) => void) {
    this.clock = clock;
    this.timers = timers;
    this.ask = ask;
    this.pending = new Map();
  }

  /** Of a name that there is no cluster of. `refused`: nobody is told, for it will not be asked for. */
  want({ source, timeoutMs }: OnDemandClustersData, name: string, waiter: ClusterWaiter): 'waiting' | 'refused' {
    const known = this.pending.get(name);
    if (known !== undefined) {
      known.waiters.add(waiter);
      return 'waiting';
    }
    if (timeoutMs === 0 || name.length > nameLengthMax || this.pending.size >= pendingMax) return 'refused';
    const pending = new Pending(name, this);
    pending.waiters.add(waiter);
    this.pending.set(name, pending);
    this.timers.schedule(pending, this.clock.now + timeoutMs);
    this.ask({ source, name });
    return 'waiting';
  }

  /** It is no longer interested; the cluster is asked for all the same, and comes for others. */
  cancel(name: string, waiter: ClusterWaiter): void {
    this.pending.get(name)?.waiters.delete(waiter);
  }

  /** Clusters have come into force, wherever from. */
  found(clusters: readonly { readonly name: string }[]): void {
    if (this.pending.size === 0) return;
    for (const { name } of clusters) this.end(name, true);
  }

  /** There is none. */
  missing(name: string): void {
    this.end(name, false);
  }

  /** It takes too long. */
  late(name: string): void {
    this.end(name, false, true);
  }

  private end(name: string, isThere: boolean, isLate = false): void {
    const pending = this.pending.get(name);
    if (pending === undefined) return;
    this.pending.delete(name);
    this.timers.cancel(pending);
    for (const waiter of pending.waiters) waiter.onCluster(isThere, isLate);
  }
}
