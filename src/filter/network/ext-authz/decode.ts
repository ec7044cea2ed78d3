import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { ApiVersion } from '../../../proto/envoy/config/core/v3/config_source_pb.js';
import { ExtAuthzSchema } from '../../../proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeMetadataMatcher } from '../../../route/match/state-decode.ts';
import { decodeAuthorizationService } from '../../ext-authz/decode-service.ts';
import type { NetworkExtAuthzData } from './network-ext-authz-data.ts';

const supported = new SupportedFields(
  ExtAuthzSchema,
  [
    'stat_prefix',
    'grpc_service',
    'failure_mode_allow',
    'include_peer_certificate',
    'transport_api_version',
    'filter_enabled_metadata',
    'include_tls_session',
    'bootstrap_metadata_labels_key',
    'metadata_context_namespaces',
  ],
  // Dynamic metadata here has no typed part that a filter could set.
  ['typed_metadata_context_namespaces'],
);

export const networkExtAuthzDecoder: ExtensionDecoder = {
  kind: ExtAuthzSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): NetworkExtAuthzData | null {
    const message = fromBinary(ExtAuthzSchema, bytes);
    supported.check(message, reasons);
    const { grpcService, filterEnabledMetadata } = message;
    if (message.transportApiVersion === ApiVersion.V2) reasons.at('transport_api_version').add('only V3 is supported');
    if (grpcService === undefined) {
      reasons.at('grpc_service').add('an authorization server must be named');
      return null;
    }
    const service = decodeAuthorizationService({ case: 'grpcService', value: grpcService }, [], reasons);
    if (service?.kind !== 'grpc') return null;
    return {
      statPrefix: message.statPrefix,
      service: service.service,
      failureModeAllow: message.failureModeAllow,
      includesPeerCertificate: message.includePeerCertificate,
      includesTlsSession: message.includeTlsSession,
      labelsKey: message.bootstrapMetadataLabelsKey,
      metadataNamespaces: message.metadataContextNamespaces,
      enabledMetadata:
        filterEnabledMetadata === undefined
          ? null
          : decodeMetadataMatcher(filterEnabledMetadata, reasons.at('filter_enabled_metadata')),
    };
  },
};
