import { isIP } from 'node:net';
import { durationMs } from '../core/duration.ts';
import type { Extensions } from '../core/extension.ts';
import { formatAddress, type Address } from '../core/peer.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeKeepAliveOptions, decodeSocketOptions, fastOpenOption } from '../net/socket-options/decode.ts';
import { decodeAccessLogs } from '../observe/access-log/decode.ts';
import type { DecodeHeaderMatcher } from '../observe/access-log/filter-decode.ts';
import {
  PipeSchema,
  SocketAddress_Protocol,
  SocketAddressSchema,
  type Address as ProtoAddress,
} from '../proto/envoy/config/core/v3/address_pb.js';
import { SocketOptionsOverrideSchema } from '../proto/envoy/config/core/v3/socket_option_pb.js';
import { TrafficDirection } from '../proto/envoy/config/core/v3/base_pb.js';
import {
  AdditionalAddressSchema,
  Listener_ConnectionBalanceConfigSchema,
  Listener_DrainType,
  ListenerSchema,
  type Listener,
} from '../proto/envoy/config/listener/v3/listener_pb.js';
import { decodeChainMatcher, type DecodeStringMatcher } from './filter-chain/chain-matcher-decode.ts';
import { decodeFilterChain, refuseEqualMatches, refuseEqualNames } from './filter-chain/decode.ts';
import { decodeListenerFilters } from './filters/decode.ts';
import { originalDstKind } from './filters/original-dst/original-dst.ts';
import { internalAddress, type InternalSupport } from './internal-decode.ts';
import type { ListenerData, ListenerFilterData } from './listener-data.ts';

/** Envoy's default of per_connection_buffer_limit_bytes. */
const defaultBufferLimit = 1024 * 1024;

const supported = new SupportedFields(
  ListenerSchema,
  [
    'name',
    'address',
    'additional_addresses',
    'stat_prefix',
    'filter_chains',
    'default_filter_chain',
    'filter_chain_matcher',
    'per_connection_buffer_limit_bytes',
    'drain_type',
    'listener_filters',
    'listener_filters_timeout',
    'continue_on_listener_filters_timeout',
    'traffic_direction',
    'enable_reuse_port',
    'reuse_port',
    'access_log',
    'tcp_backlog_size',
    'transparent',
    'freebind',
    'bind_to_port',
    'use_original_dst',
    'metadata',
    'ignore_global_conn_limit',
    'bypass_overload_manager',
    'internal_listener',
    'socket_options',
    'tcp_keepalive',
    'tcp_fast_open_queue_length',
    'connection_balance_config',
  ],
  // How many Envoy accepts before it does something else: here that is the kernel's and Node's to decide.
  ['max_connections_to_accept_per_socket_event'],
);
const supportedAdditionalAddress = new SupportedFields(AdditionalAddressSchema, ['address', 'socket_options']);
const supportedOverride = new SupportedFields(SocketOptionsOverrideSchema, ['socket_options']);
// The kernel spreads connections over the workers in any case.
const supportedBalance = new SupportedFields(Listener_ConnectionBalanceConfigSchema, ['exact_balance']);
const supportedSocketAddress = new SupportedFields(SocketAddressSchema, [
  'protocol',
  'address',
  'port_value',
  'ipv4_compat',
  'resolver_name',
]);
const supportedPipe = new SupportedFields(PipeSchema, ['path', 'mode']);

/**
 * Null: reasons were added.
 * @param decodeHeaderMatcher for the filters of access logs
 * @param decodeStringMatcher for filter_chain_matcher; null: its string tests are refused
 * @param internal null: internal listeners are refused
 */
export function decodeListener(
  listener: Listener,
  reasons: Reasons,
  extensions: Extensions,
  decodeHeaderMatcher: DecodeHeaderMatcher,
  decodeStringMatcher: DecodeStringMatcher | null = null,
  internal: InternalSupport | null = null,
): ListenerData | null {
  const before = reasons.list.length;
  supported.check(listener, reasons);
  const balance = listener.connectionBalanceConfig;
  if (balance !== undefined) supportedBalance.check(balance, reasons.at('connection_balance_config'));
  const isInternal = listener.listenerSpecifier.case === 'internalListener';
  const addresses = isInternal ? [internalAddress(listener, internal, reasons)] : decodeAddresses(listener, reasons);
  const listenerFilters = decodeListenerFilters(listener.listenerFilters, reasons, extensions);
  // A listener whose address is refused may be of a kind that needs no filter chains.
  if (addresses.length > 0 && listener.filterChains.length === 0 && listener.defaultFilterChain === undefined) {
    reasons.at('filter_chains').add(`error adding listener '${addressText(addresses)}': no filter chains specified`);
  }
  const chains = decodeChains(listener, addresses, reasons, extensions, decodeStringMatcher);
  const handsOver = listener.useOriginalDst ?? false;
  const accessLogs = decodeAccessLogs(listener.accessLog, reasons.at('access_log'), extensions, decodeHeaderMatcher);
  const sockets = decodeSockets(listener, addresses, reasons);
  if (reasons.list.length > before || addresses.length === 0) return null;
  return {
    name: listener.name === '' ? addressText(addresses) : listener.name,
    addresses,
    metadata: listener.metadata === undefined ? null : { ...listener.metadata.filterMetadata },
    statPrefix: listener.statPrefix || (isInternal ? `envoy_internal_${listener.name}` : addressText(addresses)),
    bindToPort: listener.bindToPort ?? true,
    ...(isInternal && { internalBufferBytes: internal?.bufferBytes ?? 0 }),
    ...(handsOver && { handsOver }),
    ...chains,
    bufferLimit: listener.perConnectionBufferLimitBytes ?? defaultBufferLimit,
    reusePort: listener.enableReusePort ?? true,
    backlog: listener.tcpBacklogSize ?? -1,
    ...foreignAddresses(listener),
    ...sockets,
    ipv6Only: !isIpv4Compatible(listener.address),
    pipeMode: pipeMode(listener.address),
    keepAliveSeconds: null,
    trafficDirection: trafficDirections[listener.trafficDirection] ?? 'UNSPECIFIED',
    drainType: listener.drainType === Listener_DrainType.MODIFY_ONLY ? 'MODIFY_ONLY' : 'DEFAULT',
    accessLogs,
    ...(listener.ignoreGlobalConnLimit && { ignoresConnectionsMax: true }),
    ...(listener.bypassOverloadManager && { bypassesOverload: true }),
    listenerFilters: handsOver ? [...listenerFilters, restoring] : listenerFilters,
    listenerFiltersTimeoutMs: durationMs(listener.listenerFiltersTimeout, 15_000),
    continueOnListenerFiltersTimeout: listener.continueOnListenerFiltersTimeout,
  };
}

/** Its filter chains, and what chooses among them. */
function decodeChains(
  listener: Listener,
  addresses: readonly Address[],
  reasons: Reasons,
  extensions: Extensions,
  decodeStringMatcher: DecodeStringMatcher | null,
): Pick<ListenerData, 'filterChains' | 'defaultFilterChain' | 'filterChainMatcher'> {
  const filterChains = listener.filterChains.map((chain, i) =>
    decodeFilterChain(chain, reasons.at('filter_chains', i), extensions),
  );
  const matcher = listener.filterChainMatcher;
  const refuseEqual = matcher === undefined ? refuseEqualMatches : refuseEqualNames;
  refuseEqual(filterChains, addressText(addresses), reasons);
  const filterChainMatcher =
    matcher === undefined ? null : decodeChainMatcher(matcher, reasons.at('filter_chain_matcher'), decodeStringMatcher);
  const defaultFilterChain =
    listener.defaultFilterChain === undefined
      ? null
      : decodeFilterChain(listener.defaultFilterChain, reasons.at('default_filter_chain'), extensions);
  return { filterChains, defaultFilterChain, filterChainMatcher };
}

/** What the kernel is told of its sockets. */
function decodeSockets(
  listener: Listener,
  addresses: readonly Address[],
  reasons: Reasons,
): Pick<ListenerData, 'socketOptions' | 'ownSocketOptions'> {
  const keepAlive = decodeKeepAliveOptions(listener.tcpKeepalive, reasons.at('tcp_keepalive'));
  const fastOpen = fastOpenOption(listener.tcpFastOpenQueueLength);
  const socketOptions = [...keepAlive, ...decodeSocketOptions(listener.socketOptions, reasons), ...fastOpen];
  const own = listener.additionalAddresses.map(({ socketOptions: override }, i) => {
    if (override === undefined) return null;
    const at = reasons.at('additional_addresses', i).at('socket_options');
    supportedOverride.check(override, at);
    return [...keepAlive, ...decodeSocketOptions(override.socketOptions, at), ...fastOpen];
  });
  const isTold = (index: number): boolean => (own[index - 1] ?? socketOptions).length > 0;
  if (addresses.some(({ kind }, i) => kind !== 'ip' && isTold(i)))
    reasons.add('options of sockets are supported by sekisho for IP addresses only');
  return {
    ...(socketOptions.length > 0 && { socketOptions }),
    ...(own.some((options) => options !== null) && { ownSocketOptions: [null, ...own] }),
  };
}

/** Whether it may be bound to addresses that are not this machine's. */
function foreignAddresses({ transparent, freebind }: Listener): Pick<ListenerData, 'isTransparent' | 'isFree'> {
  return { ...(transparent === true && { isTransparent: true }), ...(freebind === true && { isFree: true }) };
}

/** The filter that `use_original_dst` stands for, behind those that are named. */
const restoring: ListenerFilterData = {
  name: 'envoy.filters.listener.original_dst',
  kind: originalDstKind,
  data: null,
  disabled: null,
};

const trafficDirections: Readonly<Record<number, ListenerData['trafficDirection']>> = {
  [TrafficDirection.INBOUND]: 'INBOUND',
  [TrafficDirection.OUTBOUND]: 'OUTBOUND',
};

function decodeAddresses(listener: Listener, reasons: Reasons): Address[] {
  if (listener.address === undefined) {
    reasons.at('address').add("field 'address' is required");
    return [];
  }
  const found = [decodeAddress(listener.address, reasons.at('address'))];
  for (const [i, additional] of listener.additionalAddresses.entries()) {
    const at = reasons.at('additional_addresses', i);
    supportedAdditionalAddress.check(additional, at);
    if (additional.address !== undefined) found.push(decodeAddress(additional.address, at.at('address')));
  }
  return found.filter((address) => address !== null);
}

/** Null: reasons were added. */
export function decodeAddress(address: ProtoAddress, reasons: Reasons): Address | null {
  if (address.address.case === 'pipe') {
    supportedPipe.check(address.address.value, reasons.at('pipe'));
    return { kind: 'pipe', host: address.address.value.path, port: 0 };
  }
  if (address.address.case !== 'socketAddress') {
    reasons.unsupported('envoy_internal_address');
    return null;
  }
  const at = reasons.at('socket_address');
  const socket = address.address.value;
  supportedSocketAddress.check(socket, at);
  if (socket.protocol === SocketAddress_Protocol.UDP) {
    at.unsupported('protocol', 'is UDP: only TCP listeners are supported by sekisho');
    return null;
  }
  if (isIP(socket.address) === 0) {
    // An address needs no resolver, anything else needs the one that is named.
    if (socket.resolverName !== '') {
      at.unsupported('resolver_name');
      return null;
    }
    at.at('address').add(
      `malformed IP address: ${socket.address}. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'`,
    );
    return null;
  }
  return {
    kind: 'ip',
    host: socket.address,
    port: socket.portSpecifier.case === 'portValue' ? socket.portSpecifier.value : 0,
  };
}

function isIpv4Compatible(address: ProtoAddress | undefined): boolean {
  return address?.address.case === 'socketAddress' && address.address.value.ipv4Compat;
}

function pipeMode(address: ProtoAddress | undefined): number | null {
  return address?.address.case === 'pipe' && address.address.value.mode !== 0 ? address.address.value.mode : null;
}

function addressText(addresses: readonly Address[]): string {
  return addresses.length === 0 ? '' : formatAddress(addresses[0]);
}
