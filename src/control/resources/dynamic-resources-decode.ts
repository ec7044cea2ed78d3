import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeApiSource, decodeConfigSource } from '../../identity/decode/config-source-decode.ts';
import {
  Bootstrap_DynamicResourcesSchema,
  type Bootstrap_DynamicResources,
} from '../../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { ConfigSource } from '../../proto/envoy/config/core/v3/config_source_pb.js';
import type { NodeData } from '../bootstrap-data.ts';
import { clusterKind, listenerKind } from '../xds/resource-kinds.ts';
import { nothingDynamic, type DynamicResourcesData } from './dynamic-resources-data.ts';

const supported = new SupportedFields(Bootstrap_DynamicResourcesSchema, ['lds_config', 'cds_config', 'ads_config']);

export function decodeDynamicResources(
  message: Bootstrap_DynamicResources | undefined,
  node: NodeData,
  reasons: Reasons,
): DynamicResourcesData {
  if (message === undefined) return nothingDynamic;
  supported.check(message, reasons);
  const source = (config: ConfigSource | undefined, field: string, typeUrl: string) => {
    if (config === undefined) return null;
    insistOnNode(node, typeUrl, reasons.at(field));
    return decodeConfigSource(config, reasons.at(field));
  };
  const { ldsConfig, cdsConfig, adsConfig } = message;
  if (adsConfig !== undefined) insistOnNode(node, 'ads', reasons.at('ads_config'));
  return {
    listeners: source(ldsConfig, 'lds_config', listenerKind.typeUrl),
    clusters: source(cdsConfig, 'cds_config', clusterKind.typeUrl),
    ads: adsConfig === undefined ? null : decodeApiSource(adsConfig, reasons.at('ads_config')),
  };
}

/** Envoy's words: sources would not know whom they talk to. It insists of files, too. */
function insistOnNode({ id, cluster }: NodeData, what: string, reasons: Reasons): void {
  if (id !== '' && cluster !== '') return;
  reasons.add(
    `${what}: node 'id' and 'cluster' are required. Set it either in 'node' config or via --service-node and --service-cluster options.`,
  );
}
