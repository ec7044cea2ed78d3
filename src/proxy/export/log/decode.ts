import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeService } from '../../../identity/decode/config-source-decode.ts';
import { DEFAULT_FORMAT } from '../../../observe/access-log/access-log-data.ts';
import type { LoggerData } from '../../../observe/access-log/decode.ts';
import type { GrpcLogData } from '../../../observe/access-log/log-service-data.ts';
import { decodeCustomTags } from '../../../observe/trace/custom-tag-decode.ts';
import { RetryPolicySchema, type RetryPolicy } from '../../../proto/envoy/config/core/v3/base_pb.js';
import { BackoffStrategySchema } from '../../../proto/envoy/config/core/v3/backoff_pb.js';
import { ApiVersion } from '../../../proto/envoy/config/core/v3/config_source_pb.js';
import {
  CommonGrpcAccessLogConfigSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
  type CommonGrpcAccessLogConfig,
} from '../../../proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

const httpFields = new SupportedFields(HttpGrpcAccessLogConfigSchema, [
  'common_config',
  'additional_request_headers_to_log',
  'additional_response_headers_to_log',
  'additional_response_trailers_to_log',
]);
const tcpFields = new SupportedFields(TcpGrpcAccessLogConfigSchema, ['common_config']);
const commonFields = new SupportedFields(CommonGrpcAccessLogConfigSchema, [
  'log_name',
  'grpc_service',
  'transport_api_version',
  'buffer_flush_interval',
  'buffer_size_bytes',
  'filter_state_objects_to_log',
  'grpc_stream_retry_policy',
  'custom_tags',
]);
const retryFields = new SupportedFields(RetryPolicySchema, ['retry_back_off', 'num_retries']);
const backOffFields = new SupportedFields(BackoffStrategySchema, ['base_interval', 'max_interval']);

/** Envoy's defaults. */
export const flushIntervalMs = 1000;
export const bufferBytes = 16_384;
/** While nothing else is configured. */
const backOff = { baseMs: 500, maxMs: 30_000 };

export const httpGrpcLogDecoder: ExtensionDecoder = {
  kind: HttpGrpcAccessLogConfigSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(HttpGrpcAccessLogConfigSchema, bytes);
    httpFields.check(message, reasons);
    const common = decodeCommon(message.commonConfig, reasons.at('common_config'));
    if (common === null) return null;
    return loggerOf({
      kind: 'http-grpc',
      ...common,
      requestHeaders: lowered(message.additionalRequestHeadersToLog),
      responseHeaders: lowered(message.additionalResponseHeadersToLog),
      responseTrailers: lowered(message.additionalResponseTrailersToLog),
    });
  },
};

export const tcpGrpcLogDecoder: ExtensionDecoder = {
  kind: TcpGrpcAccessLogConfigSchema.typeName,
  decode(bytes, reasons): LoggerData | null {
    const message = fromBinary(TcpGrpcAccessLogConfigSchema, bytes);
    tcpFields.check(message, reasons);
    const common = decodeCommon(message.commonConfig, reasons.at('common_config'));
    if (common === null) return null;
    return loggerOf({ kind: 'tcp-grpc', ...common, requestHeaders: [], responseHeaders: [], responseTrailers: [] });
  },
};

function loggerOf(service: GrpcLogData): LoggerData {
  return { sink: { kind: 'service', service }, format: DEFAULT_FORMAT };
}

type CommonData = Omit<GrpcLogData, 'kind' | 'requestHeaders' | 'responseHeaders' | 'responseTrailers'>;

function decodeCommon(message: CommonGrpcAccessLogConfig | undefined, reasons: Reasons): CommonData | null {
  if (message === undefined) {
    reasons.add('is required');
    return null;
  }
  checkCommon(message, reasons);
  const service =
    message.grpcService === undefined ? null : decodeService(message.grpcService, reasons.at('grpc_service'));
  if (service === null) return null;
  const policy = message.grpcStreamRetryPolicy;
  if (policy !== undefined) checkRetry(policy, reasons.at('grpc_stream_retry_policy'));
  const baseMs = durationMs(policy?.retryBackOff?.baseInterval, backOff.baseMs);
  return {
    logName: message.logName,
    service,
    flushIntervalMs: durationMs(message.bufferFlushInterval, flushIntervalMs),
    bufferBytesMax: message.bufferSizeBytes ?? bufferBytes,
    filterState: message.filterStateObjectsToLog,
    customTags: decodeCustomTags(message.customTags, reasons.at('custom_tags')),
    backOff: {
      baseMs,
      maxMs: durationMs(policy?.retryBackOff?.maxInterval, policy === undefined ? backOff.maxMs : baseMs * 10),
    },
    failuresMax: policy?.numRetries ?? 0,
  };
}

function checkCommon(message: CommonGrpcAccessLogConfig, reasons: Reasons): void {
  commonFields.check(message, reasons);
  if (message.transportApiVersion === ApiVersion.V2)
    reasons.at('transport_api_version').add('V2 is not supported; only V3 is');
}

function checkRetry(policy: RetryPolicy, reasons: Reasons): void {
  retryFields.check(policy, reasons);
  if (policy.retryBackOff !== undefined) backOffFields.check(policy.retryBackOff, reasons.at('retry_back_off'));
}

function lowered(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase());
}
