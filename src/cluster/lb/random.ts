import type { UpstreamHost } from '../host/host.ts';
import type { HostPicker } from './host-picker.ts';
import { randomIndex, type RandomSource } from './random-source.ts';

/** Any host; weights do not count, as in Envoy. */
export class Random implements HostPicker {
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
    return hosts.length === 0 ? null : hosts[randomIndex(this.random, hosts.length)];
  }
}
