import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../../observe/access-log/runtime-flag-decode.ts';
import { bucketMemory, decodeTokenBucket } from '../../../observe/limit/token-bucket-decode.ts';
import { LocalRateLimitSchema } from '../../../proto/envoy/extensions/filters/listener/local_ratelimit/v3/local_ratelimit_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ListenerRateData } from './local-ratelimit.ts';

const supported = new SupportedFields(LocalRateLimitSchema, ['stat_prefix', 'token_bucket', 'runtime_enabled']);

export const listenerLocalRateLimitDecoder: ExtensionDecoder = {
  kind: LocalRateLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ListenerRateData {
    const message = fromBinary(LocalRateLimitSchema, bytes);
    supported.check(message, reasons);
    const bucket = decodeTokenBucket(message.tokenBucket, reasons.at('token_bucket'));
    return {
      statPrefix: message.statPrefix,
      bucket,
      memory: bucketMemory(reasons.path, bucket, 1),
      enabled: decodeRuntimeFlag(message.runtimeEnabled, reasons.at('runtime_enabled')),
    };
  },
};
