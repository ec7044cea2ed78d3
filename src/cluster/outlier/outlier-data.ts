/** `OutlierDetection` as plain data; times are milliseconds, percentages whole numbers. Runtime keys come over these. */
export interface OutlierData {
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly ejectionJitterMs: number;
  readonly maxEjectionPercent: number;
  readonly alwaysEjectsOne: boolean;
  readonly consecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly consecutiveLocalOriginFailure: number;
  /** Errors of connections and of servers are counted apart. */
  readonly splitsOrigins: boolean;
  readonly successRateMinimumHosts: number;
  readonly successRateRequestVolume: number;
  /** Thousandths. */
  readonly successRateStdevFactor: number;
  readonly failurePercentageThreshold: number;
  readonly failurePercentageMinimumHosts: number;
  readonly failurePercentageRequestVolume: number;
  readonly enforcing: Readonly<Record<EjectionType, number>>;
  /** A successful active check takes an ejected host back. */
  readonly healthCheckUnejects: boolean;
  /** `x-envoy-degraded` in answers counts. */
  readonly detectsDegraded: boolean;
  /** `cluster_manager.outlier_detection.event_log_path`; empty: none. */
  readonly eventLog: string;
}

/** As stats and runtime keys write them. */
export const ejectionTypes = [
  'consecutive_5xx',
  'consecutive_gateway_failure',
  'success_rate',
  'consecutive_local_origin_failure',
  'local_origin_success_rate',
  'failure_percentage',
  'local_origin_failure_percentage',
] as const;
export type EjectionType = (typeof ejectionTypes)[number];

/** Worker → main thread: what results have shown of a host. */
export interface HostFinding {
  readonly cluster: string;
  /** `hostKeys` of its cluster. */
  readonly host: string;
  readonly what: ConsecutiveType | 'immediate_failure' | 'degraded';
}

export type ConsecutiveType = 'consecutive_5xx' | 'consecutive_gateway_failure' | 'consecutive_local_origin_failure';
