import type { Clock } from '../../../core/clock.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import { isFlagOn, type RuntimeFlagData, type RuntimeView } from '../../../core/runtime-view.ts';
import type { Counter } from '../../../observe/stats/stats.ts';
import { TokenBucket } from '../../../observe/limit/token-bucket.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';
import type { ConnectionRateData } from './local-ratelimit-data.ts';

/** `envoy.filters.network.local_ratelimit`: a token for each connection, and none for those that find none. */
class ConnectionRate implements NetworkFilter, NetworkFilterFactory {
  private readonly bucket: TokenBucket;
  private readonly enabled: RuntimeFlagData;
  private readonly runtime: RuntimeView;
  private readonly clock: Clock;
  private readonly rateLimited: Counter;

  constructor(data: ConnectionRateData, { stats, runtime, clock }: NetworkFilterTools) {
    this.bucket = new TokenBucket(data.bucket, new BigInt64Array(data.memory), 0);
    this.enabled = data.enabled;
    this.runtime = runtime;
    this.clock = clock;
    this.rateLimited = stats.scope('local_rate_limit').scope(data.statPrefix).counter('rate_limited');
  }

  create(): NetworkFilter {
    return this;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    if (!isFlagOn(this.runtime, this.enabled) || this.bucket.take(this.clock.now)) return NetworkVerdict.Continue;
    this.rateLimited.inc();
    stream.notes.flags |= ResponseFlag.UpstreamRetryLimitExceeded;
    stream.close('local_ratelimit_close_over_limit');
    return NetworkVerdict.Stop;
  }
}

export const networkLocalRateLimitBuilder: NetworkFilterBuilder = {
  kind: 'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit',
  build: (data, tools) => new ConnectionRate(data as ConnectionRateData, tools),
};
