import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../../observe/access-log/runtime-flag-decode.ts';
import { bucketMemory, decodeTokenBucket } from '../../../observe/limit/token-bucket-decode.ts';
import { LocalRateLimitSchema } from '../../../proto/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ConnectionRateData } from './local-ratelimit-data.ts';

const supported = new SupportedFields(LocalRateLimitSchema, [
  'stat_prefix',
  'token_bucket',
  'runtime_enabled',
  'share_key',
]);

export const networkLocalRateLimitDecoder: ExtensionDecoder = {
  kind: LocalRateLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ConnectionRateData {
    const message = fromBinary(LocalRateLimitSchema, bytes);
    supported.check(message, reasons);
    const bucket = decodeTokenBucket(message.tokenBucket, reasons.at('token_bucket'));
    const { shareKey } = message;
    return {
      statPrefix: message.statPrefix,
      bucket,
      memory: bucketMemory(shareKey === '' ? reasons.path : `share_key ${shareKey}`, bucket, 1),
      enabled: decodeRuntimeFlag(message.runtimeEnabled, reasons.at('runtime_enabled')),
    };
  },
};
