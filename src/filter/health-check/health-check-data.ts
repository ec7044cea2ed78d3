import type { HeaderMatcherData } from '../../route/match/matcher-data.ts';

/** `envoy.extensions.filters.http.health_check.v3.HealthCheck` as plain data. */
export interface HealthCheckData {
  /** Checks go on to the upstream, unless this process is failed by hand or an answer is remembered. */
  readonly passesThrough: boolean;
  /** How long an upstream's answer is remembered, in milliseconds; 0: not at all. */
  readonly cacheMs: number;
  /** What must hold of clusters for an answer of our own to be good. */
  readonly clusters: readonly { readonly name: string; readonly healthyPercentMin: number }[];
  /** A request that all of them match is a health check. */
  readonly headers: readonly HeaderMatcherData[];
}
