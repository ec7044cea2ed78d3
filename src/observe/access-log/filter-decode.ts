import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  AccessLogFilterSchema,
  ComparisonFilter_Op,
  ComparisonFilterSchema,
  GrpcStatusFilterSchema,
  LogTypeFilterSchema,
  MetadataFilterSchema,
  ResponseFlagFilterSchema,
  RuntimeFilterSchema,
  type AccessLogFilter,
  type ComparisonFilter,
  type MetadataFilter,
  type ResponseFlagFilter,
  type RuntimeFilter,
} from '../../proto/envoy/config/accesslog/v3/accesslog_pb.js';
import { RuntimeUInt32Schema } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { HeaderMatcher } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { AccessLogType } from '../../proto/envoy/data/accesslog/v3/accesslog_pb.js';
import { MetadataMatcherSchema } from '../../proto/envoy/type/matcher/v3/metadata_pb.js';
import { ValueMatcherSchema, type ValueMatcher } from '../../proto/envoy/type/matcher/v3/value_pb.js';
import { FractionalPercent_DenominatorType } from '../../proto/envoy/type/v3/percent_pb.js';
import type { AccessLogFilterData, ComparisonData, ValueMatcherData } from './access-log-data.ts';
import { decodeExtensionFilter } from '../expression/filter-decode.ts';
import { flagOf } from '../format/response-flag-names.ts';
import { decodeNameMatcher } from '../stats/decode.ts';

/** The route room's decoder of a HeaderMatcher; null: refused, reasons were added. */
export type DecodeHeaderMatcher = (message: HeaderMatcher, reasons: Reasons) => unknown;

const filterFields = new SupportedFields(AccessLogFilterSchema, [
  'status_code_filter',
  'duration_filter',
  'not_health_check_filter',
  'traceable_filter',
  'runtime_filter',
  'and_filter',
  'or_filter',
  'header_filter',
  'response_flag_filter',
  'grpc_status_filter',
  'metadata_filter',
  'log_type_filter',
  'extension_filter',
]);
const comparisonFields = new SupportedFields(ComparisonFilterSchema, ['op', 'value']);
const runtimeNumberFields = new SupportedFields(RuntimeUInt32Schema, ['default_value', 'runtime_key']);
const runtimeFields = new SupportedFields(RuntimeFilterSchema, [
  'runtime_key',
  'percent_sampled',
  'use_independent_randomness',
]);
const flagFields = new SupportedFields(ResponseFlagFilterSchema, ['flags']);
const grpcFields = new SupportedFields(GrpcStatusFilterSchema, ['statuses', 'exclude']);
const logTypeFields = new SupportedFields(LogTypeFilterSchema, ['types', 'exclude']);
const metadataFields = new SupportedFields(MetadataFilterSchema, ['matcher', 'match_if_key_not_found']);
// Envoy's metadata_filter does not look at `invert`.
const matcherFields = new SupportedFields(MetadataMatcherSchema, ['filter', 'path', 'value'], ['invert']);
const valueFields = new SupportedFields(ValueMatcherSchema, [
  'null_match',
  'double_match',
  'string_match',
  'bool_match',
  'present_match',
  'list_match',
  'or_match',
]);

/** Also for the mappers of local_reply_config. Null: refused. */
export function decodeAccessLogFilter(
  message: AccessLogFilter,
  reasons: Reasons,
  decodeHeaderMatcher: DecodeHeaderMatcher | null,
): AccessLogFilterData | null {
  filterFields.check(message, reasons);
  const { filterSpecifier: filter } = message;
  switch (filter.case) {
    case 'statusCodeFilter':
      return decodeCompared('status-code', filter.value.comparison, reasons.at('status_code_filter'));
    case 'durationFilter':
      return decodeCompared('duration', filter.value.comparison, reasons.at('duration_filter'));
    case 'notHealthCheckFilter':
      return { kind: 'not-health-check' };
    case 'traceableFilter':
      return { kind: 'traceable' };
    case 'runtimeFilter':
      return decodeRuntime(filter.value, reasons.at('runtime_filter'));
    case 'andFilter':
      return decodeAll('and', filter.value.filters, reasons.at('and_filter'), decodeHeaderMatcher);
    case 'orFilter':
      return decodeAll('or', filter.value.filters, reasons.at('or_filter'), decodeHeaderMatcher);
    case 'headerFilter':
      return decodeHeader(filter.value.header, reasons.at('header_filter'), decodeHeaderMatcher);
    case 'responseFlagFilter':
      return decodeFlags(filter.value, reasons.at('response_flag_filter'));
    case 'grpcStatusFilter':
      grpcFields.check(filter.value, reasons.at('grpc_status_filter'));
      return { kind: 'grpc-status', statuses: [...filter.value.statuses], exclude: filter.value.exclude };
    case 'logTypeFilter':
      logTypeFields.check(filter.value, reasons.at('log_type_filter'));
      return {
        kind: 'log-type',
        types: filter.value.types.map((type) => AccessLogType[type]),
        exclude: filter.value.exclude,
      };
    case 'metadataFilter':
      return decodeMetadata(filter.value, reasons.at('metadata_filter'));
    case 'extensionFilter':
      return decodeExtensionFilter(filter.value, reasons.at('extension_filter'));
    default:
      if (filter.case === undefined) reasons.add('needs one filter');
      return null;
  }
}

function decodeAll(
  kind: 'and' | 'or',
  messages: readonly AccessLogFilter[],
  reasons: Reasons,
  decodeHeaderMatcher: DecodeHeaderMatcher | null,
): AccessLogFilterData {
  const filters = messages.flatMap(
    (message, i) => decodeAccessLogFilter(message, reasons.at('filters', i), decodeHeaderMatcher) ?? [],
  );
  return { kind, filters };
}

function decodeCompared(
  kind: 'status-code' | 'duration',
  message: ComparisonFilter | undefined,
  reasons: Reasons,
): AccessLogFilterData | null {
  const at = reasons.at('comparison');
  if (message?.value === undefined) {
    at.add('is required, with a value');
    return null;
  }
  comparisonFields.check(message, at);
  runtimeNumberFields.check(message.value, at.at('value'));
  const comparison: ComparisonData = {
    op: ComparisonFilter_Op[message.op] as ComparisonData['op'],
    value: message.value.defaultValue,
    runtimeKey: message.value.runtimeKey,
  };
  return { kind, comparison };
}

function decodeRuntime(message: RuntimeFilter, reasons: Reasons): AccessLogFilterData {
  runtimeFields.check(message, reasons);
  const { percentSampled: percent } = message;
  return {
    kind: 'runtime',
    key: message.runtimeKey,
    numerator: percent?.numerator ?? 0,
    denominator: denominatorOf(percent?.denominator),
    independentRandomness: message.useIndependentRandomness,
  };
}

function denominatorOf(denominator: FractionalPercent_DenominatorType | undefined): number {
  switch (denominator) {
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}

function decodeHeader(
  message: HeaderMatcher | undefined,
  reasons: Reasons,
  decodeHeaderMatcher: DecodeHeaderMatcher | null,
): AccessLogFilterData | null {
  if (message === undefined) {
    reasons.at('header').add('is required');
    return null;
  }
  if (decodeHeaderMatcher === null) {
    reasons.unsupported('header', 'is not supported by sekisho in this place');
    return null;
  }
  const matcher = decodeHeaderMatcher(message, reasons.at('header'));
  return matcher === null || matcher === undefined ? null : { kind: 'header', matcher };
}

function decodeFlags(message: ResponseFlagFilter, reasons: Reasons): AccessLogFilterData {
  flagFields.check(message, reasons);
  let flags = 0;
  message.flags.forEach((name, i) => {
    const flag = flagOf(name);
    if (flag === 0) reasons.at('flags', i).add(`'${name}' is not a response flag`);
    flags |= flag;
  });
  return { kind: 'response-flag', flags };
}

function decodeMetadata(message: MetadataFilter, reasons: Reasons): AccessLogFilterData {
  metadataFields.check(message, reasons);
  const { matcher } = message;
  const at = reasons.at('matcher');
  if (matcher !== undefined) matcherFields.check(matcher, at);
  const path = (matcher?.path ?? []).flatMap(({ segment }) => (segment.case === 'key' ? [segment.value] : []));
  return {
    kind: 'metadata',
    namespace: matcher?.filter ?? '',
    path,
    value: matcher?.value === undefined ? null : decodeValue(matcher.value, at.at('value')),
    matchIfKeyNotFound: message.matchIfKeyNotFound ?? true,
  };
}

export function decodeValue(message: ValueMatcher, reasons: Reasons): ValueMatcherData | null {
  valueFields.check(message, reasons);
  const { matchPattern: pattern } = message;
  switch (pattern.case) {
    case 'nullMatch':
      return { kind: 'null' };
    case 'doubleMatch': {
      const { matchPattern: range } = pattern.value;
      if (range.case === 'range')
        return { kind: 'double', start: range.value.start, end: range.value.end, isExact: false };
      const exact = range.case === 'exact' ? range.value : 0;
      return { kind: 'double', start: exact, end: exact, isExact: true };
    }
    case 'stringMatch': {
      const matcher = decodeNameMatcher(pattern.value, reasons.at('string_match'));
      return matcher === null ? null : { kind: 'string', matcher };
    }
    case 'boolMatch':
      return { kind: 'bool', value: pattern.value };
    case 'presentMatch':
      return { kind: 'present', value: pattern.value };
    case 'listMatch': {
      const { matchPattern: list } = pattern.value;
      const oneOf = list.case === 'oneOf' ? decodeValue(list.value, reasons.at('list_match').at('one_of')) : null;
      return oneOf === null ? null : { kind: 'list', oneOf };
    }
    case 'orMatch': {
      const at = reasons.at('or_match');
      return {
        kind: 'or',
        any: pattern.value.valueMatchers.flatMap((each, i) => decodeValue(each, at.at('value_matchers', i)) ?? []),
      };
    }
    default:
      reasons.add('needs one kind of match');
      return null;
  }
}
