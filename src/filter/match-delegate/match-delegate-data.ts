import type { MatcherData } from '../../match/matcher-data.ts';

export const matchDelegateKind = 'envoy.extensions.common.matching.v3.ExtensionWithMatcher';

/** `envoy.extensions.common.matching.v3.ExtensionWithMatcher` of an HTTP filter, as plain data. */
export interface MatchDelegateData {
  /** The filter's own configuration. */
  readonly kind: string;
  readonly data: unknown;
  /** Inputs are `DelegateInputData`, and whatever action it finds is to skip the filter; null: it is always skipped. */
  readonly matcher: MatcherData | null;
}

/** A field of either head; lower-case. */
export interface DelegateInputData {
  readonly of: 'request' | 'response';
  readonly name: string;
}
