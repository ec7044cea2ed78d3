import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeApiSource, decodeConfigSource } from '../../identity/decode/config-source-decode.ts';
import {
  Bootstrap_DynamicResourcesSchema,
  type Bootstrap_DynamicResources,
} from '../../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { ClusterSchema } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { ConfigSource } from '../../proto/envoy/config/core/v3/config_source_pb.js';
import { ListenerSchema } from '../../proto/envoy/config/listener/v3/listener_pb.js';
import type { DynamicResourcesData, NodeData } from '../bootstrap-data.ts';
import { noAds } from './resource-decoding.ts';

const supported = new SupportedFields(Bootstrap_DynamicResourcesSchema, ['lds_config', 'cds_config', 'ads_config']);

/** `dynamic_resources`: where what is not written in the configuration comes from. */
export function decodeDynamicResources(
  message: Bootstrap_DynamicResources | undefined,
  node: NodeData,
  reasons: Reasons,
): DynamicResourcesData {
  if (message === undefined) return { lds: null, cds: null, ads: null };
  supported.check(message, reasons);
  const { ldsConfig, cdsConfig, adsConfig } = message;
  const source = (config: ConfigSource | undefined, field: string, typeUrl: string) => {
    if (config === undefined) return null;
    insistOnNode(node, typeUrl, reasons.at(field));
    const data = decodeConfigSource(config, reasons.at(field));
    if (data?.from.kind === 'ads' && adsConfig === undefined) reasons.at(field).add(noAds);
    return data;
  };
  if (adsConfig !== undefined) insistOnNode(node, 'ads', reasons.at('ads_config'));
  return {
    lds: source(ldsConfig, 'lds_config', `type.googleapis.com/${ListenerSchema.typeName}`),
    cds: source(cdsConfig, 'cds_config', `type.googleapis.com/${ClusterSchema.typeName}`),
    ads: adsConfig === undefined ? null : decodeApiSource(adsConfig, reasons.at('ads_config')),
  };
}

/** Envoy's words: sources would not know whom they talk to. It insists of files, too. */
export function insistOnNode({ id, cluster }: NodeData, what: string, reasons: Reasons): void {
  if (id !== '' && cluster !== '') return;
  reasons.add(
    `${what}: node 'id' and 'cluster' are required. Set it either in 'node' config or via --service-node and --service-cluster options.`,
  );
}
