import { decodeStreamFilters } from '../../../cluster/protocol/stream-filters-decode.ts';
import type { ExtensionDecoder, Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { RouterData } from '../../../filter/router/router-data.ts';
import { RouterSchema, type Router } from '../../../proto/envoy/extensions/filters/http/router/v3/router_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';

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
    'upstream_http_filters',
  ],
  ['reject_connect_request_early_data'],
);

export const routerDecoder: ExtensionDecoder = {
  kind: RouterSchema.typeName,
  decode: (bytes, reasons, extensions) => decodeRouter(fromBinary(RouterSchema, bytes), reasons, extensions),
};

export function decodeRouter(message: Router, reasons: Reasons, extensions: Extensions): RouterData {
  routerFields.check(message, reasons);
  const upstreamFilters = decodeStreamFilters(
    message.upstreamHttpFilters,
    reasons,
    'upstream_http_filters',
    'router upstream http',
    extensions,
  );
  return {
    ...(message.startChildSpan && { startChildSpan: true }),
    dynamicStats: message.dynamicStats ?? true,
    suppressEnvoyHeaders: message.suppressEnvoyHeaders,
    respectExpectedRqTimeout: message.respectExpectedRqTimeout,
    suppressGrpcRequestFailureCodeStats: message.suppressGrpcRequestFailureCodeStats,
    strictCheckHeaders: message.strictCheckHeaders,
    ...(upstreamFilters !== null && { upstreamFilters }),
  };
}
