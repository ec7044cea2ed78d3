import type { PackedMessage } from '../../core/extension.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { IpPrefix } from '../../match/ip-prefix-map.ts';
import { checking } from '../../observe/expression/decode.ts';
import { checkedExpression } from '../../observe/expression/expression-check.ts';
import { expressionEngine } from '../../observe/expression/expressions.ts';
import { formatProblem } from '../../observe/format/format.ts';
import type { CidrRange } from '../../proto/xds/core/v3/cidr_pb.js';
import {
  RateLimit_Action_GenericKeySchema,
  RateLimit_Action_HeaderValueMatchSchema,
  RateLimit_Action_MaskedRemoteAddressSchema,
  RateLimit_Action_MetaData_Source,
  RateLimit_Action_MetaDataSchema,
  RateLimit_Action_QueryParametersSchema,
  RateLimit_Action_QueryParameterValueMatchSchema,
  RateLimit_Action_RemoteAddressMatchSchema,
  RateLimit_Action_RequestHeadersSchema,
  RateLimit_ActionSchema,
  type RateLimit_Action,
  type RateLimit_Action_RemoteAddressMatch,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { DescriptorSchema } from '../../proto/envoy/extensions/rate_limit_descriptors/expr/v3/expr_pb.js';
import { AddressMatcherSchema } from '../../proto/envoy/type/matcher/v3/address_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../../proto/envoy/type/matcher/v3/http_inputs_pb.js';
import { MetadataKeySchema, type MetadataKey } from '../../proto/envoy/type/metadata/v3/metadata_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMatchers, decodeQueryMatcher } from '../match/decode.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { MetadataKeyData, RateLimitActionData } from './rate-limit-data.ts';

const actionFields = new SupportedFields(RateLimit_ActionSchema, [
  'source_cluster',
  'destination_cluster',
  'request_headers',
  'query_parameters',
  'remote_address',
  'masked_remote_address',
  'generic_key',
  'header_value_match',
  'query_parameter_value_match',
  'metadata',
  'extension',
  'remote_address_match',
]);
// Values are texts: that they are formats, and have defaults then, is behind a feature flag that Envoy 1.39 leaves off.
const genericFields = new SupportedFields(
  RateLimit_Action_GenericKeySchema,
  ['descriptor_value', 'descriptor_key'],
  ['default_value'],
);
const headerFields = new SupportedFields(RateLimit_Action_RequestHeadersSchema, [
  'header_name',
  'descriptor_key',
  'skip_if_absent',
]);
const queryFields = new SupportedFields(RateLimit_Action_QueryParametersSchema, [
  'query_parameter_name',
  'descriptor_key',
  'skip_if_absent',
]);
const headerMatchFields = new SupportedFields(
  RateLimit_Action_HeaderValueMatchSchema,
  ['descriptor_value', 'descriptor_key', 'expect_match', 'headers'],
  ['default_value'],
);
const queryMatchFields = new SupportedFields(
  RateLimit_Action_QueryParameterValueMatchSchema,
  ['descriptor_value', 'descriptor_key', 'expect_match', 'query_parameters'],
  ['default_value'],
);
const maskedFields = new SupportedFields(RateLimit_Action_MaskedRemoteAddressSchema, [
  'v4_prefix_mask_len',
  'v6_prefix_mask_len',
]);
const addressFields = new SupportedFields(RateLimit_Action_RemoteAddressMatchSchema, [
  'descriptor_value',
  'descriptor_key',
  'default_value',
  'address_matcher',
]);
const matcherFields = new SupportedFields(AddressMatcherSchema, ['ranges', 'invert_match']);
const metadataFields = new SupportedFields(RateLimit_Action_MetaDataSchema, [
  'descriptor_key',
  'metadata_key',
  'default_value',
  'source',
  'skip_if_absent',
]);
const keyFields = new SupportedFields(MetadataKeySchema, ['key', 'path']);
const inputFields = new SupportedFields(HttpRequestHeaderMatchInputSchema, ['header_name']);
const expressionFields = new SupportedFields(DescriptorSchema, ['descriptor_key', 'skip_if_error', 'text', 'parsed']);

/** Says something of every request; what is refused says it too. */
const anything: RateLimitActionData = { kind: 'source-cluster' };

export function decodeAction(message: RateLimit_Action, reasons: Reasons): RateLimitActionData {
  actionFields.check(message, reasons);
  const action = message.actionSpecifier;
  switch (action.case) {
    case 'destinationCluster':
      return { kind: 'destination-cluster' };
    case 'remoteAddress':
      return { kind: 'remote-address' };
    case 'maskedRemoteAddress': {
      maskedFields.check(action.value, reasons.at('masked_remote_address'));
      const { v4PrefixMaskLen, v6PrefixMaskLen } = action.value;
      return { kind: 'masked-remote-address', v4Bits: v4PrefixMaskLen ?? 32, v6Bits: v6PrefixMaskLen ?? 128 };
    }
    case 'genericKey': {
      genericFields.check(action.value, reasons.at('generic_key'));
      const { descriptorKey, descriptorValue } = action.value;
      return { kind: 'generic', key: wireText(descriptorKey || 'generic_key'), value: wireText(descriptorValue) };
    }
    case 'requestHeaders':
    case 'queryParameters':
      return decodeValueOf(action, reasons);
    case 'headerValueMatch':
    case 'queryParameterValueMatch':
      return decodeMatch(action, reasons);
    case 'remoteAddressMatch':
      return decodeAddressMatch(action.value, reasons.at('remote_address_match'));
    case 'metadata':
      return decodeMetadata(action.value, reasons.at('metadata'));
    case 'extension':
      return decodeExtension(action.value.name, action.value.typedConfig, reasons.at('extension').at('typed_config'));
    default:
      return anything;
  }
}

type Action<Case> = Extract<RateLimit_Action['actionSpecifier'], { case: Case }>;

function decodeValueOf(
  action: Action<'requestHeaders'> | Action<'queryParameters'>,
  reasons: Reasons,
): RateLimitActionData {
  const key = wireText(action.value.descriptorKey);
  const isOptional = action.value.skipIfAbsent;
  if (action.case === 'requestHeaders') {
    headerFields.check(action.value, reasons.at('request_headers'));
    return { kind: 'header', key, name: lowerAscii(wireText(action.value.headerName)), isOptional };
  }
  queryFields.check(action.value, reasons.at('query_parameters'));
  return { kind: 'query', key, name: wireText(action.value.queryParameterName), isOptional };
}

function decodeMatch(
  action: Action<'headerValueMatch'> | Action<'queryParameterValueMatch'>,
  reasons: Reasons,
): RateLimitActionData {
  const value = wireText(action.value.descriptorValue);
  const expected = action.value.expectMatch ?? true;
  if (action.case === 'headerValueMatch') {
    const at = reasons.at('header_value_match');
    headerMatchFields.check(action.value, at);
    const key = wireText(action.value.descriptorKey || 'header_match');
    const headers = decodeHeaderMatchers(action.value.headers, 'headers', at);
    return { kind: 'header-match', key, value, expected, headers };
  }
  const at = reasons.at('query_parameter_value_match');
  queryMatchFields.check(action.value, at);
  const key = wireText(action.value.descriptorKey || 'query_match');
  const parameters = action.value.queryParameters.map((matcher, i) =>
    decodeQueryMatcher(matcher, at.at('query_parameters', i)),
  );
  return { kind: 'query-match', key, value, expected, parameters };
}

function decodeAddressMatch(message: RateLimit_Action_RemoteAddressMatch, reasons: Reasons): RateLimitActionData {
  addressFields.check(message, reasons);
  const { addressMatcher: matcher, descriptorValue: format } = message;
  if (matcher === undefined) {
    reasons.at('address_matcher').add('is required');
    return anything;
  }
  const at = reasons.at('address_matcher');
  matcherFields.check(matcher, at);
  const problem = formatProblem(format);
  if (problem !== null) reasons.at('descriptor_value').add(problem);
  return {
    kind: 'address-match',
    key: wireText(message.descriptorKey || 'remote_address_match'),
    format,
    otherwise: wireText(message.defaultValue),
    ranges: matcher.ranges.map((range, i) => decodeRange(range, at.at('ranges', i))),
    invert: matcher.invertMatch,
  };
}

function decodeRange({ addressPrefix: address, prefixLen = 0 }: CidrRange, reasons: Reasons): IpPrefix {
  const bytes = parseIp(address);
  if (bytes === null) reasons.add(`malformed IP address: ${address}`);
  return { address, length: Math.min(prefixLen, 8 * (bytes?.length ?? 0)) };
}

function decodeMetadata(message: Action<'metadata'>['value'], reasons: Reasons): RateLimitActionData {
  metadataFields.check(message, reasons);
  return {
    kind: 'metadata',
    key: wireText(message.descriptorKey),
    of: message.source === RateLimit_Action_MetaData_Source.ROUTE_ENTRY ? 'route' : 'dynamic',
    at: decodeMetadataKey(message.metadataKey, reasons),
    otherwise: wireText(message.defaultValue),
    isOptional: message.skipIfAbsent,
  };
}

/** `reasons` stand at the message that has the key. */
export function decodeMetadataKey(message: MetadataKey | undefined, reasons: Reasons): MetadataKeyData {
  const at = reasons.at('metadata_key');
  if (message === undefined) {
    at.add('is required');
    return { namespace: '', path: [] };
  }
  keyFields.check(message, at);
  return { namespace: message.key, path: message.path.map(({ segment }) => segment.value ?? '') };
}

/** `envoy.rate_limit_descriptors.expr`, or a matcher's input. */
function decodeExtension(name: string, config: PackedMessage | undefined, reasons: Reasons): RateLimitActionData {
  const kind = config?.typeUrl.slice(config.typeUrl.lastIndexOf('/') + 1) ?? '';
  if (config !== undefined && kind === HttpRequestHeaderMatchInputSchema.typeName) {
    const input = fromBinary(HttpRequestHeaderMatchInputSchema, config.value);
    inputFields.check(input, reasons);
    return { kind: 'header-input', key: wireText(name), name: lowerAscii(wireText(input.headerName)) };
  }
  if (config === undefined || kind !== DescriptorSchema.typeName) {
    reasons.add(`rate limit descriptor '${name}' of type '${kind}' is not supported by sekisho`);
    return anything;
  }
  const message = fromBinary(DescriptorSchema, config.value);
  expressionFields.check(message, reasons);
  const { exprSpecifier: source } = message;
  const expression =
    source.case === 'text'
      ? checking(() => expressionEngine().parse(source.value), reasons.at('text'))
      : checking(() => checkedExpression(source.value), reasons.at('parsed'));
  if (expression === null) return anything;
  return { kind: 'expression', key: wireText(message.descriptorKey), expression, isOptional: message.skipIfError };
}
