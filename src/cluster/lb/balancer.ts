import type { Clock, Timers } from '../../core/clock.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { LoadBalancer } from '../cluster.ts';
import type { HostSet } from '../host/host-set.ts';
import type { LbData } from './lb-data.ts';
import type { RandomSource } from './random-source.ts';
import type { LocalZone } from './zone/zone-routing.ts';

/** A load balancer of a cluster whose hosts come and go. */
export interface Balancer extends LoadBalancer {
  /** The hosts, their weights or their health have changed, or what the runtime says of `lb`. Index: priority. */
  update(sets: readonly HostSet[], lb?: LbData): void;
  /** Nobody will ask any more. */
  stop?(): void;
}

/** What the balancers of one cluster share. */
export interface BalancerParts {
  readonly random: RandomSource;
  /** `lb_healthy_panic`. */
  readonly panics: Counter;
  /** `cluster.<statName>`. */
  readonly scope: StatsScope;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly load: ClusterLoad;
  /** Null: there is no local cluster, and zones do not count. */
  readonly zone: LocalZone | null;
}

/** Requests or connections open to all hosts of a cluster, from this worker. */
export interface ClusterLoad {
  active: number;
}
