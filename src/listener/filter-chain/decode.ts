import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  FilterChainSchema,
  FilterSchema,
  type Filter,
  type FilterChain,
} from '../../proto/envoy/config/listener/v3/listener_components_pb.js';
import { decodeExtensionSource } from '../extension-source-decode.ts';
import type { FilterChainData, NetworkFilterData } from '../listener-data.ts';
import { FilterChainMatcher } from './filter-chain-matcher.ts';
import { orderFault } from './filter-order.ts';
import { anything, decodeFilterChainMatch } from './match-decode.ts';

const supported = new SupportedFields(
  FilterChainSchema,
  ['filter_chain_match', 'filters', 'name', 'transport_socket', 'transport_socket_connect_timeout'],
  ['metadata'],
);
const supportedFilter = new SupportedFields(FilterSchema, ['name', 'typed_config', 'config_discovery']);

const category = 'envoy.filters.network';
const rawBufferKind = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';

export function decodeFilterChain(chain: FilterChain, reasons: Reasons, extensions: Extensions): FilterChainData {
  supported.check(chain, reasons);
  const match = chain.filterChainMatch;
  return {
    name: chain.name,
    match: match === undefined ? anything : decodeFilterChainMatch(match, reasons.at('filter_chain_match')),
    filters: decodeFilters(chain, reasons, extensions),
    transport: decodeTransport(chain, reasons.at('transport_socket'), extensions),
    transportSocketConnectTimeoutMs: durationMs(chain.transportSocketConnectTimeout, 0),
  };
}

function decodeTransport(
  { transportSocket }: FilterChain,
  reasons: Reasons,
  extensions: Extensions,
): FilterChainData['transport'] {
  if (transportSocket === undefined) return null;
  const { name, configType } = transportSocket;
  const config = configType.case === 'typedConfig' ? configType.value : undefined;
  const opened = extensions.open('envoy.transport_sockets.downstream', name, config, reasons);
  return opened?.kind === rawBufferKind ? null : opened;
}

function decodeFilters(chain: FilterChain, reasons: Reasons, extensions: Extensions): NetworkFilterData[] {
  const filters: NetworkFilterData[] = [];
  const last = chain.filters.length - 1;
  for (const [i, filter] of chain.filters.entries()) {
    const at = reasons.at('filters', i);
    supportedFilter.check(filter, at);
    const opened = decodeFilter(filter, i === last, at, extensions);
    if (opened !== null) filters.push(opened);
  }
  // Of a refused one nobody knows.
  if (filters.length === chain.filters.length) checkOrder(filters, reasons.at('filters'));
  return filters;
}

/** Null: reasons were added. */
function decodeFilter(
  { name, configType }: Filter,
  isLast: boolean,
  reasons: Reasons,
  extensions: Extensions,
): NetworkFilterData | null {
  if (configType.case !== 'configDiscovery') return extensions.open(category, name, configType.value, reasons);
  const at = reasons.at('config_discovery');
  const discovery = decodeExtensionSource(configType.value, name, category, at, extensions, isLast);
  return discovery === null ? null : { name, kind: '', data: null, discovery };
}

function checkOrder(filters: readonly NetworkFilterData[], reasons: Reasons): void {
  for (const [i, { name, kind, discovery }] of filters.entries()) {
    const fault = discovery === undefined ? orderFault(name, kind, i === filters.length - 1) : '';
    if (fault !== '') reasons.add(fault);
  }
}

/** `listener`: its addresses, as Envoy says them. */
export function refuseEqualMatches(chains: readonly FilterChainData[], listener: string, reasons: Reasons): void {
  const seen = new Map<string, number>();
  let areEqual = false;
  for (const [i, chain] of chains.entries()) {
    const key = JSON.stringify(chain.match);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, i);
      continue;
    }
    areEqual = true;
    reasons
      .at('filter_chains', i)
      .add(
        `error adding listener '${listener}': filter chain '${chain.name}' has the same matching rules defined as '${chains[first].name}'`,
      );
  }
  if (areEqual || !reasons.isEmpty) return;
  const { isUnambiguous } = new FilterChainMatcher(chains.map(({ match, name }) => ({ match, chain: name })));
  if (isUnambiguous) return;
  reasons
    .at('filter_chains')
    .add(`error adding listener '${listener}': multiple filter chains with overlapping matching rules are defined`);
}

/** With filter_chain_matcher chains are found by name, and what they ask for themselves does not count. */
export function refuseEqualNames(chains: readonly FilterChainData[], listener: string, reasons: Reasons): void {
  const seen = new Set<string>();
  for (const [i, { name }] of chains.entries()) {
    const at = reasons.at('filter_chains', i).at('name');
    if (name === '')
      at.add(`error adding listener '${listener}': "name" field is required when using a listener matcher`);
    else if (seen.has(name))
      at.add(`error adding listener '${listener}': "name" field is duplicated with value '${name}'`);
    seen.add(name);
  }
}
