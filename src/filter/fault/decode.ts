import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  FaultDelaySchema,
  FaultRateLimitSchema,
  type FaultDelay,
  type FaultRateLimit,
} from '../../proto/envoy/extensions/filters/common/fault/v3/fault_pb.js';
import {
  FaultAbortSchema,
  HTTPFaultSchema,
  type FaultAbort,
  type HTTPFault,
} from '../../proto/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMatchers } from '../../route/match/decode.ts';
import { decodeFraction } from '../decode-fraction.ts';
import type { FaultAbortData, FaultData, FaultDelayData, FaultRateLimitData, FaultRuntimeKeys } from './fault-data.ts';

const faultFields = new SupportedFields(HTTPFaultSchema, [
  'delay',
  'abort',
  'upstream_cluster',
  'headers',
  'downstream_nodes',
  'max_active_faults',
  'response_rate_limit',
  'delay_percent_runtime',
  'abort_percent_runtime',
  'delay_duration_runtime',
  'abort_http_status_runtime',
  'abort_grpc_status_runtime',
  'max_active_faults_runtime',
  'response_rate_limit_percent_runtime',
  'disable_downstream_cluster_stats',
  'filter_metadata',
]);
const delayFields = new SupportedFields(FaultDelaySchema, ['fixed_delay', 'header_delay', 'percentage']);
const abortFields = new SupportedFields(FaultAbortSchema, ['http_status', 'grpc_status', 'header_abort', 'percentage']);
const rateLimitFields = new SupportedFields(FaultRateLimitSchema, ['fixed_limit', 'header_limit', 'percentage']);

export const faultDecoder: ExtensionDecoder = {
  kind: HTTPFaultSchema.typeName,
  decode: (bytes, reasons) => decodeFault(fromBinary(HTTPFaultSchema, bytes), reasons),
};

export function decodeFault(message: HTTPFault, reasons: Reasons): FaultData {
  faultFields.check(message, reasons);
  return {
    delay: message.delay === undefined ? null : decodeDelay(message.delay, reasons.at('delay')),
    abort: message.abort === undefined ? null : decodeAbort(message.abort, reasons.at('abort')),
    responseRateLimit:
      message.responseRateLimit === undefined
        ? null
        : decodeRateLimit(message.responseRateLimit, reasons.at('response_rate_limit')),
    upstreamCluster: message.upstreamCluster,
    headers: decodeHeaderMatchers(message.headers, 'headers', reasons),
    downstreamNodes: message.downstreamNodes,
    maxActiveFaults: message.maxActiveFaults ?? Infinity,
    disableDownstreamClusterStats: message.disableDownstreamClusterStats,
    runtimeKeys: decodeRuntimeKeys(message),
    filterMetadata: message.filterMetadata ?? null,
  };
}

function decodeDelay(message: FaultDelay, reasons: Reasons): FaultDelayData {
  delayFields.check(message, reasons);
  const specifier = message.faultDelaySecifier;
  const percentage = decodeFraction(message.percentage);
  if (specifier.case !== 'fixedDelay') return { fixedMs: -1, percentage };
  // Whole milliseconds, as Envoy's runtime numbers are.
  const { seconds, nanos } = specifier.value;
  return { fixedMs: Number(seconds) * 1000 + Math.trunc(nanos / 1e6), percentage };
}

function decodeAbort(message: FaultAbort, reasons: Reasons): FaultAbortData {
  abortFields.check(message, reasons);
  const type = message.errorType;
  return {
    fromHeaders: type.case === 'headerAbort',
    httpStatus: type.case === 'httpStatus' ? type.value : 0,
    grpcStatus: type.case === 'grpcStatus' ? type.value : -1,
    percentage: decodeFraction(message.percentage),
  };
}

function decodeRateLimit(message: FaultRateLimit, reasons: Reasons): FaultRateLimitData {
  rateLimitFields.check(message, reasons);
  const type = message.limitType;
  return {
    fixedKbps: type.case === 'fixedLimit' ? Number(type.value.limitKbps) : 0,
    percentage: decodeFraction(message.percentage),
  };
}

function decodeRuntimeKeys(message: HTTPFault): FaultRuntimeKeys {
  return {
    delayPercent: message.delayPercentRuntime || 'fault.http.delay.fixed_delay_percent',
    abortPercent: message.abortPercentRuntime || 'fault.http.abort.abort_percent',
    delayDuration: message.delayDurationRuntime || 'fault.http.delay.fixed_duration_ms',
    abortHttpStatus: message.abortHttpStatusRuntime || 'fault.http.abort.http_status',
    abortGrpcStatus: message.abortGrpcStatusRuntime || 'fault.http.abort.grpc_status',
    maxActiveFaults: message.maxActiveFaultsRuntime || 'fault.http.max_active_faults',
    responseRateLimitPercent: message.responseRateLimitPercentRuntime || 'fault.http.rate_limit.response_percent',
  };
}
