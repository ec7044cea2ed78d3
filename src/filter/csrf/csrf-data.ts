import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';

/** `envoy.extensions.filters.http.csrf.v3.CsrfPolicy` as plain data, of the filter and of routes alike. */
export interface CsrfPolicyData {
  readonly enabled: RuntimeFractionData;
  /** Null: never. */
  readonly shadowEnabled: RuntimeFractionData | null;
  readonly additionalOrigins: readonly StringMatcherData[];
}
