import type { Clock } from '../../../core/clock.ts';
import { isFlagOn, type RuntimeFlagData, type RuntimeView } from '../../../core/runtime-view.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import { TokenBucket, type TokenBucketData } from '../../../observe/limit/token-bucket.ts';
import { Verdict, type ListenerFilter } from '../listener-filter.ts';

/** `envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit` as plain data. */
export interface ListenerRateData {
  readonly statPrefix: string;
  readonly bucket: TokenBucketData;
  readonly memory: SharedArrayBuffer;
  readonly enabled: RuntimeFlagData;
}

/** `envoy.filters.listener.local_ratelimit`: a token for each connection, before anything of it is read. */
export class LocalRateLimit implements ListenerFilter {
  private readonly bucket: TokenBucket;
  private readonly enabled: RuntimeFlagData;
  private readonly runtime: RuntimeView;
  private readonly clock: Clock;
  private readonly rateLimited: Counter;

  constructor(data: ListenerRateData, root: StatsScope, runtime: RuntimeView, clock: Clock) {
    this.bucket = new TokenBucket(data.bucket, new BigInt64Array(data.memory), 0);
    this.enabled = data.enabled;
    this.runtime = runtime;
    this.clock = clock;
    this.rateLimited = root.scope('listener_local_ratelimit').scope(data.statPrefix).counter('rate_limited');
  }

  inspect(): Verdict {
    if (!isFlagOn(this.runtime, this.enabled) || this.bucket.take(this.clock.now)) return Verdict.Continue;
    this.rateLimited.inc();
    return Verdict.Close;
  }
}
