import type { CallRetries } from '../call-outs.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import type { PathMatchData, RouteConditionsData } from '../../route/route-data.ts';

/** `envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication` as plain data. */
export interface JwtAuthnData {
  /** By name, sorted. */
  readonly providers: readonly JwtProviderData[];
  /** The first that matches decides; none: the request passes. */
  readonly rules: readonly JwtRuleData[];
  readonly filterState: { readonly name: string; readonly requirements: readonly NamedRequirementData[] } | null;
  /** `requirement_map`, for rules and routes. Sorted by name. */
  readonly requirements: readonly NamedRequirementData[];
  readonly bypassCorsPreflight: boolean;
  readonly stripFailureResponse: boolean;
  readonly statPrefix: string;
}

export interface NamedRequirementData {
  readonly name: string;
  readonly requirement: JwtRequirementData;
}

export interface JwtRuleData {
  readonly path: PathMatchData;
  readonly conditions: RouteConditionsData | null;
  /** Null: nothing is required there. */
  readonly requirement: JwtRequirementData | null;
}

export type JwtRequirementData =
  | { readonly kind: 'none' }
  /** Empty `audiences`: the provider's own. */
  | { readonly kind: 'provider'; readonly provider: string; readonly audiences: readonly string[] }
  | { readonly kind: 'any' | 'all'; readonly requirements: readonly JwtRequirementData[] }
  | { readonly kind: 'allowMissing' | 'allowMissingOrFailed' }
  /** Nothing is required. `failureHeader` tells those behind of a token that is not good; empty: the usual one. */
  | { readonly kind: 'extractOnly'; readonly failureHeader: string };

export interface JwtProviderData {
  readonly name: string;
  /** Empty: any. */
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences: readonly string[];
  readonly subjects: StringMatcherData | null;
  /** Milliseconds that a token may have left to live; Infinity: any number, but it must end; null: it need not. */
  readonly maxLifetimeMs: number | null;
  readonly clockSkewSeconds: number;
  readonly keys: JwksSourceData;
  /** The token goes on to the upstream. */
  readonly forward: boolean;
  readonly fromHeaders: readonly { readonly name: string; readonly valuePrefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  /** Lower case; empty: none. */
  readonly forwardPayloadHeader: string;
  readonly padsForwardPayload: boolean;
  /** Keys of dynamic metadata; empty: none. */
  readonly payloadInMetadata: string;
  readonly headerInMetadata: string;
  readonly failedStatusInMetadata: string;
  /** Claims whose text becomes a list of words in the metadata. */
  readonly spaceDelimitedClaims: readonly string[];
  /** Null: verified tokens are not kept. 0: Envoy's default. */
  readonly cache: { readonly entries: number; readonly tokenBytes: number } | null;
  readonly claimToHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly clearRouteCache: boolean;
}

export type JwksSourceData =
  | { readonly kind: 'local'; readonly text: string }
  | ({ readonly kind: 'remote' } & RemoteJwksData)
  | { readonly kind: 'none' };

export interface RemoteJwksData {
  readonly cluster: string;
  readonly authority: string;
  readonly path: string;
  readonly timeoutMs: number;
  readonly cacheMs: number;
  /** Fetched ahead of requests; null: when the first needs it. */
  readonly ahead: { readonly failedRefetchMs: number } | null;
  /** Null: it is asked once. */
  readonly retries: CallRetries | null;
}

/** `PerRouteConfig`: null: nothing is required; else the name in `requirement_map`. */
export interface JwtPerRouteData {
  readonly requirement: string | null;
}
