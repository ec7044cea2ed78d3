import { isFlagOn, type RuntimeView } from '../../core/runtime-view.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../observe/stats/stats.ts';
import { TokenBucket } from '../../observe/limit/token-bucket.ts';
import type { FilterContext } from '../filter.ts';
import type { BandwidthLimitData } from './bandwidth-limit-data.ts';

/** `<stat_prefix>.http_bandwidth_limit.request_*`, or `response_*`. */
export class BandwidthStats {
  readonly enabled: Counter;
  readonly enforced: Counter;
  readonly pending: Gauge;
  readonly incomingSize: Gauge;
  readonly incomingTotal: Counter;
  readonly allowedSize: Gauge;
  readonly allowedTotal: Counter;
  readonly duration: Histogram;

  constructor(scope: StatsScope, side: 'request' | 'response') {
    this.enabled = scope.counter(`${side}_enabled`);
    this.enforced = scope.counter(`${side}_enforced`);
    this.pending = scope.gauge(`${side}_pending`);
    this.incomingSize = scope.gauge(`${side}_incoming_size`, 'max');
    this.incomingTotal = scope.counter(`${side}_incoming_total_size`);
    this.allowedSize = scope.gauge(`${side}_allowed_size`, 'max');
    this.allowedTotal = scope.counter(`${side}_allowed_total_size`);
    this.duration = scope.histogram(`${side}_transfer_duration`);
  }
}

/** One BandwidthLimit, of the filter or of a route: what all bodies under it share. */
export class Bandwidth {
  readonly data: BandwidthLimitData;
  readonly request: BandwidthStats;
  readonly response: BandwidthStats;
  private readonly bucket: TokenBucket;
  private readonly runtime: RuntimeView;

  constructor(data: BandwidthLimitData, context: FilterContext) {
    this.data = data;
    const scope = (context.rootStats ?? context.stats).scope(data.statPrefix).scope('http_bandwidth_limit');
    this.request = new BandwidthStats(scope, 'request');
    this.response = new BandwidthStats(scope, 'response');
    const { bytesPerSecond } = data;
    const limit = { maxTokens: bytesPerSecond, tokensPerFill: bytesPerSecond, fillMs: 1000 };
    this.bucket = new TokenBucket(limit, new BigInt64Array(data.memory), 0);
    this.runtime = context.runtime;
  }

  get isOn(): boolean {
    return isFlagOn(this.runtime, this.data.enabled);
  }

  /** Takes up to so many bytes of what may pass now. */
  take(now: number, bytes: number): number {
    for (;;) {
      const granted = Math.min(bytes, this.bucket.remaining(now));
      if (granted === 0 || this.bucket.take(now, granted)) return granted;
    }
  }
}
