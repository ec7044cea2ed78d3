import { decodeOnDemand } from '../../../cluster/on-demand/decode.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { OnDemandData } from '../../../filter/on-demand/on-demand-data.ts';
import {
  OnDemandCdsSchema,
  OnDemandSchema,
  PerRouteConfigSchema,
  type OnDemandCds,
} from '../../../proto/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const supported = new SupportedFields(OnDemandSchema, ['odcds']);
const supportedPerRoute = new SupportedFields(PerRouteConfigSchema, ['odcds']);
const cdsFields = new SupportedFields(OnDemandCdsSchema, ['source', 'timeout']);

/** Envoy's default. */
const timeoutMs = 5000;

/** Here and not with the filter: where clusters come from, only clusters know. */
export const onDemandDecoder: ExtensionDecoder = {
  kind: OnDemandSchema.typeName,
  decode(bytes, reasons): OnDemandData {
    const config = fromBinary(OnDemandSchema, bytes);
    supported.check(config, reasons);
    return decodeCds(config.odcds, reasons.at('odcds'));
  },
};

export const onDemandPerRouteDecoder: ExtensionDecoder = {
  kind: PerRouteConfigSchema.typeName,
  decode(bytes, reasons): OnDemandData {
    const config = fromBinary(PerRouteConfigSchema, bytes);
    supportedPerRoute.check(config, reasons);
    return decodeCds(config.odcds, reasons.at('odcds'));
  },
};

function decodeCds(message: OnDemandCds | undefined, reasons: Reasons): OnDemandData {
  if (message === undefined) return { odcds: null };
  cdsFields.check(message, reasons);
  return { odcds: decodeOnDemand(message, timeoutMs, 'source', reasons) };
}
