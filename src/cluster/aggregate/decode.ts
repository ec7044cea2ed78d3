import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { Cluster_LbPolicy, type Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterConfigSchema } from '../../proto/envoy/extensions/clusters/aggregate/v3/cluster_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { DiscoveryData } from '../cluster-data.ts';

/** The type of clusters that are made of others. */
export const aggregateClusterKind = 'envoy.extensions.clusters.aggregate.v3.ClusterConfig';

const supported = new SupportedFields(ClusterConfigSchema, ['clusters']);

export function isAggregate({ clusterDiscoveryType: type }: Cluster): boolean {
  return type.case === 'clusterType' && (type.value.typedConfig?.typeUrl.endsWith(`/${aggregateClusterKind}`) ?? false);
}

/** `config`: of `aggregateClusterKind`, which stands at `reasons`; `cluster`: around it, at `outer`. */
export function decodeAggregate(config: Uint8Array, reasons: Reasons, cluster: Cluster, outer: Reasons): DiscoveryData {
  const message = fromBinary(ClusterConfigSchema, config);
  supported.check(message, reasons);
  if (cluster.lbPolicy !== Cluster_LbPolicy.CLUSTER_PROVIDED)
    outer.add(`cluster manager: cluster provided LB not specified but cluster '${cluster.name}' provided one`);
  return { kind: 'aggregate', clusters: message.clusters };
}
