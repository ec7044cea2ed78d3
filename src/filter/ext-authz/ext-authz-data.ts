import type { GrpcServiceData } from '../../identity/config-source-data.ts';
import type { MetadataMatcherData, StringMatcherData } from '../../route/match/matcher-data.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import type { CallRetries } from '../call-outs.ts';
import type { HttpUriData } from '../http-uri-decode.ts';
import type { MutationRulesData } from './rules/mutation-rules-data.ts';

/** `envoy.extensions.filters.http.ext_authz.v3.ExtAuthz` as plain data. */
export interface ExtAuthzData {
  readonly service: AuthorizationServiceData;
  readonly failureModeAllow: boolean;
  readonly failureModeAllowHeaderAdd: boolean;
  /** Null: the body is not sent. */
  readonly body: RequestBodyData | null;
  readonly clearRouteCache: boolean;
  readonly statusOnError: number;
  readonly validateMutations: boolean;
  /** Which fields of a request an answer may change; null: all. */
  readonly requestRules: MutationRulesData | null;
  /** In the metadata of the bootstrap's node; empty: none. */
  readonly labelsKey: string;
  readonly metadataNamespaces: readonly string[];
  readonly routeMetadataNamespaces: readonly string[];
  /** Null: always. */
  readonly enabled: RuntimeFractionData | null;
  readonly enabledMetadata: MetadataMatcherData | null;
  /** Null: requests pass where the filter is not enabled. */
  readonly denyAtDisable: { readonly runtimeKey: string; readonly isOn: boolean } | null;
  readonly includesPeerCertificate: boolean;
  readonly includesTlsSession: boolean;
  readonly statPrefix: string;
  /** Empty: all, or for an HTTP service those that it gets in any case. */
  readonly allowedHeaders: readonly StringMatcherData[];
  readonly disallowedHeaders: readonly StringMatcherData[];
  readonly chargesClusterStats: boolean;
  readonly encodesRawHeaders: boolean;
  readonly ingestsMetadata: boolean;
  /** `enforce_response_header_limits`: an upstream's answer may not become larger than any may come. */
  readonly enforcesAnswerLimits: boolean;
  /** `shadow_mode`: decisions are noted, and nobody is turned away. */
  readonly isShadow: boolean;
  /** 0: no limit. */
  readonly deniedBodyBytesMax: number;
}

export interface RequestBodyData {
  readonly bytesMax: number;
  readonly allowsPartial: boolean;
  readonly packsAsBytes: boolean;
}

export type AuthorizationServiceData =
  | { readonly kind: 'grpc'; readonly service: GrpcServiceData }
  | ({ readonly kind: 'http' } & HttpServiceData);

export interface HttpServiceData {
  readonly uri: HttpUriData;
  readonly pathPrefix: string;
  /** Null: it is asked once. */
  readonly retries: CallRetries | null;
  /** Empty: the request's own path. */
  readonly pathOverride: string;
  readonly headersToAdd: readonly (readonly [string, string])[];
  /** Of its answers: what becomes of their headers. */
  readonly upstreamHeaders: readonly StringMatcherData[];
  readonly upstreamHeadersToAppend: readonly StringMatcherData[];
  /** Empty: all. */
  readonly clientHeaders: readonly StringMatcherData[];
  readonly clientHeadersOnSuccess: readonly StringMatcherData[];
  readonly metadataHeaders: readonly StringMatcherData[];
}

/** `ExtAuthzPerRoute`. */
export interface ExtAuthzPerRouteData {
  readonly isDisabled: boolean;
  readonly contextExtensions: Readonly<Record<string, string>>;
  readonly skipsBody: boolean;
  /** Null: the filter's. */
  readonly body: RequestBodyData | null;
  /** Null: the filter's. */
  readonly service: AuthorizationServiceData | null;
}
