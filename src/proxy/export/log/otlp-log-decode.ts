import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeService } from '../../../identity/decode/config-source-decode.ts';
import { DEFAULT_FORMAT } from '../../../observe/access-log/access-log-data.ts';
import type { LoggerData } from '../../../observe/access-log/decode.ts';
import { decodeFormatters } from '../../../observe/format/decode.ts';
import { formatProblem, type FormatExtension } from '../../../observe/format/format.ts';
import type { LogAttributeData, LogValueData } from '../../../observe/access-log/log-service-data.ts';
import { decodeCustomTags } from '../../../observe/trace/custom-tag-decode.ts';
import type { OtlpServiceData } from '../../../observe/trace/trace-data.ts';
import { CommonGrpcAccessLogConfigSchema } from '../../../proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import {
  OpenTelemetryAccessLogConfigSchema,
  type OpenTelemetryAccessLogConfig,
} from '../../../proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js';
import type { AnyValue, KeyValue } from '../../../proto/opentelemetry/proto/common/v1/common_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeHttpService } from '../../trace/http-service-decode.ts';
import { bufferBytes, flushIntervalMs } from './decode.ts';

const fields = new SupportedFields(OpenTelemetryAccessLogConfigSchema, [
  'common_config',
  'http_service',
  'grpc_service',
  'disable_builtin_labels',
  'resource_attributes',
  'body',
  'attributes',
  'stat_prefix',
  'formatters',
  'log_name',
  'buffer_flush_interval',
  'buffer_size_bytes',
  'filter_state_objects_to_log',
  'custom_tags',
]);

// As Envoy: records have no stream to retry, and of the older message neither tags nor states are shown.
const commonFields = new SupportedFields(
  CommonGrpcAccessLogConfigSchema,
  ['log_name', 'grpc_service', 'transport_api_version', 'buffer_flush_interval', 'buffer_size_bytes'],
  ['filter_state_objects_to_log', 'custom_tags', 'grpc_stream_retry_policy'],
);

/** `envoy.access_loggers.open_telemetry`. What `common_config` says counts where the newer fields say nothing. */
export const otlpLogDecoder: ExtensionDecoder = {
  kind: OpenTelemetryAccessLogConfigSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(OpenTelemetryAccessLogConfigSchema, bytes);
    fields.check(message, reasons);
    const { commonConfig: common } = message;
    if (common !== undefined) commonFields.check(common, reasons.at('common_config'));
    const service = serviceOf(message, reasons);
    const extensions = decodeFormatters(message.formatters, reasons);
    const texts = { extensions, reasons };
    const body =
      message.body === undefined ? null : decodeValue(message.body, { ...texts, reasons: reasons.at('body') });
    const attributes = decodeEntries(message.attributes?.values ?? [], { ...texts, reasons: reasons.at('attributes') });
    const resource = decodeEntries(message.resourceAttributes?.values ?? [], {
      extensions: null,
      reasons: reasons.at('resource_attributes'),
    });
    const customTags = decodeCustomTags(message.customTags, reasons.at('custom_tags'));
    if (service === null) return null;
    return {
      format: DEFAULT_FORMAT,
      sink: {
        kind: 'service',
        service: {
          kind: 'open-telemetry',
          logName: message.logName === '' ? (common?.logName ?? '') : message.logName,
          service,
          flushIntervalMs: durationMs(message.bufferFlushInterval ?? common?.bufferFlushInterval, flushIntervalMs),
          bufferBytesMax: message.bufferSizeBytes ?? common?.bufferSizeBytes ?? bufferBytes,
          filterState: message.filterStateObjectsToLog,
          customTags,
          namesNode: !message.disableBuiltinLabels,
          resource,
          body: body?.kind === 'text' && body.format === '' ? null : body,
          attributes,
          statPrefix: message.statPrefix,
          extensions,
        },
      },
    };
  },
};

function serviceOf(message: OpenTelemetryAccessLogConfig, reasons: Reasons): OtlpServiceData | null {
  if (message.httpService !== undefined)
    return { kind: 'http', collector: decodeHttpService(message.httpService, reasons.at('http_service')) };
  const [grpc, at] =
    message.grpcService === undefined
      ? [message.commonConfig?.grpcService, reasons.at('common_config')]
      : [message.grpcService, reasons];
  if (grpc === undefined) {
    reasons.add('needs one of grpc_service, http_service and common_config.grpc_service');
    return null;
  }
  const service = decodeService(grpc, at.at('grpc_service'));
  return service === null ? null : { kind: 'grpc', service };
}

/** How texts are read. `extensions` null: they are no formats. */
interface Texts {
  readonly extensions: readonly FormatExtension[] | null;
  readonly reasons: Reasons;
}

const empty: LogValueData = { kind: 'text', format: '' };

function decodeValue({ value }: AnyValue, texts: Texts): LogValueData {
  const { extensions, reasons } = texts;
  switch (value.case) {
    case 'stringValue': {
      const problem = extensions === null ? null : formatProblem(value.value, { extensions });
      if (problem !== null) reasons.add(problem);
      return { kind: 'text', format: value.value };
    }
    case 'arrayValue':
      return { kind: 'list', values: value.value.values.map((inner) => decodeValue(inner, texts)) };
    case 'kvlistValue':
      return { kind: 'map', entries: decodeEntries(value.value.values, texts) };
    case undefined:
      return empty;
    default:
      // Envoy's words.
      reasons.add(
        'Only string values, nested key value lists and array values are supported in OpenTelemetry access log format.',
      );
      return empty;
  }
}

function decodeEntries(entries: readonly KeyValue[], texts: Texts): LogAttributeData[] {
  return entries.map(({ key, value }) => [key, value === undefined ? empty : decodeValue(value, texts)] as const);
}
