import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ConfigSchema,
  MetadataSchema,
} from '../../proto/envoy/extensions/filters/http/set_metadata/v3/set_metadata_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { SetMetadataData } from './set-metadata.ts';

const supported = new SupportedFields(ConfigSchema, ['metadata_namespace', 'value', 'metadata']);
const metadataFields = new SupportedFields(MetadataSchema, [
  'metadata_namespace',
  'allow_overwrite',
  'value',
  'typed_value',
]);

export const setMetadataDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): SetMetadataData {
    const message = fromBinary(ConfigSchema, bytes);
    supported.check(message, reasons);
    const { value, metadataNamespace } = message;
    const isOldForm = value !== undefined && metadataNamespace !== '';
    const old = isOldForm ? [{ namespace: metadataNamespace, mayOverwrite: true, value }] : [];
    const entries = message.metadata.flatMap((metadata, i) => {
      metadataFields.check(metadata, reasons.at('metadata', i));
      const { metadataNamespace: namespace, allowOverwrite: mayOverwrite, value: struct } = metadata;
      return struct === undefined ? [] : [{ namespace, mayOverwrite, value: struct }];
    });
    // As Envoy: a struct comes before a message.
    const typed = message.metadata
      .filter(({ value: struct, typedValue }) => struct === undefined && typedValue !== undefined)
      .map(({ metadataNamespace: namespace, allowOverwrite: mayOverwrite }) => ({ namespace, mayOverwrite }));
    return { entries: [...old, ...entries], typed };
  },
};
