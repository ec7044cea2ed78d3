import type { StatNames } from '../../observe/stats/stats-source.ts';

/**
 * Envoy's stats of a cluster, by name below `cluster.<statName>.`. An index into these lists is what the code counts
 * by. Names of what is refused here (HTTP/3 …) are left out.
 */
export const ClusterCounter = {
  LbHealthyPanic: 0,
  RetryOrShadowAbandoned: 1,
  CxCloseNotify: 2,
  CxConnectAttemptsExceeded: 3,
  CxConnectFail: 4,
  CxConnectTimeout: 5,
  CxDestroy: 6,
  CxDestroyLocal: 7,
  CxDestroyLocalWithActiveRq: 8,
  CxDestroyRemote: 9,
  CxDestroyRemoteWithActiveRq: 10,
  CxDestroyWithActiveRq: 11,
  CxHttp1Total: 12,
  CxHttp2Total: 13,
  CxIdleTimeout: 14,
  CxMaxDurationReached: 15,
  CxMaxRequests: 16,
  CxNoneHealthy: 17,
  CxOverflow: 18,
  CxPoolOverflow: 19,
  CxProtocolError: 20,
  CxRxBytesTotal: 21,
  CxTotal: 22,
  CxTxBytesTotal: 23,
  FlowControlBackedUpTotal: 24,
  FlowControlDrainedTotal: 25,
  FlowControlPausedReadingTotal: 26,
  FlowControlResumedReadingTotal: 27,
  InternalRedirectFailedTotal: 28,
  InternalRedirectSucceededTotal: 29,
  RqActiveOverflow: 30,
  RqCancelled: 31,
  RqCompleted: 32,
  RqMaintenanceMode: 33,
  RqMaxDurationReached: 34,
  RqPendingFailureEject: 35,
  RqPendingOverflow: 36,
  RqPendingTotal: 37,
  RqPerTryIdleTimeout: 38,
  RqPerTryTimeout: 39,
  RqRetry: 40,
  RqRetryBackoffExponential: 41,
  RqRetryBackoffRatelimited: 42,
  RqRetryLimitExceeded: 43,
  RqRetryOverflow: 44,
  RqRetrySuccess: 45,
  RqRxReset: 46,
  RqTimeout: 47,
  RqTotal: 48,
  RqTxReset: 49,
  BindErrors: 50,
  OriginalDstHostInvalid: 51,
  LbLocalClusterNotOk: 52,
  LbRecalculateZoneStructures: 53,
  LbZoneClusterTooSmall: 54,
  LbZoneNoCapacityLeft: 55,
  LbZoneRoutingAllDirectly: 56,
  LbZoneRoutingCrossZone: 57,
  LbZoneRoutingSampled: 58,
} as const;
export type ClusterCounter = (typeof ClusterCounter)[keyof typeof ClusterCounter];

/** Index: ClusterCounter. */
export const clusterCounterNames: readonly string[] = [
  'lb_healthy_panic',
  'retry_or_shadow_abandoned',
  'upstream_cx_close_notify',
  'upstream_cx_connect_attempts_exceeded',
  'upstream_cx_connect_fail',
  'upstream_cx_connect_timeout',
  'upstream_cx_destroy',
  'upstream_cx_destroy_local',
  'upstream_cx_destroy_local_with_active_rq',
  'upstream_cx_destroy_remote',
  'upstream_cx_destroy_remote_with_active_rq',
  'upstream_cx_destroy_with_active_rq',
  'upstream_cx_http1_total',
  'upstream_cx_http2_total',
  'upstream_cx_idle_timeout',
  'upstream_cx_max_duration_reached',
  'upstream_cx_max_requests',
  'upstream_cx_none_healthy',
  'upstream_cx_overflow',
  'upstream_cx_pool_overflow',
  'upstream_cx_protocol_error',
  'upstream_cx_rx_bytes_total',
  'upstream_cx_total',
  'upstream_cx_tx_bytes_total',
  'upstream_flow_control_backed_up_total',
  'upstream_flow_control_drained_total',
  'upstream_flow_control_paused_reading_total',
  'upstream_flow_control_resumed_reading_total',
  'upstream_internal_redirect_failed_total',
  'upstream_internal_redirect_succeeded_total',
  'upstream_rq_active_overflow',
  'upstream_rq_cancelled',
  'upstream_rq_completed',
  'upstream_rq_maintenance_mode',
  'upstream_rq_max_duration_reached',
  'upstream_rq_pending_failure_eject',
  'upstream_rq_pending_overflow',
  'upstream_rq_pending_total',
  'upstream_rq_per_try_idle_timeout',
  'upstream_rq_per_try_timeout',
  'upstream_rq_retry',
  'upstream_rq_retry_backoff_exponential',
  'upstream_rq_retry_backoff_ratelimited',
  'upstream_rq_retry_limit_exceeded',
  'upstream_rq_retry_overflow',
  'upstream_rq_retry_success',
  'upstream_rq_rx_reset',
  'upstream_rq_timeout',
  'upstream_rq_total',
  'upstream_rq_tx_reset',
  'bind_errors',
  'original_dst_host_invalid',
  'lb_local_cluster_not_ok',
  'lb_recalculate_zone_structures',
  'lb_zone_cluster_too_small',
  'lb_zone_no_capacity_left',
  'lb_zone_routing_all_directly',
  'lb_zone_routing_cross_zone',
  'lb_zone_routing_sampled',
];

export const ClusterGauge = { CxActive: 0, RqActive: 1, RqPendingActive: 2 } as const;
export type ClusterGauge = (typeof ClusterGauge)[keyof typeof ClusterGauge];

/** Index: ClusterGauge. */
export const clusterGaugeNames: readonly string[] = [
  'upstream_cx_active',
  'upstream_rq_active',
  'upstream_rq_pending_active',
];

export const ClusterHistogram = { CxConnectMs: 0, CxLengthMs: 1, RqPerCx: 2, RqTime: 3 } as const;
export type ClusterHistogram = (typeof ClusterHistogram)[keyof typeof ClusterHistogram];

/** Index: ClusterHistogram. */
export const clusterHistogramNames: readonly string[] = [
  'upstream_cx_connect_ms',
  'upstream_cx_length_ms',
  'upstream_rq_per_cx',
  'upstream_rq_time',
];

/** What discovery counts; written by the main thread. */
const updateNames = [
  'assignment_stale',
  'assignment_timeout_received',
  'assignment_use_cached',
  'membership_change',
  'update_attempt',
  'update_empty',
  'update_failure',
  'update_no_rebuild',
  'update_success',
];

/** What subsets count, of which most clusters have none. */
const subsetNames = [
  'lb_subsets_created',
  'lb_subsets_fallback',
  'lb_subsets_fallback_panic',
  'lb_subsets_removed',
  'lb_subsets_selected',
];

/** Bytes between the sockets are not measured (docs/differences.md); versions come with control planes. */
const idleGaugeNames = [
  'lb_subsets_active',
  'upstream_cx_rx_bytes_buffered',
  'upstream_cx_tx_bytes_buffered',
  'version',
];

/** Of every cluster, whether it has been used or not. Status codes and their times come when they occur, as in Envoy. */
export const clusterStatNames: StatNames = {
  counters: [...updateNames, ...subsetNames, ...clusterCounterNames].sort(),
  gauges: [...idleGaugeNames, ...clusterGaugeNames].sort(),
  histograms: clusterHistogramNames.filter((name) => name !== 'upstream_rq_time'),
};
