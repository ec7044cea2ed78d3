import { Clock } from '../../../../src/core/clock.ts';
import { HostSet } from '../../../../src/cluster/host/host-set.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { Balancer, ClusterLoad } from '../../../../src/cluster/lb/balancer.ts';
import { buildBalancer } from '../../../../src/cluster/lb/build.ts';
import type { LbData, LbPolicyData } from '../../../../src/cluster/lb/lb-data.ts';
import type { LocalZone } from '../../../../src/cluster/lb/zone/zone-routing.ts';
import { TimerHeap } from '../../../../src/net/timer-heap.ts';
import { clusterData, hostData, makeHost, seededRandom } from '../cluster-fixture.ts';
import { RecordingStats } from '../recording-stats.ts';

export type HostChange = Parameters<typeof hostData>[1];

export function hostsOf(...changes: HostChange[]): UpstreamHost[] {
  return changes.map((change, i) => makeHost(hostData(`10.0.0.${i + 1}`, change)));
}

/** With this `envoy.lb` metadata. */
export function withMetadata(metadata: Record<string, unknown>, change: HostChange = {}): HostChange {
  return { ...change, metadata: { 'envoy.lb': metadata } };
}

/** A balancer with everything around it, in memory. */
export class Bench {
  readonly clock = new Clock();
  readonly timers = new TimerHeap(() => {});
  readonly stats = new RecordingStats();
  readonly load: ClusterLoad = { active: 0 };
  readonly lb: LbData;
  readonly balancer: Balancer;

  constructor(
    hosts: readonly UpstreamHost[],
    policy: LbPolicyData,
    change: Partial<LbData> = {},
    seed = 7,
    zone: LocalZone | null = null,
  ) {
    this.lb = { ...clusterData().lb, ...change, policy };
    this.balancer = buildBalancer(HostSet.byPriority(hosts), this.lb, {
      random: seededRandom(seed),
      panics: this.stats.counter('lb_healthy_panic'),
      scope: this.stats,
      clock: this.clock,
      timers: this.timers,
      load: this.load,
      zone,
    });
  }

  update(hosts: readonly UpstreamHost[]): void {
    this.balancer.update(HostSet.byPriority(hosts));
  }

  /** Lets what was scheduled come to its end; how many turns of the event loop that takes. */
  settle(): number {
    let turns = 0;
    for (; this.timers.size > 0; turns++) {
      this.clock.now = Math.max(this.clock.now, this.timers.nextKey);
      this.timers.run(this.clock.now);
    }
    return turns;
  }
}
