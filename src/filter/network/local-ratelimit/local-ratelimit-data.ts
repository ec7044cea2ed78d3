import type { RuntimeFlagData } from '../../../core/runtime-view.ts';
import type { TokenBucketData } from '../../../observe/limit/token-bucket.ts';

/** `envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit` as plain data. */
export interface ConnectionRateData {
  readonly statPrefix: string;
  readonly bucket: TokenBucketData;
  /** Those of one share_key are one. */
  readonly memory: SharedArrayBuffer;
  readonly enabled: RuntimeFlagData;
}
