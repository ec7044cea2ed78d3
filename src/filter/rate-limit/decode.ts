import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RateLimit_Action_GenericKeySchema,
  RateLimit_Action_HeaderValueMatchSchema,
  RateLimit_Action_MaskedRemoteAddressSchema,
  RateLimit_Action_QueryParametersSchema,
  RateLimit_Action_QueryParameterValueMatchSchema,
  RateLimit_Action_RequestHeadersSchema,
  RateLimit_ActionSchema,
  RateLimit_HitsAddendSchema,
  RateLimitSchema,
  type RateLimit,
  type RateLimit_Action,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatchers, decodeQueryMatcher } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { RateLimitActionData, RateLimitData } from './rate-limit-data.ts';

const limitFields = new SupportedFields(RateLimitSchema, ['actions', 'hits_addend']);
const hitsFields = new SupportedFields(RateLimit_HitsAddendSchema, ['number']);
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
]);
const genericFields = new SupportedFields(RateLimit_Action_GenericKeySchema, ['descriptor_value', 'descriptor_key']);
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
const headerMatchFields = new SupportedFields(RateLimit_Action_HeaderValueMatchSchema, [
  'descriptor_value',
  'descriptor_key',
  'expect_match',
  'headers',
]);
const queryMatchFields = new SupportedFields(RateLimit_Action_QueryParameterValueMatchSchema, [
  'descriptor_value',
  'descriptor_key',
  'expect_match',
  'query_parameters',
]);
const maskedFields = new SupportedFields(RateLimit_Action_MaskedRemoteAddressSchema, [
  'v4_prefix_mask_len',
  'v6_prefix_mask_len',
]);

/** `rate_limits` of a filter. `reasons` stand at the message that has them. */
export function decodeRateLimits(messages: readonly RateLimit[], reasons: Reasons): RateLimitData[] {
  return messages.map((message, i) => {
    const at = reasons.at('rate_limits', i);
    limitFields.check(message, at);
    const { hitsAddend } = message;
    if (hitsAddend !== undefined) hitsFields.check(hitsAddend, at.at('hits_addend'));
    return {
      actions: message.actions.map((action, j) => decodeAction(action, at.at('actions', j))),
      hits: Number(hitsAddend?.number ?? 1n),
    };
  });
}

function decodeAction(message: RateLimit_Action, reasons: Reasons): RateLimitActionData {
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
    case 'genericKey':
      genericFields.check(action.value, reasons.at('generic_key'));
      return {
        kind: 'generic',
        key: wireText(action.value.descriptorKey || 'generic_key'),
        value: wireText(action.value.descriptorValue),
      };
    case 'requestHeaders':
      headerFields.check(action.value, reasons.at('request_headers'));
      return {
        kind: 'header',
        key: wireText(action.value.descriptorKey),
        name: lowerAscii(wireText(action.value.headerName)),
        isOptional: action.value.skipIfAbsent,
      };
    case 'queryParameters':
      queryFields.check(action.value, reasons.at('query_parameters'));
      return {
        kind: 'query',
        key: wireText(action.value.descriptorKey),
        name: wireText(action.value.queryParameterName),
        isOptional: action.value.skipIfAbsent,
      };
    case 'headerValueMatch':
    case 'queryParameterValueMatch':
      return decodeMatch(action, reasons);
    default:
      return { kind: 'source-cluster' };
  }
}

type MatchAction = Extract<
  RateLimit_Action['actionSpecifier'],
  { case: 'headerValueMatch' } | { case: 'queryParameterValueMatch' }
>;

function decodeMatch(action: MatchAction, reasons: Reasons): RateLimitActionData {
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
