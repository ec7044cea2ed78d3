import type { AccessLogData } from '../../observe/access-log-data.ts';
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
  readonly accessLogs: readonly AccessLogData[];
  /** 0: only at the end. */
  readonly accessLogFlushMs: number;
  readonly logOnConnected: boolean;
  /** Null: connections go to the upstream as they are. */
  readonly tunneling: TunnelingData | null;
  readonly hashPolicy: readonly HashPolicyData[] | null;
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
}

export interface WeightedClusterData {
  readonly name: string;
  readonly weight: number;
  /** `envoy.lb` of `metadata_match`, the cluster's over the filter's; null: any host. */
  readonly metadataMatch: MetadataData | null;
}
