import { headersCountMax, requestHeadersBytesMax, responseHeadersBytesMax } from './limits.ts';

/** How field names are spelled on the wire (`http_protocol_options.header_key_format`). */
export const HeaderKeyFormat = { LowerCase: 0, ProperCase: 1, PreserveCase: 2 } as const;
export type HeaderKeyFormat = (typeof HeaderKeyFormat)[keyof typeof HeaderKeyFormat];

/** `headers_with_underscores_action`. */
export const UnderscoreAction = { Allow: 0, Reject: 1, Drop: 2 } as const;
export type UnderscoreAction = (typeof UnderscoreAction)[keyof typeof UnderscoreAction];

/** Decides on a header's value: an `envoy.type.matcher.v3.StringMatcher` as the codec sees it. */
export interface ValueMatcher {
  matches(value: string): boolean;
}

/** Envoy's `http1.` counters, as the codec moves them. */
export interface H1Counters {
  droppedHeaderWithUnderscores(): void;
  rejectedRequestWithUnderscores(): void;
}

/** What a server codec may be told. Names follow `http_protocol_options` and its surroundings. */
export interface H1ServerOptions {
  /** `max_request_headers_kb` × 1024. */
  readonly headersBytesMax: number;
  readonly headersCountMax: number;
  /** Without it HTTP/1.0 and everything that is not 1.1 is answered 426. */
  readonly acceptHttp10: boolean;
  readonly allowAbsoluteUrl: boolean;
  readonly allowChunkedLength: boolean;
  readonly allowCustomMethods: boolean;
  /** Request trailers are delivered and response trailers are sent. */
  readonly enableTrailers: boolean;
  readonly headersWithUnderscores: UnderscoreAction;
  /** `ignore_http_11_upgrade`: such Upgrade fields are removed and the request goes on without. */
  readonly ignoredUpgrades: readonly ValueMatcher[];
  readonly headerKeyFormat: HeaderKeyFormat;
  /**
   * Streams begin with their request line where the head arrives in pieces, as in Envoy, so that its user can limit the
   * time that the rest may take. Otherwise with the whole head.
   */
  readonly acceptsEarly?: boolean;
  /** Null: not counted. */
  readonly counters: H1Counters | null;
}

export interface H1ClientOptions {
  /** `max_response_headers_kb` × 1024. */
  readonly headersBytesMax: number;
  readonly headersCountMax: number;
  readonly allowChunkedLength: boolean;
  /** Response trailers are delivered and request trailers are sent. */
  readonly enableTrailers: boolean;
  /** Absolute-form targets for every request, as to a forward proxy. */
  readonly sendFullyQualifiedUrl: boolean;
  readonly headerKeyFormat: HeaderKeyFormat;
}

/** Envoy's defaults. */
export const defaultServerOptions: H1ServerOptions = {
  headersBytesMax: requestHeadersBytesMax,
  headersCountMax,
  acceptHttp10: false,
  allowAbsoluteUrl: true,
  allowChunkedLength: false,
  allowCustomMethods: false,
  enableTrailers: false,
  headersWithUnderscores: UnderscoreAction.Allow,
  ignoredUpgrades: [],
  headerKeyFormat: HeaderKeyFormat.LowerCase,
  counters: null,
};

export const defaultClientOptions: H1ClientOptions = {
  headersBytesMax: responseHeadersBytesMax,
  headersCountMax,
  allowChunkedLength: false,
  enableTrailers: false,
  sendFullyQualifiedUrl: false,
  headerKeyFormat: HeaderKeyFormat.LowerCase,
};
