import type { StreamFilterData } from '../../core/extension.ts';

/** `envoy.extensions.filters.http.router.v3.Router` as plain data; what it says is done in `proxy/http`. */
export interface RouterData {
  /** Each try has a span of its own, whatever the connection manager's `tracing` says; absent: no. */
  readonly startChildSpan?: boolean;
  /** Statistics per cluster, route and status; off: only the counters of the connection manager. */
  readonly dynamicStats: boolean;
  /** No `x-envoy-*` header is added to requests or responses. */
  readonly suppressEnvoyHeaders: boolean;
  /** `x-envoy-expected-rq-timeout-ms` of a request counts as its timeout. */
  readonly respectExpectedRqTimeout: boolean;
  /** Statuses that count for gRPC requests are those of the protocol, not of the gRPC status. */
  readonly suppressGrpcRequestFailureCodeStats: boolean;
  /** `x-envoy-*` headers that must be valid, else 400. */
  readonly strictCheckHeaders: readonly string[];
  /** What requests pass behind the router, to clusters that have no such filters of their own; absent: nothing. */
  readonly upstreamFilters?: readonly StreamFilterData[];
}
