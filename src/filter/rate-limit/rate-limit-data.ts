import type { HeaderMatcherData, QueryMatcherData } from '../../route/match/matcher-data.ts';

/** `envoy.config.route.v3.RateLimit`: what one descriptor of a request is made of. */
export interface RateLimitData {
  readonly actions: readonly RateLimitActionData[];
  /** Tokens that a request costs. */
  readonly hits: number;
}

/** One entry of a descriptor. Where it finds nothing there is no descriptor, unless it says otherwise. */
export type RateLimitActionData =
  | { readonly kind: 'source-cluster' }
  | { readonly kind: 'destination-cluster' }
  | { readonly kind: 'remote-address' }
  | { readonly kind: 'masked-remote-address'; readonly v4Bits: number; readonly v6Bits: number }
  | { readonly kind: 'generic'; readonly key: string; readonly value: string }
  /** `isOptional`: without it the descriptor has one entry less. */
  | { readonly kind: 'header'; readonly key: string; readonly name: string; readonly isOptional: boolean }
  | { readonly kind: 'query'; readonly key: string; readonly name: string; readonly isOptional: boolean }
  | {
      readonly kind: 'header-match';
      readonly key: string;
      readonly value: string;
      readonly expected: boolean;
      readonly headers: readonly HeaderMatcherData[];
    }
  | {
      readonly kind: 'query-match';
      readonly key: string;
      readonly value: string;
      readonly expected: boolean;
      readonly parameters: readonly QueryMatcherData[];
    };
