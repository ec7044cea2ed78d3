import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  FileAccessLogSchema,
  type FileAccessLog,
} from '../../proto/envoy/extensions/access_loggers/file/v3/file_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
  type StderrAccessLog,
  type StdoutAccessLog,
} from '../../proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { DEFAULT_FORMAT, type FormatData } from './access-log-data.ts';
import type { LoggerData } from './decode.ts';
import { decodeBareFormat, decodeFormat } from '../format/decode.ts';

const fileFields = new SupportedFields(FileAccessLogSchema, [
  'path',
  'format',
  'json_format',
  'typed_json_format',
  'log_format',
]);
const stdoutFields = new SupportedFields(StdoutAccessLogSchema, ['log_format']);
const stderrFields = new SupportedFields(StderrAccessLogSchema, ['log_format']);

/** `envoy.access_loggers.file`. The file itself is opened by each worker. */
export const fileAccessLogDecoder: ExtensionDecoder = {
  kind: FileAccessLogSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(FileAccessLogSchema, bytes);
    fileFields.check(message, reasons);
    if (message.path === '') reasons.at('path').add('must not be empty');
    const format = decodeFileFormat(message, reasons);
    return format === null ? null : { sink: { kind: 'file', path: message.path }, format };
  },
};

export const stdoutAccessLogDecoder: ExtensionDecoder = {
  kind: StdoutAccessLogSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(StdoutAccessLogSchema, bytes);
    stdoutFields.check(message, reasons);
    const format = decodeStreamFormat(message, reasons);
    return format === null ? null : { sink: { kind: 'stdout' }, format };
  },
};

export const stderrAccessLogDecoder: ExtensionDecoder = {
  kind: StderrAccessLogSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(StderrAccessLogSchema, bytes);
    stderrFields.check(message, reasons);
    const format = decodeStreamFormat(message, reasons);
    return format === null ? null : { sink: { kind: 'stderr' }, format };
  },
};

function decodeFileFormat({ accessLogFormat: format }: FileAccessLog, reasons: Reasons): FormatData | null {
  switch (format.case) {
    case 'logFormat':
      return decodeFormat(format.value, reasons.at('log_format'));
    case 'format':
      return format.value === '' ? DEFAULT_FORMAT : decodeBareFormat(format.value, reasons.at('format'));
    case 'jsonFormat':
      return decodeBareFormat(format.value, reasons.at('json_format'));
    case 'typedJsonFormat':
      return decodeBareFormat(format.value, reasons.at('typed_json_format'));
    case undefined:
      return DEFAULT_FORMAT;
  }
}

function decodeStreamFormat(
  { accessLogFormat: format }: StdoutAccessLog | StderrAccessLog,
  reasons: Reasons,
): FormatData | null {
  return format.case === undefined ? DEFAULT_FORMAT : decodeFormat(format.value, reasons.at('log_format'));
}
