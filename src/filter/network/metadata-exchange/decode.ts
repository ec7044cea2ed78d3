import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { MetadataExchangeSchema } from '../../../proto/istio/metadata_exchange_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { MetadataExchangeData } from './metadata-exchange-data.ts';

const fields = new SupportedFields(MetadataExchangeSchema, ['protocol', 'enable_discovery', 'additional_labels']);

export const metadataExchangeDecoder: ExtensionDecoder = {
  kind: MetadataExchangeSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): MetadataExchangeData {
    const message = fromBinary(MetadataExchangeSchema, bytes);
    fields.check(message, reasons);
    const { protocol, enableDiscovery, additionalLabels } = message;
    return { protocol, looksUp: enableDiscovery, additionalLabels };
  },
};
