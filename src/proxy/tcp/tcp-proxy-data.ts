import type { OnDemandClustersData } from '../../cluster/on-demand/on-demand-data.ts';
import type { AccessLogData, FormatData } from '../../observe/access-log/access-log-data.ts';
import type { HashPolicyData } from '../../route/hash/hash-policy-data.ts';
import type { HeaderAdditionData, MetadataData } from '../../route/route-data.ts';

/** A tcp_proxy as plain data. Durations in milliseconds; 0: off. */
export interface TcpProxyData {
  readonly statPrefix: string;
  /** One entry for a plain `cluster`. */
  readonly clusters: readonly WeightedClusterData[];
  readonly totalWeight: number;
  /** Nothing moved in either direction. Default 1 h. */
  readonly idleMs: number;
  readonly connectAttemptsMax: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly connectionDurationMaxMs: number;
  /** Up to so many percent are added to it by chance. */
  readonly durationJitterPercent: number;
  readonly accessLogs: readonly AccessLogData[];
  /** 0: only at the end. */
  readonly accessLogFlushMs: number;
  readonly logOnConnected: boolean;
  readonly logOnStart: boolean;
  /** The upstream is called when the client has said something; else at once. */
  readonly connectsOnData: boolean;
  /** What a client says before there is an upstream is read up to so many bytes; null: it waits unread. */
  readonly earlyBytesMax: number | null;
  /** Connections close when bytes have passed while their listener drains. */
  readonly closesOnDrain: boolean;
  /** For upstreams' PROXY protocol headers; null: none. */
  readonly tlvs: ProxyTlvsData | null;
  /** Null: connections go to the upstream as they are. */
  readonly tunneling: TunnelingData | null;
  readonly hashPolicy: readonly HashPolicyData[] | null;
  /** A cluster that is not known is asked for; absent, null: it is not. */
  readonly onDemand?: OnDemandClustersData | null;
}

/** `proxy_protocol_tlvs`: what a header says besides addresses. */
export interface ProxyTlvsData {
  readonly entries: readonly ProxyTlvData[];
  /** Beside those that the client's own header has. */
  readonly merge: 'add-if-absent' | 'overwrite' | 'append';
}

export interface ProxyTlvData {
  readonly type: number;
  /** What it always says, or a format that says it of each connection. */
  readonly value: Uint8Array | FormatData;
}

/** `tunneling_config`: each connection leaves inside a CONNECT, or a POST. */
export interface TunnelingData {
  /** A format string: the request's authority. */
  readonly hostname: string;
  readonly usePost: boolean;
  readonly postPath: string;
  readonly headersToAdd: readonly HeaderAdditionData[];
  /** `propagate_response_headers`, `propagate_response_trailers`: what the upstream answered becomes filter state. */
  readonly propagation: { readonly headers: boolean; readonly trailers: boolean };
  /** Each request gets an id; null: none. */
  readonly requestId: { readonly header: string; readonly metadataKey: string } | null;
}

export interface WeightedClusterData {
  readonly name: string;
  readonly weight: number;
  /** `envoy.lb` of `metadata_match`, the cluster's over the filter's; null: any host. */
  readonly metadataMatch: MetadataData | null;
}
