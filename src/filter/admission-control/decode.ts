import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeRuntimeFlag } from '../../observe/access-log/runtime-flag-decode.ts';
import {
  AdmissionControl_SuccessCriteria_GrpcCriteriaSchema,
  AdmissionControl_SuccessCriteria_HttpCriteriaSchema,
  AdmissionControl_SuccessCriteriaSchema,
  AdmissionControlSchema,
  type AdmissionControl_SuccessCriteria,
} from '../../proto/envoy/extensions/filters/http/admission_control/v3/admission_control_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { AdmissionControlData, RuntimeNumberData } from './admission-control-data.ts';

const supported = new SupportedFields(AdmissionControlSchema, [
  'enabled',
  'success_criteria',
  'sampling_window',
  'aggression',
  'sr_threshold',
  'rps_threshold',
  'max_rejection_probability',
]);
const supportedCriteria = new SupportedFields(AdmissionControl_SuccessCriteriaSchema, [
  'http_criteria',
  'grpc_criteria',
]);
const supportedHttp = new SupportedFields(AdmissionControl_SuccessCriteria_HttpCriteriaSchema, ['http_success_status']);
const supportedGrpc = new SupportedFields(AdmissionControl_SuccessCriteria_GrpcCriteriaSchema, ['grpc_success_status']);

/** Envoy's defaults. */
const defaultWindowMs = 30_000;
/** All but those that tell of a server in trouble: 4, 7, 8, 10, 13, 14, 15. */
const defaultGrpcSuccess = [0, 1, 2, 3, 5, 6, 16, 9, 11, 12];
const lastGrpcStatus = 16;

export const admissionControlDecoder: ExtensionDecoder = {
  kind: AdmissionControlSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): AdmissionControlData {
    const message = fromBinary(AdmissionControlSchema, bytes);
    supported.check(message, reasons);
    const { evaluationCriteria, srThreshold, maxRejectionProbability: rejection } = message;
    if (evaluationCriteria.case === undefined) reasons.at('success_criteria').add('is required');
    if ((srThreshold?.defaultValue?.value ?? 95) < 1)
      reasons.at('sr_threshold').add('Success rate threshold cannot be less than 1.0%.');
    return {
      enabled: decodeRuntimeFlag(message.enabled, reasons.at('enabled')),
      windowMs: durationMs(message.samplingWindow, defaultWindowMs),
      aggression: numberOf(message.aggression?.runtimeKey, message.aggression?.defaultValue, 1),
      successThreshold: numberOf(srThreshold?.runtimeKey, srThreshold?.defaultValue?.value, 95),
      rpsThreshold: numberOf(message.rpsThreshold?.runtimeKey, message.rpsThreshold?.defaultValue, 0),
      rejectionMax: numberOf(rejection?.runtimeKey, rejection?.defaultValue?.value, 80),
      ...decodeCriteria(evaluationCriteria.value, reasons.at('success_criteria')),
    };
  },
};

function numberOf(key: string | undefined, value: number | undefined, otherwise: number): RuntimeNumberData {
  return { key: key ?? '', value: value ?? otherwise };
}

function decodeCriteria(
  criteria: AdmissionControl_SuccessCriteria | undefined,
  reasons: Reasons,
): Pick<AdmissionControlData, 'httpSuccess' | 'grpcSuccess'> {
  if (criteria === undefined) return { httpSuccess: null, grpcSuccess: defaultGrpcSuccess };
  supportedCriteria.check(criteria, reasons);
  const { httpCriteria: http, grpcCriteria: grpc } = criteria;
  if (http !== undefined) supportedHttp.check(http, reasons.at('http_criteria'));
  if (grpc !== undefined) supportedGrpc.check(grpc, reasons.at('grpc_criteria'));
  const ranges = http?.httpSuccessStatus.map(({ start, end }, i): [number, number] => {
    const isValid = start <= end && start >= 100 && start < 600 && end <= 600;
    if (!isValid)
      reasons.at('http_criteria').at('http_success_status', i).add(`invalid HTTP range: [${start}, ${end})`);
    return [start, end];
  });
  for (const [i, code] of (grpc?.grpcSuccessStatus ?? []).entries())
    if (code > lastGrpcStatus)
      reasons.at('grpc_criteria').at('grpc_success_status', i).add(`invalid gRPC code ${code}`);
  return { httpSuccess: ranges ?? null, grpcSuccess: grpc?.grpcSuccessStatus ?? defaultGrpcSuccess };
}
