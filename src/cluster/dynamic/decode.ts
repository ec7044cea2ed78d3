import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { Cluster_LbPolicy, type Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterConfigSchema } from '../../proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { DiscoveryData, UpstreamHttpData } from '../cluster-data.ts';
import { decodeDnsCache } from './dns-cache-decode.ts';

/** The type of clusters whose hosts are whoever is asked for. */
export const dynamicClusterKind = 'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig';

const supported = new SupportedFields(ClusterConfigSchema, ['dns_cache_config', 'allow_insecure_cluster_options']);

/** `config`: of `dynamicClusterKind`. `reasons`: where it stands; `cluster`: where the cluster does. */
export function decodeDynamicCluster(config: Uint8Array, reasons: Reasons, extensions: Extensions): DiscoveryData {
  const message = fromBinary(ClusterConfigSchema, config);
  supported.check(message, reasons);
  const choice = message.clusterImplementationSpecifier;
  if (choice.case !== 'dnsCacheConfig') return { kind: 'static' };
  return { kind: 'dynamic', cache: decodeDnsCache(choice.value, reasons.at('dns_cache_config'), extensions) };
}

export function isDynamic({ clusterDiscoveryType: type }: Cluster): boolean {
  if (type.case !== 'clusterType') return false;
  return type.value.typedConfig?.typeUrl.endsWith(`/${dynamicClusterKind}`) ?? false;
}

/** What holds for the rest of such a cluster, in Envoy's words: its hosts choose themselves, and must be who they say. */
export function checkDynamicCluster(cluster: Cluster, http: UpstreamHttpData, reasons: Reasons): UpstreamHttpData {
  if (!isDynamic(cluster)) return http;
  if (cluster.lbPolicy !== Cluster_LbPolicy.CLUSTER_PROVIDED)
    reasons.add(`cluster manager: cluster provided LB not specified but cluster '${cluster.name}' provided one`);
  const isSilent =
    cluster.upstreamHttpProtocolOptions === undefined &&
    Object.keys(cluster.typedExtensionProtocolOptions).length === 0;
  if (isSilent) return { ...http, names: { ...http.names, autoSni: true, autoSanValidation: true } };
  const isChecked = http.names.autoSni && http.names.autoSanValidation;
  if (!isChecked && !allowsInsecure(cluster))
    reasons.add(
      'dynamic_forward_proxy cluster must have auto_sni and auto_san_validation true unless allow_insecure_cluster_options is set',
    );
  return http;
}

function allowsInsecure({ clusterDiscoveryType: type }: Cluster): boolean {
  const config = type.case === 'clusterType' ? type.value.typedConfig : undefined;
  return config !== undefined && fromBinary(ClusterConfigSchema, config.value).allowInsecureClusterOptions;
}
