import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { CollectorData, ZipkinData } from '../../observe/trace/trace-data.ts';
import {
  ZipkinConfig_CollectorEndpointVersion as Version,
  ZipkinConfig_TraceContextOption as ContextOption,
  ZipkinConfigSchema,
  type ZipkinConfig,
} from '../../proto/envoy/config/trace/v3/zipkin_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHttpService } from './http-service-decode.ts';

const fields = new SupportedFields(ZipkinConfigSchema, [
  'collector_cluster',
  'collector_endpoint',
  'collector_endpoint_version',
  'collector_hostname',
  'collector_service',
  'trace_id_128bit',
  'shared_span_context',
  'split_spans_for_request',
  'trace_context_option',
  'timestamp_trace_ids',
]);

/** `envoy.tracers.zipkin`. */
export const zipkinDecoder: ExtensionDecoder = {
  kind: ZipkinConfigSchema.typeName,
  decode(bytes, reasons): ZipkinData {
    const message = fromBinary(ZipkinConfigSchema, bytes);
    fields.check(message, reasons);
    return {
      kind: 'zipkin',
      collector: collectorOf(message, reasons),
      encoding: message.collectorEndpointVersion === Version.HTTP_PROTO ? 'proto' : 'json',
      longTraceIds: message.traceId128bit,
      timestampTraceIds: message.timestampTraceIds,
      sharesContext: message.sharedSpanContext ?? true,
      splitsSpans: message.splitSpansForRequest,
      speaksW3c: message.traceContextOption === ContextOption.USE_B3_WITH_W3C_PROPAGATION,
    };
  },
};

/** `collector_service` counts where it is set; the older fields otherwise. */
function collectorOf(message: ZipkinConfig, reasons: Reasons): CollectorData {
  if (message.collectorService !== undefined)
    return decodeHttpService(message.collectorService, reasons.at('collector_service'));
  const { collectorCluster: cluster, collectorEndpoint: path, collectorHostname } = message;
  if (cluster === '' || path === '')
    reasons.add('collector_cluster and collector_endpoint must be specified when not using collector_service');
  return {
    cluster,
    authority: collectorHostname === '' ? cluster : collectorHostname,
    path,
    timeoutMs: 0,
    headers: [],
  };
}
