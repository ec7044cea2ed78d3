import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../observe/access-log/runtime-flag-decode.ts';
import { bucketMemory } from '../../observe/limit/token-bucket-decode.ts';
import {
  BandwidthLimitSchema,
  BandwidthLimit_EnableMode,
} from '../../proto/envoy/extensions/filters/http/bandwidth_limit/v3/bandwidth_limit_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { BandwidthLimitData } from './bandwidth-limit-data.ts';

const fields = new SupportedFields(BandwidthLimitSchema, [
  'stat_prefix',
  'enable_mode',
  'limit_kbps',
  'fill_interval',
  'runtime_enabled',
  'enable_response_trailers',
  'response_trailer_prefix',
]);

/** Envoy's. */
const defaultFillMs = 50;

export const bandwidthLimitDecoder: ExtensionDecoder = {
  kind: BandwidthLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): BandwidthLimitData {
    const message = fromBinary(BandwidthLimitSchema, bytes);
    fields.check(message, reasons);
    const { enableMode: mode, limitKbps, responseTrailerPrefix } = message;
    // A filter may have no limit where its routes have theirs; as Envoy, which knows from where it is asked.
    if (limitKbps === undefined && reasons.path.includes('typed_per_filter_config'))
      reasons.at('limit_kbps').add('limit must be set for per route filter config');
    const bytesPerSecond = Number(limitKbps ?? 0n) * 1024;
    const prefix = responseTrailerPrefix === '' ? '' : `${lowerAscii(wireText(responseTrailerPrefix))}-`;
    return {
      statPrefix: message.statPrefix,
      limitsRequests:
        mode === BandwidthLimit_EnableMode.REQUEST || mode === BandwidthLimit_EnableMode.REQUEST_AND_RESPONSE,
      limitsResponses:
        mode === BandwidthLimit_EnableMode.RESPONSE || mode === BandwidthLimit_EnableMode.REQUEST_AND_RESPONSE,
      bytesPerSecond,
      fillMs: durationMs(message.fillInterval, defaultFillMs),
      enabled: decodeRuntimeFlag(message.runtimeEnabled, reasons.at('runtime_enabled')),
      trailerPrefix: message.enableResponseTrailers ? prefix : null,
      memory: bucketMemory(reasons.path, { bandwidth: bytesPerSecond }, 1),
    };
  },
};
