/** `envoy.extensions.filters.http.grpc_stats.v3.FilterConfig`. */
export interface GrpcStatsData {
  readonly emitFilterState: boolean;
  readonly enableUpstreamStats: boolean;
  /** Every method has stats of its own. */
  readonly forAllMethods: boolean;
  /** Only where every method has: dots of service names become underscores. */
  readonly replaceDots: boolean;
  /** Methods that have stats of their own. */
  readonly methods: readonly { readonly service: string; readonly method: string }[];
}
