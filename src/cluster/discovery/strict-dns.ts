import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import type { DnsAnswer, DnsResolver } from '../../net/dns-resolver.ts';
import type { DnsData, DnsTargetData, HostData } from '../cluster-data.ts';
import type { Discovery, DiscoveryListener } from './discovery.ts';
import { DnsTarget, type DiscoveryEnvironment, type UpdateStats } from './dns-target.ts';

/** Every address of every name is a host. A name that is answered with none has none; a failure changes nothing. */
export class StrictDns implements Discovery {
  private readonly targets: readonly DnsTarget[];
  private readonly addresses: Map<DnsTarget, readonly string[]>;
  private readonly listener: DiscoveryListener;
  private readonly stats: UpdateStats;

  constructor(
    dns: DnsData,
    targets: readonly DnsTargetData[],
    resolver: DnsResolver,
    environment: DiscoveryEnvironment,
    stats: UpdateStats,
    listener: DiscoveryListener,
  ) {
    this.listener = listener;
    this.stats = stats;
    this.addresses = new Map();
    const onAnswer = (target: DnsTarget, answer: DnsAnswer): boolean => this.onAnswer(target, answer);
    this.targets = targets.map((data) => new DnsTarget(data, dns, resolver, environment, stats, onAnswer));
  }

  start(): void {
    for (const target of this.targets) target.start();
    if (this.targets.length === 0) this.listener.onWarm();
  }

  stop(): void {
    for (const target of this.targets) target.stop();
  }

  private onAnswer(target: DnsTarget, answer: DnsAnswer): boolean {
    if (answer.kind === 'failed') {
      this.listener.onWarm();
      return false;
    }
    // One address twice in an answer is one host, and their order says nothing.
    const addresses = [...new Set(answer.addresses.map(({ address }) => address))].sort();
    if (isDeepStrictEqual(addresses, this.addresses.get(target) ?? [])) {
      this.stats.noRebuild.inc();
    } else {
      this.addresses.set(target, addresses);
      this.listener.onHosts(this.hosts());
    }
    this.listener.onWarm();
    return true;
  }

  private hosts(): HostData[] {
    return this.targets.flatMap((target) =>
      (this.addresses.get(target) ?? []).map((address) => target.hostAt(address)),
    );
  }
}
