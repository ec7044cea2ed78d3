import type { ExtensionData, StreamFilterData } from '../core/extension.ts';
import type { H2Options } from '../codec/h2/options.ts';
import type { Address } from '../core/peer.ts';
import type { ConfigSourceData } from '../identity/config-source-data.ts';
import type { ChannelData } from '../identity/google-service-data.ts';
import type { DnsCacheData } from './dynamic/dns-cache-data.ts';
import type { LbData } from './lb/lb-data.ts';
import type { OriginalDstData } from './original-dst/original-dst-data.ts';
import type { HealthCheckData, HostCheckData } from './health/health-check-data.ts';
import type { OutlierData } from './outlier/outlier-data.ts';
import type { TransportData } from './transport/transport-data.ts';
import type { MatcherData } from '../match/matcher-data.ts';
import type { SocketOptionData } from '../net/socket-options/socket-option-data.ts';
import type { DnsLookupFamily, DnsResolverOptions } from '../net/dns-resolver.ts';

/**
 * A cluster as plain data: what travels from the main thread to the workers. Defaults are filled in as Envoy 1.39
 * does; durations are milliseconds.
 */
export interface ClusterData {
  readonly name: string;
  /** `alt_stat_name`, else the name: `cluster.<statName>.*`. */
  readonly statName: string;
  readonly discovery: DiscoveryData;
  /** As configured, or as discovery knows them when the data are sent to a worker. */
  readonly hosts: readonly HostData[];
  /** What came with discovered hosts, in the place of what the cluster says itself; absent: nothing. */
  readonly assignment?: AssignmentData;
  /** `allotBreakerSlots` of the main thread; empty from the decoder. */
  readonly breakerSlots: readonly number[];
  readonly connectTimeoutMs: number;
  /** `per_connection_buffer_limit_bytes`; 0: none. */
  readonly bufferLimit: number;
  readonly lb: LbData;
  readonly breakers: readonly [normal: BreakerData, high: BreakerData];
  /** `per_host_thresholds`: connections to one host, by priority; absent: no limit. */
  readonly hostConnectionsMax?: readonly [normal: number, high: number];
  readonly http: UpstreamHttpData;
  /** What its connections are; the first is that of hosts which no other's match takes. */
  readonly transports: readonly TransportData[];
  /** `transport_socket_matcher`, for hosts that are discovered: see TransportChoice. Null: none. */
  readonly transportMatcher: MatcherData | null;
  /** Local address to dial from; null: any. */
  readonly bindAddress: { readonly host: string; readonly port: number } | null;
  /** For hosts of the other IP family; absent: there is none. */
  readonly otherBindAddress?: { readonly host: string; readonly port: number };
  /** Those addresses may be ones that this machine does not have yet; absent: no. */
  readonly bindsFreely?: boolean;
  /** What the kernel is told of its sockets; absent: nothing. */
  readonly socketOptions?: readonly SocketOptionData[];
  /** Of those that leave from `otherBindAddress`, where that says others. */
  readonly otherSocketOptions?: readonly SocketOptionData[];
  /** Seconds before the first TCP keep-alive probe; 0: the kernel's; null: off. */
  readonly keepAliveSeconds: number | null;
  /** Absent: the kernel's. */
  readonly keepAliveIntervalSeconds?: number;
  readonly keepAliveProbes?: number;
  /** Connections that are opened before anybody needs them; absent: none are. */
  readonly preconnect?: PreconnectData;
  /** `filter_metadata`: namespace → value; null: none. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** What stands between its connections and those who use them; absent: nothing. */
  readonly filters?: readonly ExtensionData[];
  /** Active checks, which the main thread makes; null: none. */
  readonly healthCheck?: HealthCheckData | null;
  /** Null: none. */
  readonly outlier?: OutlierData | null;
  /** `track_cluster_stats.timeout_budgets`; absent: no. */
  readonly tracksTimeouts?: boolean;
  /** It was made of a `google_grpc`; absent: it was configured. */
  readonly channel?: ChannelData;
  /** `close_connections_on_host_health_failure`: those of TCP; HTTP's finish what they carry. */
  readonly closesConnectionsOfUnfit?: boolean;
}

export interface PreconnectData {
  /** Connections of a pool, in streams that they can carry, to streams that wait or are served; more than 1. */
  readonly ratio: number;
  /** How long a connection without HTTP waits for its user. */
  readonly tcpIdleMs: number;
}

/** `ClusterLoadAssignment.policy` of discovered hosts. */
export interface AssignmentData {
  /** Percent. */
  readonly overprovisioningFactor: number;
  readonly weightedPriorityHealth: boolean;
  /** `drop_overloads`: this part of the requests is turned away, 0 … 1; absent: none. */
  readonly dropRatio?: number;
}

export interface LocalityData {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

export const emptyLocality: LocalityData = { region: '', zone: '', subZone: '' };

/** `health_status` of an endpoint; UNKNOWN counts as HEALTHY. */
export type EndpointHealth = 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED';

/** One address of a cluster, as configured or as discovered. */
export interface HostData {
  readonly address: Address;
  /** Empty: none. For DNS clusters the name that was resolved, unless the endpoint says another. */
  readonly hostname: string;
  readonly weight: number;
  /** 0 is the most preferred. */
  readonly priority: number;
  readonly locality: LocalityData;
  /** Of the whole locality, for locality-weighted balancing; 0: none was given. */
  readonly localityWeight: number;
  readonly health: EndpointHealth;
  /** `envoy.lb` metadata says `canary: true`. */
  readonly canary: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Index of `ClusterData.transports`. */
  readonly transport: number;
  /** Unique in its cluster, where the address is not: of hosts that are chosen by name. */
  readonly key?: string;
  /** How it is checked; absent: as its cluster says. */
  readonly healthCheck?: HostCheckData;
  /** Where its health is in shared memory: given by `HealthSlots`. Absent: nobody watches it. */
  readonly healthSlot?: number;
  /** Where connections to it are counted: given by `HostConnectionSlots`. Absent: nobody limits them. */
  readonly connectionsSlot?: number;
}

export type DiscoveryData =
  | { readonly kind: 'static' }
  /** Hosts are the names that requests and connections ask for. */
  | { readonly kind: 'dynamic'; readonly cache: DnsCacheData }
  /** Hosts are those of other clusters, in this order. */
  | { readonly kind: 'aggregate'; readonly clusters: readonly string[] }
  /** Hosts are those of a ClusterLoadAssignment of this name. */
  | { readonly kind: 'eds'; readonly serviceName: string; readonly source: ConfigSourceData }
  /** Hosts are the addresses that requests and connections were sent to. */
  | { readonly kind: 'original-dst'; readonly asked: OriginalDstData }
  | {
      readonly kind: 'strict-dns' | 'logical-dns';
      readonly dns: DnsData;
      readonly targets: readonly DnsTargetData[];
    };

export interface DnsData {
  readonly refreshMs: number;
  /** Base and maximum of the jittered back-off after a failure; null: `refreshMs`. */
  readonly failureRefresh: { readonly baseMs: number; readonly maxMs: number } | null;
  /** Up to this much is added at random to every refresh; 0: none. */
  readonly jitterMs: number;
  readonly respectTtl: boolean;
  /** Floor of a refresh interval that comes from a TTL; 0: none. */
  readonly ttlRefreshMinMs: number;
  readonly family: DnsLookupFamily;
  readonly resolver: DnsResolverOptions;
  /** The cluster is used only after its first answer or failure. */
  readonly waitForWarm: boolean;
}

/** A name to resolve, and what its addresses inherit. */
export interface DnsTargetData {
  readonly name: string;
  readonly port: number;
  /** What each address becomes; its `address` is a placeholder. */
  readonly host: HostData;
}

export interface RetryBudgetData {
  readonly percent: number;
  readonly minConcurrency: number;
  /** Measured by the requests that began within it; absent, 0: by those that wait or are served now. */
  readonly intervalMs?: number;
}

/** The thresholds of one routing priority. */
export interface BreakerData {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Of HTTP, over all hosts; absent, null: no limit. */
  readonly maxConnectionPools?: number | null;
  /** Overrides `maxRetries`; null: none. */
  readonly retryBudget: RetryBudgetData | null;
  /** Publish the `remaining_*` gauges. */
  readonly trackRemaining: boolean;
}

export interface UpstreamHttpData {
  readonly idleTimeoutMs: number;
  /** 0: none. */
  readonly maxConnectionDurationMs: number;
  /** 0: unlimited. */
  readonly maxRequestsPerConnection: number;
  readonly maxResponseHeaderCount: number;
  readonly maxResponseHeaderBytes: number;
  readonly protocol: UpstreamProtocol;
  readonly names: ServerNamesData;
  readonly http1: UpstreamHttp1Data;
  readonly http2: Http2Data;
  /** `http_filters` without the codec at their end; absent: those of the router, if it has any. */
  readonly filters?: readonly StreamFilterData[];
}

/** `downstream`: what the client speaks; HTTP/1.0 counts as HTTP/1.1. `auto`: what ALPN chooses. */
export type UpstreamProtocol = 'http1' | 'http2' | 'downstream' | 'auto';

/** `UpstreamHttpProtocolOptions`: what a request's authority says to TLS. */
export interface ServerNamesData {
  /** It is the SNI, unless it is an IP address. */
  readonly autoSni: boolean;
  /** The server's certificate must name it. */
  readonly autoSanValidation: boolean;
  /** A request header that is taken instead, where there is one; empty: none. */
  readonly header: string;
}

/** `Http2ProtocolOptions`, of either end of a connection: what the codec may be told but for its surroundings. */
export type Http2Data = Omit<H2Options, 'counters' | 'headersBytesMax' | 'headersCountMax'>;

export interface UpstreamHttp1Data {
  readonly enableTrailers: boolean;
  readonly allowChunkedLength: boolean;
  readonly sendFullyQualifiedUrl: boolean;
  readonly headerKeyFormat: 'lower' | 'proper-case' | 'preserve-case';
}
