import type { ExtensionDecoder, Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  InternalUpstreamTransport_MetadataValueSourceSchema,
  InternalUpstreamTransportSchema,
  type InternalUpstreamTransport_MetadataValueSource,
} from '../../../proto/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeTransportSocket } from '../decode.ts';
import type { InternalSocketData } from '../transport-data.ts';

const supported = new SupportedFields(InternalUpstreamTransportSchema, ['passthrough_metadata', 'transport_socket']);
const supportedSource = new SupportedFields(InternalUpstreamTransport_MetadataValueSourceSchema, ['kind', 'name']);

/** `envoy.transport_sockets.upstream`: what an internal listener gets to know of those who connect to it. */
export const internalTransportDecoder: ExtensionDecoder = {
  kind: InternalUpstreamTransportSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons, extensions: Extensions): InternalSocketData {
    const message = fromBinary(InternalUpstreamTransportSchema, bytes);
    supported.check(message, reasons);
    return {
      kind: 'internal',
      inner: decodeTransportSocket(message.transportSocket, reasons.at('transport_socket'), extensions),
      passed: message.passthroughMetadata.flatMap((source, i) =>
        decodeSource(source, reasons.at('passthrough_metadata', i)),
      ),
    };
  },
};

function decodeSource(
  source: InternalUpstreamTransport_MetadataValueSource,
  reasons: Reasons,
): InternalSocketData['passed'] {
  supportedSource.check(source, reasons);
  const kind = source.kind?.kind.case;
  if (kind === 'host' || kind === 'cluster') return [{ of: kind, name: source.name }];
  reasons.at('kind').add(`metadata type is not supported: ${kind ?? ''}`);
  return [];
}
