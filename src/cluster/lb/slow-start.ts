import type { Clock } from '../../core/clock.ts';
import type { UpstreamHost } from '../host/host.ts';
import type { SlowStartData } from './lb-data.ts';

/** Hosts that have just come get less than their weight says. Source: Envoy `EdfLoadBalancerBase`. */
export class SlowStart {
  private readonly data: SlowStartData;
  private readonly clock: Clock;

  constructor(data: SlowStartData, clock: Clock) {
    this.data = data;
    this.clock = clock;
  }

  /** The window of a host that nobody checks begins when it is first seen healthy. */
  begin(hosts: readonly UpstreamHost[]): void {
    for (const host of hosts)
      if (host.isHealthy && Number.isNaN(host.healthySinceMs)) host.healthySinceMs = this.clock.now;
  }

  /** Somebody's window is open. */
  isUnderWay(hosts: readonly UpstreamHost[]): boolean {
    const from = this.clock.now - this.data.windowMs;
    return hosts.some((host) => host.healthySinceMs >= from);
  }

  /** What its weight is multiplied by now. */
  factor(host: UpstreamHost): number {
    const { windowMs, aggression, shareMin } = this.data;
    const passed = Math.floor(this.clock.now - host.healthySinceMs);
    if (!host.isHealthy || !(passed < windowMs)) return 1;
    const time = Math.max(1, passed) / windowMs;
    return Math.max(aggression === 1 ? time : time ** (1 / aggression), shareMin);
  }
}
