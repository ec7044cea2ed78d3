import type { TracingData } from '../../observe/trace/trace-data.ts';
import type { Http2Data } from '../../cluster/cluster-data.ts';
import type { ExtensionRefData } from '../../listener/extension-sources.ts';
import type { CidrData } from '../../listener/listener-data.ts';
import type { AccessLogData, AccessLogFilterData, FormatData } from '../../observe/access-log/access-log-data.ts';
import type { HeaderAdditionData, RouteConfigurationData } from '../../route/route-data.ts';
import type { ScopedRoutesData } from './scopes/scoped-routes-data.ts';

/**
 * An http_connection_manager as plain data: what travels from the main thread to the workers.
 * Defaults are filled in as Envoy 1.39 does; durations are milliseconds, and 0 means "off" unless said otherwise.
 */
/** Message name of an HTTP connection manager's configuration. */
export const hcmKind = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

export interface HcmData {
  /** As configured; stats live below `http.<statPrefix>.`. */
  readonly statPrefix: string;
  /** AUTO: by ALPN, else by the first bytes. */
  readonly codecType: 'AUTO' | 'HTTP1' | 'HTTP2';
  /** Answers to requests that are turned away for overload say so; absent: no. */
  readonly appendLocalOverload?: boolean;
  /** Null: it comes by `rds`. */
  readonly routeConfig: RouteConfigurationData | null;
  /** Absent: it is `routeConfig`. */
  readonly rds?: RdsData;
  /** Several route configurations, of which a value of the request chooses; absent: there is one. */
  readonly scopedRoutes?: ScopedRoutesData;
  /** In configured order, the router last. */
  readonly httpFilters: readonly HttpFilterData[];
  readonly upgrades: readonly UpgradeData[];
  readonly accessLogs: readonly AccessLogData[];
  readonly accessLogOptions: AccessLogOptionsData;
  readonly limits: DownstreamLimitsData;
  readonly timeouts: DownstreamTimeoutsData;
  readonly http1: Http1Data;
  readonly http2: Http2Data;
  readonly path: PathOptionsData;
  readonly host: HostOptionsData;
  readonly client: ClientAddressData;
  readonly requestId: RequestIdData;
  /** Absent, null: nothing is traced, and no reason is looked for. */
  readonly tracing?: TracingData | null;
  readonly forwarding: ForwardingData;
  readonly response: ResponseOptionsData;
  readonly localReply: LocalReplyConfigData;
  /** `proxy_100_continue`: `Expect: 100-continue` is the upstream's to answer. */
  readonly proxy100Continue: boolean;
  /**
   * `http_protocol_options.override_stream_error_on_invalid_http_message`, else `stream_error_on_invalid_http_message`:
   * after a malformed HTTP/1 request is answered the connection stays open.
   */
  readonly streamErrorOnInvalidMessage: boolean;
}

/** A route configuration that comes when it comes. */
export interface RdsData {
  /** The same for everyone who names this resource of this source. */
  readonly key: string;
  readonly name: string;
}

export interface HttpFilterData {
  readonly name: string;
  /** Full message name of the configuration; empty: it comes by `discovery`. */
  readonly kind: string;
  /** What that filter's decoder made. */
  readonly data: unknown;
  /** Off unless a route's FilterConfig switches it on. */
  readonly disabled: boolean;
  /** It comes by ECDS; absent: it is `data`. */
  readonly discovery?: ExtensionRefData;
}

/** An entry of `upgrade_configs`. */
export interface UpgradeData {
  /** Lower-case; `connect` for the method. */
  readonly type: string;
  /** False: only routes that say so take it. */
  readonly isEnabled: boolean;
  /** Null: those of every other request. */
  readonly filters: readonly HttpFilterData[] | null;
}

export interface AccessLogOptionsData {
  /** 0: only at the end of the stream. */
  readonly flushIntervalMs: number;
  readonly flushOnNewRequest: boolean;
  /** When a CONNECT has got its 200. */
  readonly flushOnTunnel: boolean;
}

export interface DownstreamLimitsData {
  /** Bytes; `max_request_headers_kb` × 1024. */
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
  /** 0: unlimited. */
  readonly requestsPerConnectionMax: number;
  readonly headersWithUnderscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER';
}

export interface DownstreamTimeoutsData {
  /** No stream open on the connection; 0: off. Default 1 h. */
  readonly idleMs: number;
  readonly maxConnectionDurationMs: number;
  /** Up to this share of it is added by chance. */
  readonly maxConnectionJitter: number;
  /** `http1_safe_max_connection_duration`: after it, answer `connection: close` instead of draining with a timer. */
  readonly http1SafeMaxConnectionDuration: boolean;
  readonly maxStreamDurationMs: number;
  /** Nothing moved on the stream; a route's idle_timeout overrides it. Default 5 min. */
  readonly streamIdleMs: number;
  /** The last bytes of the response could not be written; defaults to `streamIdleMs`. */
  readonly streamFlushMs: number;
  /** From the head's arrival to the end of the request. */
  readonly requestMs: number;
  /** From the first byte to the end of the head. */
  readonly requestHeadersMs: number;
  readonly drainMs: number;
  /** Up to this share of it is added by chance. */
  readonly drainJitter: number;
  readonly delayedCloseMs: number;
}

export interface Http1Data {
  readonly acceptHttp10: boolean;
  /** Host of HTTP/1.0 requests that have none; empty: 400. */
  readonly defaultHostForHttp10: string;
  readonly allowAbsoluteUrl: boolean;
  readonly allowChunkedLength: boolean;
  readonly allowCustomMethods: boolean;
  readonly enableTrailers: boolean;
  /** Spelling of header names towards the client. */
  readonly headerKeyFormat: 'lower' | 'proper-case' | 'preserve-case';
  /** `ignore_http_11_upgrade`: `Upgrade` values (lower-case) that are dropped as if absent. */
  readonly ignoredUpgrades: readonly StringMatchData[];
}

/** A plain string matcher for upgrade names. */
export interface StringMatchData {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains';
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** `runtimePath` fills in what is left to the runtime. */
export interface PathOptionsData {
  /** Null: the runtime decides. */
  readonly normalize: boolean | null;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes:
    | 'IMPLEMENTATION_SPECIFIC_DEFAULT'
    | 'KEEP_UNCHANGED'
    | 'REJECT_REQUEST'
    | 'UNESCAPE_AND_REDIRECT'
    | 'UNESCAPE_AND_FORWARD';
}

export interface HostOptionsData {
  /** `matching`: only the listener's own port. */
  readonly stripPort: 'none' | 'matching' | 'any';
  readonly stripTrailingDot: boolean;
}

export interface ClientAddressData {
  readonly useRemoteAddress: boolean;
  readonly xffNumTrustedHops: number;
  readonly skipXffAppend: boolean;
  /** In order; the first that finds an address wins. Excludes use_remote_address and hops. */
  readonly detection: readonly OriginalIpDetectionData[];
  readonly internalCidrRanges: readonly CidrData[];
  readonly internalUnixSockets: boolean;
}

export type OriginalIpDetectionData =
  | {
      readonly kind: 'xff';
      readonly numTrustedHops: number;
      /** Peer ranges that may be skipped from the right instead of counting hops; null: count. */
      readonly trustedCidrs: readonly CidrData[] | null;
      readonly skipXffAppend: boolean;
    }
  | {
      readonly kind: 'custom-header';
      readonly header: string;
      readonly trusted: boolean;
      /** Status of the refusal when the header is missing or no address; 0: none. */
      readonly rejectStatus: number;
    };

export interface RequestIdData {
  readonly generate: boolean;
  readonly preserveExternal: boolean;
  readonly alwaysSetInResponse: boolean;
  readonly packTraceReason: boolean;
  /** `use_request_id_for_trace_sampling`; absent: yes. False: every request is traced, unless it says otherwise itself. */
  readonly decidesTracing?: boolean;
}

export interface ForwardingData {
  readonly appendXForwardedPort: boolean;
  readonly addUserAgent: boolean;
  /** Empty: none. */
  readonly via: string;
  readonly clientCert: ClientCertData;
  /** Overrides `:scheme`; empty: leave. */
  readonly schemeToOverwrite: string;
  /** `scheme_header_transformation.match_upstream`: the router writes the scheme of the upstream's transport. */
  readonly schemeMatchesUpstream: boolean;
}

/** What becomes of x-forwarded-client-cert, and what it says of the client's certificate. */
export interface ClientCertData {
  readonly mode: 'SANITIZE' | 'FORWARD_ONLY' | 'APPEND_FORWARD' | 'SANITIZE_SET' | 'ALWAYS_FORWARD_ONLY';
  readonly subject: boolean;
  readonly cert: boolean;
  readonly chain: boolean;
  readonly dns: boolean;
  readonly uri: boolean;
  readonly format: 'TEXT' | 'JSON';
}

export interface ResponseOptionsData {
  readonly serverName: string;
  readonly serverHeader: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH';
  /** As ForwardingData.via: added to responses too. */
  readonly via: string;
  readonly proxyStatus: ProxyStatusData | null;
}

/** RFC 9209. */
export interface ProxyStatusData {
  readonly removeDetails: boolean;
  readonly removeConnectionTerminationDetails: boolean;
  readonly removeResponseFlags: boolean;
  readonly setRecommendedResponseCode: boolean;
  /** Literal name; null: the node's id if `useNodeId`, else the server name. */
  readonly name: string | null;
  readonly useNodeId: boolean;
}

export interface LocalReplyConfigData {
  readonly mappers: readonly LocalReplyMapperData[];
  /** Null: `%LOCAL_REPLY_BODY%` as text/plain. */
  readonly bodyFormat: FormatData | null;
}

export interface LocalReplyMapperData {
  readonly filter: AccessLogFilterData;
  /** 0: unchanged. */
  readonly status: number;
  /** Null: unchanged. */
  readonly body: string | null;
  readonly bodyFormat: FormatData | null;
  readonly headers: readonly HeaderAdditionData[];
}
