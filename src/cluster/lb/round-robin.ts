import type { UpstreamHost } from '../host/host.ts';
import { EdfScheduler } from './edf.ts';
import type { HostPicker } from './host-picker.ts';
import type { SlowStart } from './slow-start.ts';

/** Equal weights: one after the other. */
export class RoundRobin implements HostPicker {
  position: number;
  private readonly hosts: readonly UpstreamHost[];

  constructor(hosts: readonly UpstreamHost[], position: number) {
    this.hosts = hosts;
    this.position = position;
  }

  pick(): UpstreamHost | null {
    const hosts = this.hosts;
    if (hosts.length === 0) return null;
    if (this.position >= hosts.length) this.position %= hosts.length;
    return hosts[this.position++];
  }
}

/** Unequal weights: each host as often as its weight says, spread evenly. */
export class WeightedRoundRobin implements HostPicker {
  readonly position: number;
  private readonly hosts: readonly UpstreamHost[];
  /** Null: all hosts have what their weight says. */
  private readonly slowStart: SlowStart | null;
  private readonly scheduler: EdfScheduler;

  constructor(hosts: readonly UpstreamHost[], position: number, slowStart: SlowStart | null = null) {
    this.position = position;
    this.hosts = hosts;
    this.slowStart = slowStart;
    this.scheduler = new EdfScheduler(hosts.map((host) => this.weigh(host)));
    // Every worker begins elsewhere, or all of them would send their first requests to the heaviest host.
    for (let i = position % hosts.length; i > 0; i--) this.pick();
  }

  pick(): UpstreamHost {
    const host = this.hosts[this.scheduler.next()];
    this.scheduler.refile(this.weigh(host));
    return host;
  }

  private weigh(host: UpstreamHost): number {
    return this.slowStart === null ? host.weight : host.weight * this.slowStart.factor(host);
  }
}
