import type { PackedMessage } from '../core/extension.ts';
import { parseIp } from '../core/ip-address.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { IpSchema } from '../proto/envoy/extensions/matching/input_matchers/ip/v3/ip_pb.js';
import { fromBinary } from '../proto/protobuf.js';
import type { TypedExtensionConfig } from '../proto/xds/core/v3/extension_pb.js';
import { IPMatcher_IPRangeMatcherSchema, IPMatcherSchema } from '../proto/xds/type/matcher/v3/ip_pb.js';
import {
  ServerNameMatcher_DomainMatcherSchema,
  ServerNameMatcherSchema,
} from '../proto/xds/type/matcher/v3/domain_pb.js';
import {
  Matcher_MatcherList_FieldMatcherSchema,
  Matcher_MatcherList_Predicate_SinglePredicateSchema,
  Matcher_MatcherListSchema,
  Matcher_MatcherTreeSchema,
  Matcher_OnMatchSchema,
  MatcherSchema,
  type Matcher,
  type Matcher_MatcherList_Predicate,
  type Matcher_MatcherList_Predicate_SinglePredicate,
  type Matcher_MatcherTree,
  type Matcher_MatcherTree_MatchMap,
  type Matcher_OnMatch,
} from '../proto/xds/type/matcher/v3/matcher_pb.js';
import type { StringMatcher } from '../proto/xds/type/matcher/v3/string_pb.js';
import type { IpPrefix } from './ip-prefix-map.ts';
import type {
  DomainsData,
  IpRangesData,
  MatcherData,
  MatchTreeData,
  OnMatchData,
  PredicateData,
} from './matcher-data.ts';

const supported = new SupportedFields(MatcherSchema, ['matcher_list', 'matcher_tree', 'on_no_match']);
const supportedOnMatch = new SupportedFields(Matcher_OnMatchSchema, ['matcher', 'action']);
const supportedList = new SupportedFields(Matcher_MatcherListSchema, ['matchers']);
const supportedField = new SupportedFields(Matcher_MatcherList_FieldMatcherSchema, ['predicate', 'on_match']);
const supportedSingle = new SupportedFields(Matcher_MatcherList_Predicate_SinglePredicateSchema, [
  'input',
  'value_match',
  'custom_match',
]);
const supportedTree = new SupportedFields(Matcher_MatcherTreeSchema, [
  'input',
  'exact_match_map',
  'prefix_match_map',
  'custom_match',
]);
const supportedIp = new SupportedFields(IPMatcherSchema, ['range_matchers']);
const supportedRanges = new SupportedFields(IPMatcher_IPRangeMatcherSchema, ['ranges', 'on_match', 'exclusive']);
// Envoy counts under the prefix what it could not read as an address, which no input of ours gives.
const supportedIpInput = new SupportedFields(IpSchema, ['cidr_ranges'], ['stat_prefix']);

const supportedNames = new SupportedFields(ServerNameMatcherSchema, ['domain_matchers']);
const supportedDomains = new SupportedFields(ServerNameMatcher_DomainMatcherSchema, ['domains', 'on_match']);

/** How a matcher's user decodes what the matcher does not know of; each adds reasons where it refuses. */
export interface MatchDecoding {
  decodeInput(name: string, config: PackedMessage, reasons: Reasons): unknown;
  decodeString(message: StringMatcher, reasons: Reasons): unknown;
  decodeAction(name: string, config: PackedMessage, reasons: Reasons): unknown;
  /** Of a `custom_match` that the matcher does not know itself; null: nor is it the user's. Absent: it has none. */
  decodeCustom?(name: string, config: PackedMessage, reasons: Reasons): unknown;
}

/** `reasons` stand at the matcher. */
export function decodeMatcher(message: Matcher, reasons: Reasons, decoding: MatchDecoding): MatcherData {
  supported.check(message, reasons);
  const { matcherType, onNoMatch } = message;
  return {
    tree: decodeTree(matcherType, reasons, decoding),
    onNoMatch: onNoMatch === undefined ? null : decodeOnMatch(onNoMatch, reasons.at('on_no_match'), decoding),
  };
}

function decodeTree(type: Matcher['matcherType'], reasons: Reasons, decoding: MatchDecoding): MatchTreeData {
  if (type.case === 'matcherTree') return decodeMatcherTree(type.value, reasons.at('matcher_tree'), decoding);
  if (type.case === undefined) return { kind: 'none' };
  const at = reasons.at('matcher_list');
  supportedList.check(type.value, at);
  const matchers = type.value.matchers.map((field, i) => {
    const fieldAt = at.at('matchers', i);
    supportedField.check(field, fieldAt);
    return {
      predicate: decodePredicate(field.predicate, fieldAt.at('predicate'), decoding),
      onMatch: decodeOnMatch(field.onMatch, fieldAt.at('on_match'), decoding),
    };
  });
  return { kind: 'list', matchers };
}

const noAction: OnMatchData = { kind: 'matcher', matcher: { tree: { kind: 'none' }, onNoMatch: null } };

function decodeOnMatch(message: Matcher_OnMatch | undefined, reasons: Reasons, decoding: MatchDecoding): OnMatchData {
  if (message === undefined) return noAction;
  supportedOnMatch.check(message, reasons);
  const { onMatch } = message;
  if (onMatch.case === 'matcher')
    return { kind: 'matcher', matcher: decodeMatcher(onMatch.value, reasons.at('matcher'), decoding) };
  const action = onMatch.case === 'action' ? onMatch.value : undefined;
  const config = opened(action, reasons.at('action'));
  if (config === null) return noAction;
  return { kind: 'action', action: decoding.decodeAction(config.name, config.packed, reasons.at('action')) };
}

function decodeInput(input: TypedExtensionConfig | undefined, reasons: Reasons, decoding: MatchDecoding): unknown {
  const config = opened(input, reasons);
  return config === null ? null : decoding.decodeInput(config.name, config.packed, reasons);
}

/** Null: it has no message, and reasons were added. */
function opened(
  config: TypedExtensionConfig | undefined,
  reasons: Reasons,
): { readonly name: string; readonly packed: PackedMessage } | null {
  if (config?.typedConfig !== undefined) return { name: config.name, packed: config.typedConfig };
  reasons.add(`extension '${config?.name ?? ''}' has no typed_config; name its message by '@type'`);
  return null;
}

function decodePredicate(
  message: Matcher_MatcherList_Predicate | undefined,
  reasons: Reasons,
  decoding: MatchDecoding,
): PredicateData {
  const type = message?.matchType;
  switch (type?.case) {
    case 'singlePredicate':
      return decodeSingle(type.value, reasons.at('single_predicate'), decoding);
    case 'orMatcher':
    case 'andMatcher': {
      const kind = type.case === 'orMatcher' ? 'or' : 'and';
      const at = reasons.at(`${kind}_matcher`);
      const predicates = type.value.predicate.map((one, i) => decodePredicate(one, at.at('predicate', i), decoding));
      return { kind, predicates };
    }
    case 'notMatcher':
      return { kind: 'not', predicate: decodePredicate(type.value, reasons.at('not_matcher'), decoding) };
    default:
      reasons.add('a predicate needs one of single_predicate, or_matcher, and_matcher and not_matcher');
      return { kind: 'or', predicates: [] };
  }
}

function decodeSingle(
  message: Matcher_MatcherList_Predicate_SinglePredicate,
  reasons: Reasons,
  decoding: MatchDecoding,
): PredicateData {
  supportedSingle.check(message, reasons);
  const input = decodeInput(message.input, reasons.at('input'), decoding);
  const { matcher } = message;
  if (matcher.case === 'valueMatch')
    return { kind: 'string', input, string: decoding.decodeString(matcher.value, reasons.at('value_match')) };
  const at = reasons.at('custom_match');
  const config = opened(matcher.case === 'customMatch' ? matcher.value : undefined, at);
  if (config === null) return { kind: 'or', predicates: [] };
  if (kindOf(config.packed) !== IpSchema.typeName) {
    const custom = decoding.decodeCustom?.(config.name, config.packed, at.at('typed_config')) ?? null;
    if (custom !== null) return { kind: 'custom', input, custom };
    at.at('typed_config').add(`input matcher of type '${kindOf(config.packed)}' is not supported by sekisho`);
    return { kind: 'or', predicates: [] };
  }
  const ip = fromBinary(IpSchema, config.packed.value);
  const ipAt = at.at('typed_config');
  supportedIpInput.check(ip, ipAt);
  return { kind: 'ip', input, ranges: ip.cidrRanges.map((range, i) => decodeRange(range, ipAt.at('cidr_ranges', i))) };
}

function decodeMatcherTree(message: Matcher_MatcherTree, reasons: Reasons, decoding: MatchDecoding): MatchTreeData {
  supportedTree.check(message, reasons);
  const input = decodeInput(message.input, reasons.at('input'), decoding);
  const { treeType } = message;
  if (treeType.case === 'exactMatchMap')
    return { kind: 'exact', input, entries: decodeMap(treeType.value, reasons.at('exact_match_map'), decoding) };
  if (treeType.case === 'prefixMatchMap')
    return { kind: 'prefix', input, entries: decodeMap(treeType.value, reasons.at('prefix_match_map'), decoding) };
  const at = reasons.at('custom_match');
  const config = opened(treeType.case === 'customMatch' ? treeType.value : undefined, at);
  if (config === null) return { kind: 'none' };
  if (kindOf(config.packed) === ServerNameMatcherSchema.typeName)
    return { kind: 'domain', input, domains: decodeDomains(config.packed, at.at('typed_config'), decoding) };
  if (kindOf(config.packed) !== IPMatcherSchema.typeName) {
    at.at('typed_config').add(`custom matcher of type '${kindOf(config.packed)}' is not supported by sekisho`);
    return { kind: 'none' };
  }
  return { kind: 'ip', input, ranges: decodeIpMatcher(config.packed, at.at('typed_config'), decoding) };
}

function decodeMap({ map }: Matcher_MatcherTree_MatchMap, reasons: Reasons, decoding: MatchDecoding) {
  return Object.entries(map).map(([key, onMatch]) => ({
    key,
    onMatch: decodeOnMatch(onMatch, reasons.at('map', key), decoding),
  }));
}

function decodeIpMatcher(packed: PackedMessage, reasons: Reasons, decoding: MatchDecoding): IpRangesData[] {
  const message = fromBinary(IPMatcherSchema, packed.value);
  supportedIp.check(message, reasons);
  return message.rangeMatchers.map((matcher, i) => {
    const at = reasons.at('range_matchers', i);
    supportedRanges.check(matcher, at);
    return {
      ranges: matcher.ranges.map((range, j) => decodeRange(range, at.at('ranges', j))),
      onMatch: decodeOnMatch(matcher.onMatch, at.at('on_match'), decoding),
      exclusive: matcher.exclusive,
    };
  });
}

function decodeDomains(packed: PackedMessage, reasons: Reasons, decoding: MatchDecoding): DomainsData[] {
  const message = fromBinary(ServerNameMatcherSchema, packed.value);
  supportedNames.check(message, reasons);
  const seen = new Set<string>();
  return message.domainMatchers.map((matcher, i) => {
    const at = reasons.at('domain_matchers', i);
    supportedDomains.check(matcher, at);
    matcher.domains.forEach((domain, j) => {
      const problem = domainProblem(domain, seen);
      if (problem !== null) at.at('domains', j).add(problem);
      seen.add(domain);
    });
    return { names: matcher.domains, onMatch: decodeOnMatch(matcher.onMatch, at.at('on_match'), decoding) };
  });
}

function domainProblem(domain: string, seen: ReadonlySet<string>): string | null {
  if (seen.has(domain)) return `Duplicate domain in ServerNameMatcher: ${domain}`;
  const isWell = domain === '*' || !domain.replace(/^\*\.(?=.)/, '').includes('*');
  return isWell ? null : `Invalid wildcard domain format: ${domain}. Only '*' and '*.domain' patterns are supported`;
}

/** `CidrRange`, of either package. */
function decodeRange(
  range: { readonly addressPrefix: string; readonly prefixLen?: number | undefined },
  reasons: Reasons,
): IpPrefix {
  const address = parseIp(range.addressPrefix);
  const bits = address === null ? 0 : 8 * address.length;
  const length = range.prefixLen ?? 0;
  if (address === null || length > bits)
    reasons.add(`invalid ip/mask combo '${range.addressPrefix}/${length}' (format is <ip>/<# mask bits>)`);
  return { address: range.addressPrefix, length: Math.min(length, bits) };
}

function kindOf({ typeUrl }: PackedMessage): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
