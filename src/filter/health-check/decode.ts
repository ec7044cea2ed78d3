import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { HealthCheckSchema } from '../../proto/envoy/extensions/filters/http/health_check/v3/health_check_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMatchers } from '../../route/match/decode.ts';
import type { HealthCheckData } from './health-check-data.ts';

const fields = new SupportedFields(HealthCheckSchema, [
  'pass_through_mode',
  'cache_time',
  'cluster_min_healthy_percentages',
  'headers',
]);

export const healthCheckDecoder: ExtensionDecoder = {
  kind: HealthCheckSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): HealthCheckData {
    const message = fromBinary(HealthCheckSchema, bytes);
    fields.check(message, reasons);
    const passesThrough = message.passThroughMode ?? false;
    const cacheMs = durationMs(message.cacheTime, 0);
    if (!passesThrough && cacheMs > 0)
      reasons.at('cache_time').add('cache_time_ms must not be set when path_through_mode is disabled');
    return {
      passesThrough,
      cacheMs,
      clusters: Object.entries(message.clusterMinHealthyPercentages).map(([name, { value }]) => ({
        name,
        // Whole percent, as Envoy counts them.
        healthyPercentMin: Math.trunc(value),
      })),
      headers: decodeHeaderMatchers(message.headers, 'headers', reasons),
    };
  },
};
