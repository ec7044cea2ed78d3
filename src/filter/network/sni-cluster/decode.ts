import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { SniClusterSchema } from '../../../proto/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const supported = new SupportedFields(SniClusterSchema, []);

/** `envoy.filters.network.sni_cluster`: nothing to say. */
export const sniClusterDecoder: ExtensionDecoder = {
  kind: SniClusterSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): Record<string, never> {
    supported.check(fromBinary(SniClusterSchema, bytes), reasons);
    return {};
  },
};
