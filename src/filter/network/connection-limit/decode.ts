import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../../observe/access-log/runtime-flag-decode.ts';
import { ConnectionLimitSchema } from '../../../proto/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ConnectionLimitData } from './connection-limit-data.ts';

const supported = new SupportedFields(ConnectionLimitSchema, [
  'stat_prefix',
  'max_connections',
  'delay',
  'runtime_enabled',
]);

export const connectionLimitDecoder: ExtensionDecoder = {
  kind: ConnectionLimitSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ConnectionLimitData {
    const message = fromBinary(ConnectionLimitSchema, bytes);
    supported.check(message, reasons);
    return {
      statPrefix: message.statPrefix,
      maxConnections: Number(message.maxConnections ?? 0n),
      delayMs: durationMs(message.delay, 0),
      enabled: decodeRuntimeFlag(message.runtimeEnabled, reasons.at('runtime_enabled')),
    };
  },
};
