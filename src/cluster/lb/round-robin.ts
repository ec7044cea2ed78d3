import type { UpstreamHost } from '../host.ts';
import { EdfScheduler } from './edf.ts';
import type { HostPicker } from './host-picker.ts';

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
  private readonly scheduler: EdfScheduler;

  constructor(hosts: readonly UpstreamHost[], position: number) {
    this.position = position;
    this.hosts = hosts;
    this.scheduler = new EdfScheduler(hosts.map((host) => host.weight));
    // Every worker begins elsewhere, or all of them would send their first requests to the heaviest host.
    for (let i = position % hosts.length; i > 0; i--) this.pick();
  }

  pick(): UpstreamHost {
    const host = this.hosts[this.scheduler.next()];
    this.scheduler.refile(host.weight);
    return host;
  }
}
