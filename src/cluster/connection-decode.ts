import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import {
  Cluster_PreconnectPolicySchema,
  UpstreamConnectionOptionsSchema,
  type Cluster,
} from '../proto/envoy/config/cluster/v3/cluster_pb.js';
import { TcpKeepaliveSchema } from '../proto/envoy/config/core/v3/address_pb.js';
import type { ClusterData } from './cluster-data.ts';

const supportedConnection = new SupportedFields(UpstreamConnectionOptionsSchema, ['tcp_keepalive']);
const supportedPreconnect = new SupportedFields(Cluster_PreconnectPolicySchema, ['per_upstream_preconnect_ratio']);
const supportedKeepalive = new SupportedFields(TcpKeepaliveSchema, [
  'keepalive_probes',
  'keepalive_time',
  'keepalive_interval',
]);

/** Envoy's default of TcpProtocolOptions. */
const defaultTcpIdleMs = 600_000;

export function decodeKeepAlive(
  cluster: Cluster,
  reasons: Reasons,
): Pick<ClusterData, 'keepAliveSeconds' | 'keepAliveIntervalSeconds' | 'keepAliveProbes'> {
  const options = cluster.upstreamConnectionOptions;
  if (options === undefined) return { keepAliveSeconds: null };
  const at = reasons.at('upstream_connection_options');
  supportedConnection.check(options, at);
  const keepalive = options.tcpKeepalive;
  if (keepalive === undefined) return { keepAliveSeconds: null };
  supportedKeepalive.check(keepalive, at.at('tcp_keepalive'));
  const { keepaliveTime = 0, keepaliveInterval = 0, keepaliveProbes = 0 } = keepalive;
  return {
    keepAliveSeconds: keepaliveTime,
    ...(keepaliveInterval > 0 && { keepAliveIntervalSeconds: keepaliveInterval }),
    ...(keepaliveProbes > 0 && { keepAliveProbes: keepaliveProbes }),
  };
}

export function decodePreconnect(
  cluster: Cluster,
  tcpIdleMs: number | null,
  reasons: Reasons,
): Pick<ClusterData, 'preconnect'> {
  const policy = cluster.preconnectPolicy;
  if (policy === undefined) return {};
  supportedPreconnect.check(policy, reasons.at('preconnect_policy'));
  const ratio = policy.perUpstreamPreconnectRatio ?? 1;
  return ratio > 1 ? { preconnect: { ratio, tcpIdleMs: tcpIdleMs ?? defaultTcpIdleMs } } : {};
}
