/**
 * The tags that Envoy takes out of stat names, in its order. Source: Envoy `source/common/config/well_known_names.cc`,
 * checked against what a real Envoy prints.
 *
 * Envoy tries the rules with a regex first, then those with tokens; that is the order of the tags.
 *
 * `tokens`: a dotted pattern; `*` is one token, `$` the token that is the tag, `**` any number of tokens.
 * `regex`: the first group leaves the name, the second is the value. `not`: a value that is no tag.
 */
export interface TagRule {
  readonly tag: string;
  readonly tokens?: string;
  readonly regex?: string;
  readonly not?: string;
}

const VALUE = String.raw`[^\.]+`;
const ADDRESS = String.raw`(?:(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[[a-fA-F_\d]+\])_\d+)`;
const CIPHER = String.raw`[\w-]+`;
const ROUTE_CONFIG = String.raw`[\w.-]+`;
const LISTENER_OR_CLUSTER = String.raw`(?:listener|cluster)\..*?`;

const raw = String.raw;

export const DEFAULT_TAG_RULES: readonly TagRule[] = [
  { tag: 'envoy.response_code', regex: raw`_rq(_(\d{3}))$` },
  { tag: 'envoy.response_code_class', regex: raw`_rq_((\d))xx$` },
  {
    tag: 'envoy.dynamo_partition_id',
    regex: raw`^http\.${VALUE}\.dynamodb\.table\.${VALUE}\.capacity\.${VALUE}(\.__partition_id=(\w{7}))$`,
  },
  {
    tag: 'envoy.dynamo_operation',
    regex: raw`^http\.${VALUE}\.dynamodb.(?:operation|table\.${VALUE}\.capacity)(\.(${VALUE}))(?:\.|$)`,
  },
  { tag: 'envoy.mongo_callsite', tokens: 'mongo.*.collection.*.callsite.$.query.**' },
  { tag: 'envoy.dynamo_table', regex: raw`^http\.${VALUE}\.dynamodb.(?:table|error)\.((${VALUE})\.)` },
  { tag: 'envoy.mongo_collection', tokens: 'mongo.*.collection.$.**.query.*' },
  { tag: 'envoy.mongo_cmd', tokens: 'mongo.*.cmd.$.**' },
  { tag: 'envoy.grpc_bridge_method', tokens: 'cluster.*.grpc.*.$.**' },
  { tag: 'envoy.http_user_agent', tokens: 'http.*.user_agent.$.**' },
  { tag: 'envoy.virtual_cluster', tokens: 'vhost.*.vcluster.$.**' },
  { tag: 'envoy.fault_downstream_cluster', tokens: 'http.*.fault.$.**' },
  { tag: 'envoy.ssl_cipher', regex: raw`^listener\..*?\.ssl\.ciphers(\.(${CIPHER}))$` },
  { tag: 'envoy.ssl_curve', regex: raw`^${LISTENER_OR_CLUSTER}\.ssl\.curves(\.(${CIPHER}))$` },
  { tag: 'envoy.ssl_sigalg', regex: raw`^${LISTENER_OR_CLUSTER}\.ssl\.sigalgs(\.(${CIPHER}))$` },
  { tag: 'envoy.ssl_version', regex: raw`^${LISTENER_OR_CLUSTER}\.ssl\.versions(\.(TLSv\d\.\d))$` },
  { tag: 'cipher_suite', regex: raw`^cluster\.${VALUE}\.ssl\.ciphers(\.(${CIPHER}))$` },
  { tag: 'envoy.grpc_bridge_service', tokens: 'cluster.*.grpc.$.**' },
  { tag: 'envoy.tcp_prefix', tokens: 'tcp.$.**' },
  { tag: 'envoy.udp_prefix', tokens: 'udp.$.**' },
  { tag: 'envoy.clientssl_prefix', tokens: 'auth.clientssl.$.**' },
  { tag: 'envoy.ratelimit_prefix', tokens: 'ratelimit.$.**' },
  { tag: 'envoy.cluster_name', tokens: 'cluster.$.**' },
  { tag: 'envoy.http_conn_manager_prefix', regex: raw`^listener\..*?\.http\.((${VALUE})\.)` },
  { tag: 'envoy.ext_authz_prefix', tokens: 'cluster.*.ext_authz.$.**' },
  { tag: 'envoy.ext_authz_prefix', tokens: 'http.*.ext_authz.$.**' },
  { tag: 'envoy.http_conn_manager_prefix', tokens: 'http.$.**' },
  {
    tag: 'envoy.worker_id',
    regex: raw`^(?:listener\.(?:${ADDRESS}|${VALUE})|server|listener_manager|thread_local_cluster_manager)\.worker_((\d+)\.)`,
  },
  { tag: 'envoy.listener_address', regex: raw`^listener\.((${ADDRESS}|${VALUE})\.)`, not: 'admin' },
  { tag: 'envoy.virtual_host', tokens: 'vhost.$.**' },
  { tag: 'envoy.mongo_prefix', tokens: 'mongo.$.**' },
  { tag: 'envoy.rds_route_config', regex: raw`^http\.${VALUE}\.rds\.((${ROUTE_CONFIG})\.)\w+?$` },
  { tag: 'envoy.scoped_rds_config', regex: raw`^http\.${VALUE}\.scoped_rds\.((${ROUTE_CONFIG})\.)\w+?$` },
  { tag: 'envoy.route', tokens: 'vhost.*.route.$.**' },
  { tag: 'envoy.thrift_prefix', tokens: 'thrift.$.**' },
  { tag: 'envoy.redis_prefix', tokens: 'redis.$.**' },
  { tag: 'envoy.local_http_ratelimit_prefix', tokens: '$.http_local_rate_limit.**' },
  { tag: 'envoy.local_network_ratelimit_prefix', tokens: 'local_rate_limit.$.**' },
  { tag: 'envoy.local_listener_ratelimit_prefix', tokens: 'listener_local_ratelimit.$.**' },
  { tag: 'envoy.dns_filter_prefix', tokens: 'dns_filter.$.**' },
  { tag: 'envoy.connection_limit_prefix', tokens: 'connection_limit.$.**' },
  { tag: 'envoy.rbac_prefix', tokens: '$.rbac.**' },
  {
    tag: 'envoy.rbac_policy_name',
    regex: raw`^http\.${VALUE}\.rbac\.(?:${VALUE}\.)?policy\.((${VALUE})\.)(allowed|shadow_allowed|denied|shadow_denied)$`,
  },
  { tag: 'envoy.rbac_http_prefix', regex: raw`^http\.${VALUE}\.rbac\.((${VALUE})\.).*?`, not: 'policy' },
  { tag: 'envoy.proxy_protocol_prefix', regex: raw`^proxy_proto\.((${VALUE})\.).+$`, not: 'versions' },
  { tag: 'envoy.proxy_protocol_version', regex: raw`^proxy_proto\.((?:${VALUE}\.)?versions\.v(\d)\.)\w+$` },
  { tag: 'envoy.google_grpc_client_prefix', tokens: 'grpc.$.**' },
  { tag: 'envoy.tls_certificate', regex: raw`^${LISTENER_OR_CLUSTER}\.ssl\.certificate\.((${VALUE})\.).*$` },
  { tag: 'envoy.xds_resource_name', regex: raw`^sds\.((${VALUE})\.).+` },
];
