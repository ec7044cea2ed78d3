import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  FilterChainSchema,
  FilterSchema,
  type FilterChain,
} from '../../proto/envoy/config/listener/v3/listener_components_pb.js';
import type { FilterChainData, NetworkFilterData } from '../listener-data.ts';
import { FilterChainMatcher } from './filter-chain-matcher.ts';
import { anything, decodeFilterChainMatch } from './match-decode.ts';

const supported = new SupportedFields(
  FilterChainSchema,
  ['filter_chain_match', 'filters', 'name', 'transport_socket', 'transport_socket_connect_timeout'],
  ['metadata'],
);
const supportedFilter = new SupportedFields(FilterSchema, ['name', 'typed_config']);

/** Filters that do something with a connection; the others look at it on its way there. */
const terminalKinds: ReadonlySet<string> = new Set([
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'envoy.extensions.filters.network.echo.v3.Echo',
  'envoy.extensions.filters.network.direct_response.v3.Config',
]);

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
  for (const [i, filter] of chain.filters.entries()) {
    const at = reasons.at('filters', i);
    supportedFilter.check(filter, at);
    const config = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const opened = extensions.open('envoy.filters.network', filter.name, config, at);
    if (opened !== null) filters.push(opened);
  }
  // Of a refused one nobody knows.
  if (filters.length === chain.filters.length) checkOrder(filters, reasons.at('filters'));
  return filters;
}

/** Envoy's words. */
function checkOrder(filters: readonly NetworkFilterData[], reasons: Reasons): void {
  for (const [i, { name, kind }] of filters.entries()) {
    const isLast = i === filters.length - 1;
    if (terminalKinds.has(kind) === isLast) continue;
    const what = `filter named ${name} of type ${kind.replace('.extensions', '').replace(/\.v\d+\.\w+$/, '')}`;
    if (isLast) reasons.add(`non-terminal ${what} is the last filter in a network filter chain.`);
    else reasons.add(`terminal ${what} must be the last filter in a network filter chain.`);
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
