import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_OriginalDstLbConfigSchema,
  type Cluster,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { DiscoveryData } from '../cluster-data.ts';
import { decodeMetadataPath } from '../lb/metadata-path-decode.ts';

/** Envoy's defaults. */
const defaultHeader = 'x-envoy-original-dst-host';
const defaultCleanupMs = 5000;

const supported = new SupportedFields(Cluster_OriginalDstLbConfigSchema, [
  'use_http_header',
  'http_header_name',
  'upstream_port_override',
  'metadata_key',
]);

export function isOriginalDst({ clusterDiscoveryType: type }: Cluster): boolean {
  if (type.case === 'clusterType') return type.value.name === 'envoy.cluster.original_dst';
  return type.case === 'type' && type.value === Cluster_DiscoveryType.ORIGINAL_DST;
}

/** Reasons are in Envoy's words. */
export function decodeOriginalDst(cluster: Cluster, reasons: Reasons): DiscoveryData {
  const at = reasons.at('original_dst_lb_config');
  const said = cluster.lbConfig.case === 'originalDstLbConfig' ? cluster.lbConfig.value : undefined;
  if (said !== undefined) supported.check(said, at);
  // As Envoy: a cluster whose type is given by name is not asked for it.
  const config = cluster.clusterDiscoveryType.case === 'type' ? said : undefined;
  if (cluster.lbPolicy !== Cluster_LbPolicy.CLUSTER_PROVIDED)
    reasons
      .at('lb_policy')
      .add(
        `cluster: LB policy ${Cluster_LbPolicy[cluster.lbPolicy]} is not valid for Cluster type ORIGINAL_DST. Only 'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'`,
      );
  if (cluster.loadAssignment !== undefined)
    reasons.at('load_assignment').add('ORIGINAL_DST clusters must have no load assignment configured');
  const header = config?.httpHeaderName ?? '';
  const usesHeader = config?.useHttpHeader ?? false;
  if (said !== undefined && !said.useHttpHeader && said.httpHeaderName !== '')
    at.at('http_header_name').add(
      `ORIGINAL_DST cluster: invalid config http_header_name=${said.httpHeaderName} and use_http_header is false. Set use_http_header to true if http_header_name is desired.`,
    );
  return {
    kind: 'original-dst',
    asked: {
      metadataPath:
        config?.metadataKey === undefined ? null : decodeMetadataPath(config.metadataKey, at.at('metadata_key')),
      header: usesHeader ? (header === '' ? defaultHeader : header.toLowerCase()) : '',
      port: config?.upstreamPortOverride ?? null,
      cleanupMs: durationMs(cluster.cleanupInterval, defaultCleanupMs),
    },
  };
}
