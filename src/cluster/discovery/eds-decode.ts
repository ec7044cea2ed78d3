import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeConfigSource } from '../../identity/decode/config-source-decode.ts';
import {
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfigSchema,
  type Cluster,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { DiscoveryData } from '../cluster-data.ts';

const supported = new SupportedFields(Cluster_EdsClusterConfigSchema, ['eds_config', 'service_name']);

export function isEds({ clusterDiscoveryType: choice }: Cluster): boolean {
  return choice.case === 'clusterType'
    ? choice.value.name === 'envoy.cluster.eds'
    : choice.value === Cluster_DiscoveryType.EDS;
}

export function decodeEds(cluster: Cluster, reasons: Reasons): DiscoveryData {
  const config = cluster.edsClusterConfig;
  const at = reasons.at('eds_cluster_config');
  if (config !== undefined) supported.check(config, at);
  if (config?.edsConfig === undefined) {
    reasons.add('cannot create an EDS cluster without an EDS config');
    return { kind: 'static' };
  }
  const serviceName = config.serviceName === '' ? cluster.name : config.serviceName;
  const source = decodeConfigSource(config.edsConfig, at.at('eds_config'), serviceName);
  if (source === null) return { kind: 'static' };
  return { kind: 'eds', serviceName, source };
}
