import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  Config_DiscoveryMethodSchema,
  Config_IstioHeadersSchema,
  Config_PropagationMethodSchema,
  ConfigSchema,
  type Config_DiscoveryMethod,
  type Config_PropagationMethod,
} from '../../../proto/istio/peer_metadata_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { DiscoveryData, PeerMetadataData, PropagationData } from './peer-metadata-data.ts';

const fields = new SupportedFields(ConfigSchema, [
  'downstream_discovery',
  'upstream_discovery',
  'downstream_propagation',
  'upstream_propagation',
  'shared_with_upstream',
  'additional_labels',
]);
const discoveryFields = new SupportedFields(Config_DiscoveryMethodSchema, [
  'baggage',
  'workload_discovery',
  'istio_headers',
]);
const propagationFields = new SupportedFields(Config_PropagationMethodSchema, ['istio_headers', 'baggage']);
const headerFields = new SupportedFields(Config_IstioHeadersSchema, ['skip_external_clusters']);

export const peerMetadataDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): PeerMetadataData {
    const message = fromBinary(ConfigSchema, bytes);
    fields.check(message, reasons);
    return {
      downstreamDiscovery: discoveries(message.downstreamDiscovery, 'downstream_discovery', reasons),
      upstreamDiscovery: discoveries(message.upstreamDiscovery, 'upstream_discovery', reasons),
      downstreamPropagation: propagations(message.downstreamPropagation, 'downstream_propagation', reasons),
      upstreamPropagation: propagations(message.upstreamPropagation, 'upstream_propagation', reasons),
      sharedWithUpstream: message.sharedWithUpstream,
      additionalLabels: message.additionalLabels,
    };
  },
};

/** As Istio: one that says nothing is left out, and the upstream's answers have no baggage. */
function discoveries(methods: readonly Config_DiscoveryMethod[], field: string, reasons: Reasons): DiscoveryData[] {
  return methods.flatMap((method, i): DiscoveryData[] => {
    const at = reasons.at(field, i);
    discoveryFields.check(method, at);
    switch (method.methodSpecifier.case) {
      case 'istioHeaders':
        headerFields.check(method.methodSpecifier.value, at.at('istio_headers'));
        return ['istio-headers'];
      case 'workloadDiscovery':
        return ['workload-discovery'];
      case 'baggage':
        return field === 'downstream_discovery' ? ['baggage'] : [];
      default:
        return [];
    }
  });
}

function propagations(
  methods: readonly Config_PropagationMethod[],
  field: string,
  reasons: Reasons,
): PropagationData[] {
  return methods.flatMap((method, i): PropagationData[] => {
    const at = reasons.at(field, i);
    propagationFields.check(method, at);
    const { methodSpecifier } = method;
    if (methodSpecifier.case === 'baggage') return [{ kind: 'baggage' }];
    if (methodSpecifier.case !== 'istioHeaders') return [];
    headerFields.check(methodSpecifier.value, at.at('istio_headers'));
    return [{ kind: 'istio-headers', skipsExternalClusters: methodSpecifier.value.skipExternalClusters }];
  });
}
