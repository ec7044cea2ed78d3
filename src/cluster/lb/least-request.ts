import type { UpstreamHost } from '../host/host.ts';
import { EdfScheduler } from './edf.ts';
import type { HostPicker } from './host-picker.ts';
import { randomIndex, type RandomSource } from './random-source.ts';
import type { SlowStart } from './slow-start.ts';

/** Equal weights: the least loaded of a few hosts drawn with replacement; a tie keeps the earlier draw. */
export class LeastRequest implements HostPicker {
  readonly position: number;
  private readonly hosts: readonly UpstreamHost[];
  private readonly choiceCount: number;
  private readonly random: RandomSource;

  constructor(hosts: readonly UpstreamHost[], choiceCount: number, random: RandomSource) {
    this.position = 0;
    this.hosts = hosts;
    this.choiceCount = choiceCount;
    this.random = random;
  }

  pick(): UpstreamHost | null {
    const { hosts, random } = this;
    const count = hosts.length;
    if (count <= 1) return count === 0 ? null : hosts[0];
    let best = hosts[randomIndex(random, count)];
    for (let i = this.choiceCount - 1; i > 0; i--) {
      const host = hosts[randomIndex(random, count)];
      if (host.activeRequests < best.activeRequests) best = host;
    }
    return best;
  }
}

/** Equal weights, `selection_method: FULL_SCAN`: the least loaded of all; one of those that tie, at random. */
export class FullScanLeastRequest implements HostPicker {
  readonly position: number;
  private readonly hosts: readonly UpstreamHost[];
  private readonly random: RandomSource;

  constructor(hosts: readonly UpstreamHost[], random: RandomSource) {
    this.position = 0;
    this.hosts = hosts;
    this.random = random;
  }

  pick(): UpstreamHost | null {
    const hosts = this.hosts;
    if (hosts.length === 0) return null;
    let best = hosts[0];
    let tied = 1;
    for (let i = 1; i < hosts.length; i++) {
      const host = hosts[i];
      if (host.activeRequests < best.activeRequests) {
        best = host;
        tied = 1;
      } else if (host.activeRequests === best.activeRequests && randomIndex(this.random, ++tied) === 0) {
        best = host;
      }
    }
    return best;
  }
}

/** Unequal weights: earliest deadline first, under weight / (active + 1)^bias of the moment. */
export class WeightedLeastRequest implements HostPicker {
  readonly position: number;
  private readonly hosts: readonly UpstreamHost[];
  private readonly bias: number;
  /** Null: all hosts have what their weight says. */
  private readonly slowStart: SlowStart | null;
  private readonly scheduler: EdfScheduler;

  constructor(hosts: readonly UpstreamHost[], bias: number, position: number, slowStart: SlowStart | null = null) {
    this.position = position;
    this.hosts = hosts;
    this.bias = bias;
    this.slowStart = slowStart;
    this.scheduler = new EdfScheduler(hosts.map((host) => this.weigh(host)));
    for (let i = position % hosts.length; i > 0; i--) this.pick();
  }

  pick(): UpstreamHost {
    const host = this.hosts[this.scheduler.next()];
    this.scheduler.refile(this.weigh(host));
    return host;
  }

  private weigh(host: UpstreamHost): number {
    const load = host.activeRequests + 1;
    const weight = this.slowStart === null ? host.weight : host.weight * this.slowStart.factor(host);
    if (this.bias === 1) return weight / load;
    return this.bias === 0 ? weight : weight / load ** this.bias;
  }
}
