import type { GrpcServiceData } from '../../../identity/config-source-data.ts';

export const networkRateLimitKind = 'envoy.extensions.filters.network.ratelimit.v3.RateLimit';

/** `envoy.extensions.filters.network.ratelimit.v3.RateLimit` as plain data. */
export interface NetworkRateLimitData {
  readonly statPrefix: string;
  readonly domain: string;
  /** Each is a list of entries, whose values are formats. */
  readonly descriptors: readonly (readonly { readonly key: string; readonly format: string }[])[];
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly failureModeDeny: boolean;
  readonly service: GrpcServiceData;
}
