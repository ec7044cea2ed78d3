import type { IpPrefix } from '../../match/ip-prefix-map.ts';
import type { ExpressionData } from '../../observe/expression/expression-data.ts';
import type { HeaderMatcherData, QueryMatcherData } from '../match/matcher-data.ts';

/** `envoy.config.route.v3.RateLimit`: what one descriptor of a request is made of. */
export interface RateLimitData {
  readonly actions: readonly RateLimitActionData[];
  readonly hits: HitsData;
  /** Filters take the entries of their own stage. */
  readonly stage: number;
  /** Names the runtime key that switches the entry off; empty: none does. */
  readonly disableKey: string;
  /** Asked when the stream is done, not when its request comes. */
  readonly isOnDone: boolean;
  /** A limit that comes with the descriptor, for services that take one; null: none. */
  readonly limit: LimitData | null;
  /** Whether clients are shown how much is left of it (`x-ratelimit-*`); absent: as the filter says. */
  readonly isShown?: boolean;
}

/** What a request costs: a fixed number, unless a format says another. */
export interface HitsData {
  readonly number: number;
  /** Empty: none. */
  readonly format: string;
}

export type LimitUnit = 'UNKNOWN' | 'SECOND' | 'MINUTE' | 'HOUR' | 'DAY' | 'MONTH' | 'YEAR';

export type LimitData =
  | { readonly kind: 'fixed'; readonly requestsPerUnit: number; readonly unit: LimitUnit }
  | { readonly kind: 'metadata'; readonly key: MetadataKeyData };

/** A place in metadata. */
export interface MetadataKeyData {
  readonly namespace: string;
  readonly path: readonly string[];
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
  /** A matcher's input as a descriptor: all values of the field. */
  | { readonly kind: 'header-input'; readonly key: string; readonly name: string }
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
    }
  | {
      readonly kind: 'address-match';
      readonly key: string;
      /** A format. */
      readonly format: string;
      /** Where the format comes to nothing; empty: then there is no descriptor. */
      readonly otherwise: string;
      readonly ranges: readonly IpPrefix[];
      readonly invert: boolean;
    }
  | {
      readonly kind: 'metadata';
      readonly key: string;
      readonly of: 'dynamic' | 'route';
      readonly at: MetadataKeyData;
      /** Where there is no text; empty: none. */
      readonly otherwise: string;
      readonly isOptional: boolean;
    }
  | {
      readonly kind: 'expression';
      readonly key: string;
      readonly expression: ExpressionData;
      readonly isOptional: boolean;
    };
