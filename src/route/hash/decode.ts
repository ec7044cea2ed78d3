import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RouteAction_HashPolicy_ConnectionPropertiesSchema,
  RouteAction_HashPolicy_CookieAttributeSchema,
  RouteAction_HashPolicy_CookieSchema,
  RouteAction_HashPolicy_FilterStateSchema,
  RouteAction_HashPolicy_HeaderSchema,
  RouteAction_HashPolicy_QueryParameterSchema,
  RouteAction_HashPolicySchema,
  type RouteAction_HashPolicy,
  type RouteAction_HashPolicy_Cookie,
  type RouteAction_HashPolicy_Header,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeRegexRewrite } from '../match/decode.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { HashPolicyData } from './hash-policy-data.ts';

const policyFields = new SupportedFields(RouteAction_HashPolicySchema, [
  'header',
  'cookie',
  'connection_properties',
  'query_parameter',
  'filter_state',
  'terminal',
]);
const headerFields = new SupportedFields(RouteAction_HashPolicy_HeaderSchema, ['header_name', 'regex_rewrite']);
const cookieFields = new SupportedFields(RouteAction_HashPolicy_CookieSchema, ['name', 'ttl', 'path', 'attributes']);
const attributeFields = new SupportedFields(RouteAction_HashPolicy_CookieAttributeSchema, ['name', 'value']);
const connectionFields = new SupportedFields(RouteAction_HashPolicy_ConnectionPropertiesSchema, ['source_ip']);
const queryFields = new SupportedFields(RouteAction_HashPolicy_QueryParameterSchema, ['name']);
const stateFields = new SupportedFields(RouteAction_HashPolicy_FilterStateSchema, ['key']);

/** Null: there is none. `maxProgramSize`: of regular expressions. */
export function decodeHashPolicies(
  messages: readonly RouteAction_HashPolicy[],
  reasons: Reasons,
  maxProgramSize?: number,
): HashPolicyData[] | null {
  if (messages.length === 0) return null;
  return messages.flatMap((message, i) => decodePolicy(message, reasons.at('hash_policy', i), maxProgramSize));
}

/** None of a policy that never finds anything. */
function decodePolicy(message: RouteAction_HashPolicy, reasons: Reasons, maxProgramSize?: number): HashPolicyData[] {
  policyFields.check(message, reasons);
  const { policySpecifier: choice, terminal } = message;
  switch (choice.case) {
    case 'header':
      return [{ ...decodeHeader(choice.value, reasons.at('header'), maxProgramSize), terminal }];
    case 'cookie':
      return [{ ...decodeCookie(choice.value, reasons.at('cookie')), terminal }];
    case 'connectionProperties':
      connectionFields.check(choice.value, reasons.at('connection_properties'));
      return choice.value.sourceIp ? [{ kind: 'sourceIp', terminal }] : [];
    case 'queryParameter':
      queryFields.check(choice.value, reasons.at('query_parameter'));
      return [{ kind: 'queryParameter', name: wireText(choice.value.name), terminal }];
    case 'filterState':
      stateFields.check(choice.value, reasons.at('filter_state'));
      return [{ kind: 'filterState', key: choice.value.key, terminal }];
    default:
      return [];
  }
}

function decodeHeader(
  message: RouteAction_HashPolicy_Header,
  reasons: Reasons,
  maxProgramSize?: number,
): Omit<Extract<HashPolicyData, { kind: 'header' }>, 'terminal'> {
  headerFields.check(message, reasons);
  const { regexRewrite } = message;
  return {
    kind: 'header',
    name: lowerAscii(wireText(message.headerName)),
    rewrite:
      regexRewrite === undefined ? null : decodeRegexRewrite(regexRewrite, reasons.at('regex_rewrite'), maxProgramSize),
  };
}

function decodeCookie(
  message: RouteAction_HashPolicy_Cookie,
  reasons: Reasons,
): Omit<Extract<HashPolicyData, { kind: 'cookie' }>, 'terminal'> {
  cookieFields.check(message, reasons);
  for (const [i, attribute] of message.attributes.entries())
    attributeFields.check(attribute, reasons.at('attributes', i));
  const { ttl } = message;
  if (ttl === undefined) return { kind: 'cookie', name: wireText(message.name), generated: null };
  const generated = {
    maxAgeSeconds: Math.floor(durationMs(ttl, 0) / 1000),
    path: wireText(message.path),
    attributes: message.attributes.map(({ name, value }) => [wireText(name), wireText(value)] as const),
  };
  return { kind: 'cookie', name: wireText(message.name), generated };
}
