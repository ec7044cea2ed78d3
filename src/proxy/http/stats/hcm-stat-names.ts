/**
 * What a connection manager and its router count rarely, below `http.<stat_prefix>.`: shown from the start, as in Envoy.
 * Names of what is refused here (HTTP/3) are left out.
 */
export const rareCounterNames = [
  'downstream_cx_delayed_close_timeout',
  'downstream_cx_destroy_active_rq',
  'downstream_cx_destroy_local',
  'downstream_cx_destroy_local_active_rq',
  'downstream_cx_destroy_remote',
  'downstream_cx_destroy_remote_active_rq',
  'downstream_cx_drain_close',
  'downstream_cx_idle_timeout',
  'downstream_cx_max_duration_reached',
  'downstream_cx_max_requests_reached',
  'downstream_cx_overload_disable_keepalive',
  'downstream_cx_protocol_error',
  'downstream_flow_control_paused_reading_total',
  'downstream_flow_control_resumed_reading_total',
  'downstream_rq_header_timeout',
  'downstream_rq_idle_timeout',
  'downstream_rq_max_duration_reached',
  'downstream_rq_overload_close',
  'downstream_rq_response_before_rq_complete',
  'downstream_rq_rx_reset',
  'downstream_rq_timeout',
  'downstream_rq_too_large',
  'downstream_rq_too_many_premature_resets',
  'downstream_rq_tx_reset',
  'downstream_rq_ws_on_non_ws_route',
  'no_cluster',
  'no_route',
  'rq_direct_response',
  'rq_overload_local_reply',
  // Envoy lists it and counts redirects as direct responses.
  'rq_redirect',
  'passthrough_internal_redirect_bad_location',
  'passthrough_internal_redirect_no_route',
  'passthrough_internal_redirect_predicate',
  'passthrough_internal_redirect_too_many_redirects',
  'passthrough_internal_redirect_unsafe_scheme',
  'rq_reset_after_downstream_response_started',
  'rs_too_large',
  'tracing.client_enabled',
  'tracing.health_check',
  'tracing.not_traceable',
  'tracing.random_sampling',
  'tracing.service_forced',
] as const;

export type RareCounterName = (typeof rareCounterNames)[number];

/** Bytes between the sockets are not measured (docs/differences.md). */
export const idleGaugeNames: readonly string[] = ['downstream_cx_rx_bytes_buffered', 'downstream_cx_tx_bytes_buffered'];
