import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { RouterSchema, type Router } from '../../proto/envoy/extensions/filters/http/router/v3/router_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { RouterData } from './router-data.ts';

/** `reject_connect_request_early_data` acts only on 0-RTT data of HTTP/3. */
const routerFields = new SupportedFields(
  RouterSchema,
  [
    'dynamic_stats',
    'suppress_envoy_headers',
    'strict_check_headers',
    'respect_expected_rq_timeout',
    'suppress_grpc_request_failure_code_stats',
    'start_child_span',
  ],
  ['reject_connect_request_early_data'],
);

export const routerDecoder: ExtensionDecoder = {
  kind: RouterSchema.typeName,
  decode: (bytes, reasons) => decodeRouter(fromBinary(RouterSchema, bytes), reasons),
};

export function decodeRouter(message: Router, reasons: Reasons): RouterData {
  routerFields.check(message, reasons);
  return {
    ...(message.startChildSpan && { startChildSpan: true }),
    dynamicStats: message.dynamicStats ?? true,
    suppressEnvoyHeaders: message.suppressEnvoyHeaders,
    respectExpectedRqTimeout: message.respectExpectedRqTimeout,
    suppressGrpcRequestFailureCodeStats: message.suppressGrpcRequestFailureCodeStats,
    strictCheckHeaders: message.strictCheckHeaders,
  };
}
