import type { DnsAnswer, DnsResolver } from '../../net/dns-resolver.ts';
import type { DnsData, DnsTargetData } from '../cluster-data.ts';
import type { Discovery, DiscoveryListener } from './discovery.ts';
import { DnsTarget, type DiscoveryEnvironment, type UpdateStats } from './dns-target.ts';

/** One host: the first address of the current answer. Failures and empty answers leave it as it is. */
export class LogicalDns implements Discovery {
  private readonly target: DnsTarget;
  private readonly listener: DiscoveryListener;
  private readonly stats: UpdateStats;
  /** Empty: none yet. */
  private address: string;

  constructor(
    dns: DnsData,
    data: DnsTargetData,
    resolver: DnsResolver,
    environment: DiscoveryEnvironment,
    stats: UpdateStats,
    listener: DiscoveryListener,
  ) {
    this.listener = listener;
    this.stats = stats;
    this.address = '';
    const onAnswer = (target: DnsTarget, answer: DnsAnswer): boolean => this.onAnswer(target, answer);
    this.target = new DnsTarget(data, dns, resolver, environment, stats, onAnswer);
  }

  start(): void {
    this.target.start();
  }

  stop(): void {
    this.target.stop();
  }

  private onAnswer(target: DnsTarget, answer: DnsAnswer): boolean {
    const first = answer.kind === 'answered' ? answer.addresses[0] : undefined;
    if (first !== undefined && first.address === this.address) {
      this.stats.noRebuild.inc();
    } else if (first !== undefined) {
      this.address = first.address;
      this.listener.onHosts([target.hostAt(first.address)]);
    }
    this.listener.onWarm();
    return first !== undefined;
  }
}
