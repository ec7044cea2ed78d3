import type { ExtensionDecoder } from '../../core/extension.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { HealthCheckEventFileSinkSchema } from '../../proto/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js';
import { fromBinary } from '../../proto/protobuf.js';

const supported = new SupportedFields(HealthCheckEventFileSinkSchema, ['event_log_path']);

/** The file's path. */
export const eventFileSinkDecoder: ExtensionDecoder = {
  kind: HealthCheckEventFileSinkSchema.typeName,
  decode(bytes, reasons) {
    const sink = fromBinary(HealthCheckEventFileSinkSchema, bytes);
    supported.check(sink, reasons);
    return sink.eventLogPath;
  },
};
