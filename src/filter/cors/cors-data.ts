import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';

/** `envoy.extensions.filters.http.cors.v3.CorsPolicy` as plain data. Empty strings and nulls: a less specific level decides. */
export interface CorsPolicyData {
  readonly allowOrigins: readonly StringMatcherData[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  /** Seconds, as text. */
  readonly maxAge: string;
  readonly allowCredentials: boolean | null;
  readonly allowPrivateNetworkAccess: boolean | null;
  readonly forwardNotMatchingPreflights: boolean | null;
  /** Null: always. */
  readonly filterEnabled: RuntimeFractionData | null;
  /** Null: never. */
  readonly shadowEnabled: RuntimeFractionData | null;
}
