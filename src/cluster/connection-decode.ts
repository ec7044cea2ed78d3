import { isIP } from 'node:net';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import {
  Cluster_PreconnectPolicySchema,
  UpstreamConnectionOptionsSchema,
  type Cluster,
} from '../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  BindConfigSchema,
  ExtraSourceAddressSchema,
  SocketAddressSchema,
  TcpKeepaliveSchema,
  type BindConfig,
  type SocketAddress,
} from '../proto/envoy/config/core/v3/address_pb.js';
import type { ClusterData } from './cluster-data.ts';

const supportedBind = new SupportedFields(BindConfigSchema, [
  'source_address',
  'extra_source_addresses',
  'additional_source_addresses',
]);
const supportedExtra = new SupportedFields(ExtraSourceAddressSchema, ['address']);
const supportedAddress = new SupportedFields(SocketAddressSchema, ['address', 'port_value']);
const supportedConnection = new SupportedFields(UpstreamConnectionOptionsSchema, ['tcp_keepalive']);
const supportedPreconnect = new SupportedFields(Cluster_PreconnectPolicySchema, ['per_upstream_preconnect_ratio']);
const supportedKeepalive = new SupportedFields(TcpKeepaliveSchema, [
  'keepalive_probes',
  'keepalive_time',
  'keepalive_interval',
]);

/** Envoy's default of TcpProtocolOptions. */
const defaultTcpIdleMs = 600_000;

type Bound = NonNullable<ClusterData['bindAddress']>;

/** Reasons are in Envoy's words. */
export function decodeBind(
  cluster: string,
  bind: BindConfig | undefined,
  reasons: Reasons,
): Pick<ClusterData, 'bindAddress' | 'otherBindAddress'> {
  if (bind === undefined) return { bindAddress: null };
  supportedBind.check(bind, reasons);
  const { sourceAddress, extraSourceAddresses, additionalSourceAddresses } = bind;
  const words = `Cluster ${cluster}'s upstream binding config`;
  if (extraSourceAddresses.length > 0 && additionalSourceAddresses.length > 0)
    reasons.add(`Can't specify both \`extra_source_addresses\` and \`additional_source_addresses\` in the ${words}`);
  const extras = [
    ...extraSourceAddresses.flatMap((extra, i) => {
      const at = reasons.at('extra_source_addresses', i);
      supportedExtra.check(extra, at);
      return extra.address === undefined ? [] : [decodeSource(extra.address, at.at('address'))];
    }),
    ...additionalSourceAddresses.map((one, i) => decodeSource(one, reasons.at('additional_source_addresses', i))),
  ];
  if (sourceAddress === undefined) {
    if (extras.length > 0)
      reasons.add(
        `${words} has extra/additional source addresses but no source_address. Extra/additional addresses cannot be specified if source_address is not set.`,
      );
    return { bindAddress: null };
  }
  const own = decodeSource(sourceAddress, reasons.at('source_address'));
  if (extras.length > 1)
    reasons.add(
      `${words} has more than one extra/additional source addresses. Only one extra/additional source can be supported in BindConfig's extra_source_addresses/additional_source_addresses field`,
    );
  else if (extras.length === 1 && isIP(extras[0].host) === isIP(own.host))
    reasons.add(
      `${words} has two same IP version source addresses. Only two different IP version source addresses can be supported in BindConfig's source_address and extra_source_addresses/additional_source_addresses fields`,
    );
  return { bindAddress: own, ...(extras.length > 0 && { otherBindAddress: extras[0] }) };
}

function decodeSource(source: SocketAddress, reasons: Reasons): Bound {
  supportedAddress.check(source, reasons);
  if (isIP(source.address) === 0) reasons.at('address').add(`malformed IP address: ${source.address}`);
  return { host: source.address, port: source.portSpecifier.case === 'portValue' ? source.portSpecifier.value : 0 };
}

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
