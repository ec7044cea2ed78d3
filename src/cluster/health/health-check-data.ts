import type { Address } from '../../core/peer.ts';

/** `HealthCheck` as plain data; times are milliseconds. */
export interface HealthCheckData {
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly initialJitterMs: number;
  readonly intervalJitterMs: number;
  readonly intervalJitterPercent: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  readonly reusesConnection: boolean;
  /** While the cluster has not been used: of hosts that are not healthy, and of healthy ones. */
  readonly noTrafficMs: number;
  readonly noTrafficHealthyMs: number;
  readonly unhealthyMs: number;
  /** After a check that may be on the way to another state. */
  readonly unhealthyEdgeMs: number;
  readonly healthyEdgeMs: number;
  /** Files of `event_log_path` and `event_logger`. */
  readonly eventLogs: readonly string[];
  readonly logsFailures: boolean;
  readonly logsSuccesses: boolean;
  /** `tls_options`; empty: as the transport is configured. */
  readonly alpn: readonly string[];
  /** Index of `ClusterData.transports` by `transport_socket_match_criteria`; null: the host's own. */
  readonly transport: number | null;
  /** `ignore_health_on_host_removal` of the cluster. */
  readonly ignoresHealthOnRemoval: boolean;
  /** `ignore_new_hosts_until_first_hc` of the cluster. */
  readonly ignoresNewHosts: boolean;
  readonly probe: ProbeData;
}

export type ProbeData = HttpProbeData | TcpProbeData | GrpcProbeData;

export interface HttpProbeData {
  readonly kind: 'http';
  /** Empty: the host's own name for checks, else the cluster's. */
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly version: 'http1' | 'http2';
  readonly expected: readonly StatusRange[];
  readonly retriable: readonly StatusRange[];
  /** Body of the request; null: none. */
  readonly send: Uint8Array | null;
  /** Found in this order in the body of the answer; empty: it does not matter. */
  readonly receive: readonly Uint8Array[];
  /** Bytes of an answer that are looked at; 0: all. */
  readonly responseBytesMax: number;
  /** `request_headers_to_*`, as the decoder of routes knows them; null: none. */
  readonly headers: unknown;
  /** `service_name_matcher`, likewise. */
  readonly serviceName: unknown;
}

/** `end` is not in it. */
export interface StatusRange {
  readonly start: number;
  readonly end: number;
}

export interface TcpProbeData {
  readonly kind: 'tcp';
  readonly send: Uint8Array | null;
  /** Empty: a connection is enough. */
  readonly receive: readonly Uint8Array[];
  /** A header in front of what is sent; null: none. */
  readonly proxyProtocol: 1 | 2 | null;
}

export interface GrpcProbeData {
  readonly kind: 'grpc';
  /** Empty: the server as a whole. */
  readonly service: string;
  /** Empty: as `HttpProbeData.host`. */
  readonly authority: string;
  /** `initial_metadata`. */
  readonly headers: unknown;
}

/** `Endpoint.HealthCheckConfig`. */
export interface HostCheckData {
  /** Where it is checked; null: where it serves. */
  readonly address: Address | null;
  /** Instead of the check's own; empty: none. */
  readonly hostname: string;
  readonly isDisabled: boolean;
}
