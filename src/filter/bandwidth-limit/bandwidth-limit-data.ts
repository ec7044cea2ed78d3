import type { RuntimeFlagData } from '../../core/runtime-view.ts';

/** `envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit` as plain data, of the filter and of routes alike. */
export interface BandwidthLimitData {
  readonly statPrefix: string;
  readonly limitsRequests: boolean;
  readonly limitsResponses: boolean;
  readonly bytesPerSecond: number;
  readonly fillMs: number;
  readonly enabled: RuntimeFlagData;
  /** What trailers of responses that say how long it took begin with; null: there are none. */
  readonly trailerPrefix: string | null;
  /** One cell: the bucket of all bodies, of all workers. */
  readonly memory: SharedArrayBuffer;
}
