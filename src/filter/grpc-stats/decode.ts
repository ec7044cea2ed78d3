import { fromBinary } from '../../proto/protobuf.js';
import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  GrpcMethodList_ServiceSchema,
  GrpcMethodListSchema,
  type GrpcMethodList,
} from '../../proto/envoy/config/core/v3/grpc_method_list_pb.js';
import {
  FilterConfigSchema,
  type FilterConfig,
} from '../../proto/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import type { GrpcStatsData } from './grpc-stats-data.ts';

const configFields = new SupportedFields(FilterConfigSchema, [
  'emit_filter_state',
  'individual_method_stats_allowlist',
  'stats_for_all_methods',
  'enable_upstream_stats',
  'replace_dots_in_grpc_service_name',
]);
const listFields = new SupportedFields(GrpcMethodListSchema, ['services']);
const serviceFields = new SupportedFields(GrpcMethodList_ServiceSchema, ['name', 'method_names']);

export const grpcStatsDecoder: ExtensionDecoder = {
  kind: FilterConfigSchema.typeName,
  decode: (bytes, reasons) => decodeGrpcStats(fromBinary(FilterConfigSchema, bytes), reasons),
};

export function decodeGrpcStats(message: FilterConfig, reasons: Reasons): GrpcStatsData {
  configFields.check(message, reasons);
  const { case: kind, value } = message.perMethodStatSpecifier;
  return {
    emitFilterState: message.emitFilterState,
    enableUpstreamStats: message.enableUpstreamStats,
    forAllMethods: kind === 'statsForAllMethods' && value.value,
    replaceDots: message.replaceDotsInGrpcServiceName,
    methods:
      kind === 'individualMethodStatsAllowlist'
        ? decodeMethods(value, reasons.at('individual_method_stats_allowlist'))
        : [],
  };
}

function decodeMethods(message: GrpcMethodList, reasons: Reasons): GrpcStatsData['methods'] {
  listFields.check(message, reasons);
  return message.services.flatMap((service, i) => {
    serviceFields.check(service, reasons.at('services', i));
    return service.methodNames.map((method) => ({ service: service.name, method }));
  });
}
