import { describe, expect, it } from 'vitest';

import { TagExtraction } from '../../../../src/observe/stats/tag-extraction.ts';
import type { StatsTagData } from '../../../../src/observe/stats/stats-data.ts';

function series(name: string, useAllDefaultTags = true, tags: readonly StatsTagData[] = []): string {
  const tagged = new TagExtraction({ useAllDefaultTags, tags }).extract(name);
  const sanitize = (text: string) => text.replace(/[^a-zA-Z0-9_]/g, '_');
  const labels = tagged.tags.map((tag) => `${sanitize(tag.name)}="${tag.value}"`).join(',');
  return `envoy_${sanitize(tagged.name)}{${labels}}`;
}

// A real Envoy's names under /stats and what it made of them under /stats/prometheus.
describe('TagExtraction', () => {
  it.each([
    ['cluster.up.assignment_stale', 'envoy_cluster_assignment_stale{envoy_cluster_name="up"}'],
    [
      'cluster.up.ext_authz.eap.error',
      'envoy_cluster_ext_authz_error{envoy_cluster_name="up",envoy_ext_authz_prefix="eap"}',
    ],
    [
      'cluster.up.external.upstream_rq_200',
      'envoy_cluster_external_upstream_rq{envoy_response_code="200",envoy_cluster_name="up"}',
    ],
    [
      'cluster.up.external.upstream_rq_2xx',
      'envoy_cluster_external_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="up"}',
    ],
    ['cluster_manager.active_clusters', 'envoy_cluster_manager_active_clusters{}'],
    [
      'connection_limit.clp.active_connections',
      'envoy_connection_limit_active_connections{envoy_connection_limit_prefix="clp"}',
    ],
    ['downstream_cx_proxy_proto_error', 'envoy_downstream_cx_proxy_proto_error{}'],
    [
      'envoy.overload_actions.reset_high_memory_stream.count',
      'envoy_envoy_overload_actions_reset_high_memory_stream_count{}',
    ],
    ['filesystem.flushed_by_timer', 'envoy_filesystem_flushed_by_timer{}'],
    ['http.admin.downstream_cx_active', 'envoy_http_downstream_cx_active{envoy_http_conn_manager_prefix="admin"}'],
    [
      'http.admin.downstream_rq_1xx',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="1",envoy_http_conn_manager_prefix="admin"}',
    ],
    [
      'http.web.ext_authz.eap.denied',
      'envoy_http_ext_authz_denied{envoy_ext_authz_prefix="eap",envoy_http_conn_manager_prefix="web"}',
    ],
    [
      'http.web.rbac.policy.pol1.allowed',
      'envoy_http_rbac_policy_allowed{envoy_rbac_policy_name="pol1",envoy_http_conn_manager_prefix="web"}',
    ],
    [
      'http.web.rbac.rules.allowed',
      'envoy_http_rbac_allowed{envoy_rbac_http_prefix="rules",envoy_http_conn_manager_prefix="web"}',
    ],
    [
      'http.web.rbac.rules.policy.pol1.allowed',
      'envoy_http_rbac_policy_allowed{envoy_rbac_policy_name="pol1",envoy_rbac_http_prefix="rules",envoy_http_conn_manager_prefix="web"}',
    ],
    ['http1.dropped_headers_with_underscores', 'envoy_http1_dropped_headers_with_underscores{}'],
    [
      'listener.127.0.0.1_29903.downstream_cx_active',
      'envoy_listener_downstream_cx_active{envoy_listener_address="127.0.0.1_29903"}',
    ],
    [
      'listener.127.0.0.1_29903.worker_0.downstream_cx_active',
      'envoy_listener_worker_downstream_cx_active{envoy_worker_id="0",envoy_listener_address="127.0.0.1_29903"}',
    ],
    ['listener.admin.downstream_cx_active', 'envoy_listener_admin_downstream_cx_active{}'],
    [
      'listener.admin.http.admin.downstream_rq_1xx',
      'envoy_listener_admin_http_downstream_rq_xx{envoy_response_code_class="1",envoy_http_conn_manager_prefix="admin"}',
    ],
    [
      'listener.admin.http.admin.downstream_rq_completed',
      'envoy_listener_admin_http_downstream_rq_completed{envoy_http_conn_manager_prefix="admin"}',
    ],
    [
      'listener.main_stat.http.web.downstream_rq_1xx',
      'envoy_listener_http_downstream_rq_xx{envoy_response_code_class="1",envoy_http_conn_manager_prefix="web",envoy_listener_address="main_stat"}',
    ],
    [
      'listener.main_stat.http.web.downstream_rq_completed',
      'envoy_listener_http_downstream_rq_completed{envoy_http_conn_manager_prefix="web",envoy_listener_address="main_stat"}',
    ],
    ['listener_manager.listener_added', 'envoy_listener_manager_listener_added{}'],
    [
      'local_rate_limit.nlr.rate_limited',
      'envoy_local_rate_limit_rate_limited{envoy_local_network_ratelimit_prefix="nlr"}',
    ],
    [
      'lrl.http_local_rate_limit.enabled',
      'envoy_http_local_rate_limit_enabled{envoy_local_http_ratelimit_prefix="lrl"}',
    ],
    ['main_thread.watchdog_mega_miss', 'envoy_main_thread_watchdog_mega_miss{}'],
    ['nrb.rbac.allowed', 'envoy_rbac_allowed{envoy_rbac_prefix="nrb"}'],
    ['proxy_proto.pps.not_found_allowed', 'envoy_proxy_proto_not_found_allowed{envoy_proxy_protocol_prefix="pps"}'],
    [
      'proxy_proto.pps.versions.v1.disallowed',
      'envoy_proxy_proto_disallowed{envoy_proxy_protocol_prefix="pps",envoy_proxy_protocol_version="1"}',
    ],
    ['ratelimit.rlp.active', 'envoy_ratelimit_active{envoy_ratelimit_prefix="rlp"}'],
    ['redis.red.command.append.delay_fault', 'envoy_redis_command_append_delay_fault{envoy_redis_prefix="red"}'],
    ['runtime.admin_overrides_active', 'envoy_runtime_admin_overrides_active{}'],
    ['server.compilation_settings.fips_mode', 'envoy_server_compilation_settings_fips_mode{}'],
    ['server.worker_0.watchdog_mega_miss', 'envoy_server_worker_watchdog_mega_miss{envoy_worker_id="0"}'],
    ['tcp.tp.downstream_cx_drain_close', 'envoy_tcp_downstream_cx_drain_close{envoy_tcp_prefix="tp"}'],
    [
      'thread_local_cluster_manager.main_thread.clusters_inflated',
      'envoy_thread_local_cluster_manager_main_thread_clusters_inflated{}',
    ],
    [
      'thread_local_cluster_manager.worker_0.clusters_inflated',
      'envoy_thread_local_cluster_manager_worker_clusters_inflated{envoy_worker_id="0"}',
    ],
    [
      'thrift.thr.cx_destroy_local_with_active_rq',
      'envoy_thrift_cx_destroy_local_with_active_rq{envoy_thrift_prefix="thr"}',
    ],
    [
      'vhost.vh.route.rsp.upstream_rq_200',
      'envoy_vhost_route_upstream_rq{envoy_response_code="200",envoy_virtual_host="vh",envoy_route="rsp"}',
    ],
    [
      'vhost.vh.route.rsp.upstream_rq_2xx',
      'envoy_vhost_route_upstream_rq_xx{envoy_response_code_class="2",envoy_virtual_host="vh",envoy_route="rsp"}',
    ],
    [
      'vhost.vh.route.rsp.upstream_rq_completed',
      'envoy_vhost_route_upstream_rq_completed{envoy_virtual_host="vh",envoy_route="rsp"}',
    ],
    [
      'vhost.vh.vcluster.other.upstream_rq_retry',
      'envoy_vhost_vcluster_upstream_rq_retry{envoy_virtual_cluster="other",envoy_virtual_host="vh"}',
    ],
    [
      'vhost.vh.vcluster.vc1.upstream_rq_200',
      'envoy_vhost_vcluster_upstream_rq{envoy_response_code="200",envoy_virtual_cluster="vc1",envoy_virtual_host="vh"}',
    ],
    [
      'vhost.vh.vcluster.vc1.upstream_rq_2xx',
      'envoy_vhost_vcluster_upstream_rq_xx{envoy_response_code_class="2",envoy_virtual_cluster="vc1",envoy_virtual_host="vh"}',
    ],
    ['workers.watchdog_mega_miss', 'envoy_workers_watchdog_mega_miss{}'],
    // A dot ends a prefix.
    ['http.ingress.web.rbac.rsp.allowed', 'envoy_http_web_rbac_rsp_allowed{envoy_http_conn_manager_prefix="ingress"}'],
    [
      'vhost.vh.a.vcluster.vc1.upstream_rq_time',
      'envoy_vhost_a_vcluster_vc1_upstream_rq_time{envoy_virtual_host="vh"}',
    ],
    ['tcp.tcp.pre.downstream_cx_total', 'envoy_tcp_pre_downstream_cx_total{envoy_tcp_prefix="tcp"}'],
    [
      'listener.[__1]_29903.downstream_cx_total',
      'envoy_listener_downstream_cx_total{envoy_listener_address="[__1]_29903"}',
    ],
  ])('%s', (name, expected) => {
    expect(series(name)).toBe(expected);
  });

  const custom: readonly StatsTagData[] = [
    { name: 'my.fixed', regex: null, fixedValue: 'fv' },
    { name: 'my_re', regex: '^http\\.((ingress)\\.)', fixedValue: null },
  ];
  it.each([
    [
      'http.ingress.web.downstream_rq_4xx',
      'envoy_http_web_downstream_rq_xx{envoy_response_code_class="4",my_fixed="fv",envoy_http_conn_manager_prefix="ingress",my_re="ingress"}',
    ],
    [
      'listener.127.0.0.1_29902.http.ingress.web.downstream_rq_4xx',
      'envoy_listener_http_web_downstream_rq_xx{envoy_response_code_class="4",my_fixed="fv",envoy_http_conn_manager_prefix="ingress",envoy_listener_address="127.0.0.1_29902"}',
    ],
  ])('%s with configured tags', (name, expected) => {
    expect(series(name, true, custom)).toBe(expected);
  });

  it.each([
    ['listener.127.0.0.1_80.http.in.x', 'envoy_listener_127_0_0_1_80_http_x{mine="in"}'],
    ['listeners.http.in.x', 'envoy_listeners_http_in_x{}'],
  ])('%s, by an expression that looks ahead to the dot behind its first token', (name, expected) => {
    const ahead = [{ name: 'mine', regex: String.raw`^listener(?=\.).*?\.http\.((\w+)\.)`, fixedValue: null }];
    expect(series(name, false, ahead)).toBe(expected);
  });

  it('takes only the default tags that are named, when all are switched off', () => {
    const named = [{ name: 'envoy.cluster_name', regex: null, fixedValue: null }];
    expect(series('cluster.up.external.upstream_rq_200', false, named)).toBe(
      'envoy_cluster_external_upstream_rq_200{envoy_cluster_name="up"}',
    );
  });
});
