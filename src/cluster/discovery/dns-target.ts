import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { DnsAnswer, DnsResolver } from '../../net/dns-resolver.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { DnsData, DnsTargetData, HostData } from '../cluster-data.ts';
import type { RandomSource } from '../lb/random-source.ts';

/** What resolving needs of the main thread. */
export interface DiscoveryEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** `update_*` below `cluster.<statName>.`. */
export interface UpdateStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  /** The answer changed nothing. */
  readonly noRebuild: Counter;
}

export function updateStats(scope: StatsScope): UpdateStats {
  return {
    attempt: scope.counter('update_attempt'),
    success: scope.counter('update_success'),
    failure: scope.counter('update_failure'),
    noRebuild: scope.counter('update_no_rebuild'),
  };
}

/** The least time between two questions: a TTL of 0 must not become a loop. */
const refreshMinMs = 1;

/**
 * One name of a cluster, asked for again and again: every refresh interval, when its TTL is over, or after a failure
 * with a growing, jittered delay.
 */
export class DnsTarget implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly data: DnsTargetData;
  private readonly dns: DnsData;
  private readonly resolver: DnsResolver;
  private readonly environment: DiscoveryEnvironment;
  private readonly stats: UpdateStats;
  private readonly onAnswer: (target: DnsTarget, answer: DnsAnswer) => boolean;
  private failures: number;
  private isStopped: boolean;

  /** `onAnswer` says whether the answer is a success, and has counted. */
  constructor(
    data: DnsTargetData,
    dns: DnsData,
    resolver: DnsResolver,
    environment: DiscoveryEnvironment,
    stats: UpdateStats,
    onAnswer: (target: DnsTarget, answer: DnsAnswer) => boolean,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.data = data;
    this.dns = dns;
    this.resolver = resolver;
    this.environment = environment;
    this.stats = stats;
    this.onAnswer = onAnswer;
    this.failures = 0;
    this.isStopped = false;
  }

  start(): void {
    void this.ask();
  }

  stop(): void {
    this.isStopped = true;
    this.environment.timers.cancel(this);
  }

  tick(): void {
    void this.ask();
  }

  /** What an address becomes. */
  hostAt(address: string): HostData {
    return { ...this.data.host, address: { kind: 'ip', host: address, port: this.data.port } };
  }

  private async ask(): Promise<void> {
    this.stats.attempt.inc();
    const answer = await this.resolver.resolve(this.data.name, this.dns.family, () => !this.isStopped);
    if (this.isStopped) return;
    const isSuccess = this.onAnswer(this, answer);
    if (isSuccess) {
      this.stats.success.inc();
      this.failures = 0;
    } else {
      this.stats.failure.inc();
    }
    const delay = isSuccess && answer.kind === 'answered' ? this.refreshAfter(answer) : this.retryDelay();
    const jitter = Math.floor(this.environment.random() * this.dns.jitterMs);
    this.environment.timers.schedule(this, this.environment.clock.now + Math.max(refreshMinMs, delay) + jitter);
  }

  private refreshAfter(answer: DnsAnswer & { kind: 'answered' }): number {
    const { dns } = this;
    if (!dns.respectTtl || answer.addresses.length === 0) return dns.refreshMs;
    const ttl = Math.min(...answer.addresses.map(({ ttlSeconds }) => ttlSeconds)) * 1000;
    return ttl === 0 ? dns.refreshMs : Math.max(ttl, dns.ttlRefreshMinMs);
  }

  /** Source: Envoy `JitteredExponentialBackOffStrategy`: anything below a bound that doubles. */
  private retryDelay(): number {
    const backOff = this.dns.failureRefresh;
    if (backOff === null) return this.dns.refreshMs;
    const bound = Math.min(backOff.maxMs, backOff.baseMs * 2 ** this.failures);
    if (bound < backOff.maxMs) this.failures++;
    return Math.floor(this.environment.random() * bound);
  }
}
