import type { FractionData } from '../fraction-data.ts';
import type { HeaderMatcherData } from '../../route/match/matcher-data.ts';

/** `envoy.extensions.filters.http.fault.v3.HTTPFault` as plain data, of the filter and of routes alike. */
export interface FaultData {
  readonly delay: FaultDelayData | null;
  readonly abort: FaultAbortData | null;
  readonly responseRateLimit: FaultRateLimitData | null;
  /** Only requests routed to this cluster; empty: all. */
  readonly upstreamCluster: string;
  /** All must match. */
  readonly headers: readonly HeaderMatcherData[];
  /** Values of x-envoy-downstream-service-node; empty: all. */
  readonly downstreamNodes: readonly string[];
  /** Infinity: no limit. */
  readonly maxActiveFaults: number;
  readonly disableDownstreamClusterStats: boolean;
  readonly runtimeKeys: FaultRuntimeKeys;
  /** Becomes dynamic metadata of a request that a fault befell; null: none. */
  readonly filterMetadata: Readonly<Record<string, unknown>> | null;
}

export interface FaultDelayData {
  /** Milliseconds; -1: the request says, in x-envoy-fault-delay-request. */
  readonly fixedMs: number;
  readonly percentage: FractionData;
}

export interface FaultAbortData {
  /** The request says, in x-envoy-fault-abort-request or -abort-grpc-request. */
  readonly fromHeaders: boolean;
  /** 0: none. */
  readonly httpStatus: number;
  /** -1: none. */
  readonly grpcStatus: number;
  readonly percentage: FractionData;
}

export interface FaultRateLimitData {
  /** KiB per second; 0: the request says, in x-envoy-fault-throughput-response. */
  readonly fixedKbps: number;
  readonly percentage: FractionData;
}

export interface FaultRuntimeKeys {
  readonly delayPercent: string;
  readonly abortPercent: string;
  readonly delayDuration: string;
  readonly abortHttpStatus: string;
  readonly abortGrpcStatus: string;
  readonly maxActiveFaults: string;
  readonly responseRateLimitPercent: string;
}
