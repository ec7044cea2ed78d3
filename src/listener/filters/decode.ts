import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ListenerFilterChainMatchPredicate_MatchSetSchema,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  type ListenerFilterChainMatchPredicate_MatchSet,
} from '../../proto/envoy/config/listener/v3/listener_components_pb.js';
import { Int32RangeSchema } from '../../proto/envoy/type/v3/range_pb.js';
import { decodeExtensionSource } from '../extension-source-decode.ts';
import type { ListenerFilterData, PortPredicateData } from '../listener-data.ts';

const category = 'envoy.filters.listener';
const supported = new SupportedFields(ListenerFilterSchema, [
  'name',
  'typed_config',
  'config_discovery',
  'filter_disabled',
]);
const supportedPredicate = new SupportedFields(ListenerFilterChainMatchPredicateSchema, [
  'or_match',
  'and_match',
  'not_match',
  'any_match',
  'destination_port_range',
]);
const supportedSet = new SupportedFields(ListenerFilterChainMatchPredicate_MatchSetSchema, ['rules']);
const supportedRange = new SupportedFields(Int32RangeSchema, ['start', 'end']);

/** `reasons` stand at the listener. */
export function decodeListenerFilters(
  filters: readonly ListenerFilter[],
  reasons: Reasons,
  extensions: Extensions,
): ListenerFilterData[] {
  return filters.flatMap((filter, i) => {
    const at = reasons.at('listener_filters', i);
    supported.check(filter, at);
    const opened = openFilter(filter, at, extensions);
    const disabled =
      filter.filterDisabled === undefined ? null : decodePredicate(filter.filterDisabled, at.at('filter_disabled'));
    return opened === null ? [] : [{ ...opened, disabled }];
  });
}

/** Null: reasons were added. */
function openFilter(
  { name, configType }: ListenerFilter,
  reasons: Reasons,
  extensions: Extensions,
): Omit<ListenerFilterData, 'disabled'> | null {
  if (configType.case !== 'configDiscovery') return extensions.open(category, name, configType.value, reasons);
  const at = reasons.at('config_discovery');
  const discovery = decodeExtensionSource(configType.value, name, category, at, extensions);
  return discovery === null ? null : { name, kind: '', data: null, discovery };
}

function decodePredicate(predicate: ListenerFilterChainMatchPredicate, reasons: Reasons): PortPredicateData {
  supportedPredicate.check(predicate, reasons);
  const { rule } = predicate;
  switch (rule.case) {
    case 'orMatch':
      return { kind: 'or', rules: decodeSet(rule.value, reasons.at('or_match')) };
    case 'andMatch':
      return { kind: 'and', rules: decodeSet(rule.value, reasons.at('and_match')) };
    case 'notMatch':
      return { kind: 'not', rule: decodePredicate(rule.value, reasons.at('not_match')) };
    case 'destinationPortRange':
      supportedRange.check(rule.value, reasons.at('destination_port_range'));
      return { kind: 'range', start: rule.value.start, end: rule.value.end };
    default:
      return { kind: 'any' };
  }
}

function decodeSet(set: ListenerFilterChainMatchPredicate_MatchSet, reasons: Reasons): PortPredicateData[] {
  supportedSet.check(set, reasons);
  return set.rules.map((rule, i) => decodePredicate(rule, reasons.at('rules', i)));
}
