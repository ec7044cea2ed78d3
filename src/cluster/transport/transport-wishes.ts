import type { Headers } from '../../core/headers.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { Peer, SourceAddress } from '../../core/peer.ts';
import { noTransportOptions, type TransportOptions, type UpstreamTransport } from '../../net/transport.ts';
import { FilterStateObject, SharedText } from '../../observe/filter-state.ts';
import type { ServerNamesData } from '../cluster-data.ts';

type FilterState = ReadonlyMap<string, unknown>;

/** Keys of filter state that filters of either kind of chain may set. Envoy's. */
const serverNameKey = 'envoy.network.upstream_server_name';
const subjectAltNamesKey = 'envoy.network.upstream_subject_alt_names';
const applicationProtocolsKey = 'envoy.network.application_protocols';

/** What the requests and connections for one cluster ask of its transports. */
export class TransportWishes {
  private readonly names: ServerNamesData;
  private readonly hasNames: boolean;
  /** The answer before, which the next one mostly is too. */
  private lastAuthority: string;
  private lastOptions: TransportOptions;
  /** The same with protocols besides: in a mesh each request brings them. */
  private lastProtocols: string;
  private lastOffering: TransportOptions;

  constructor(names: ServerNamesData) {
    this.names = names;
    this.hasNames = names.autoSni || names.autoSanValidation;
    this.lastAuthority = '';
    this.lastOptions = noTransportOptions;
    this.lastProtocols = '';
    this.lastOffering = noTransportOptions;
  }

  /** `authority`: empty for a plain connection. `downstream`: whose it is. */
  of(
    transport: UpstreamTransport,
    authority: string,
    headers: Headers | null,
    filterState: FilterState | null,
    downstream: Peer | null,
  ): TransportOptions {
    const options = this.withoutSource(transport, authority, headers, filterState, downstream);
    const source = downstream?.source ?? null;
    return source === null ? options : leavingFrom(options, source);
  }

  private withoutSource(
    transport: UpstreamTransport,
    authority: string,
    headers: Headers | null,
    filterState: FilterState | null,
    downstream: Peer | null,
  ): TransportOptions {
    const whose = transport.downstreamKey === undefined ? null : downstream;
    const shared = filterState === null ? null : sharedOf(filterState, transport.passesState === true);
    if (!transport.isSecure && whose === null) return withState(noTransportOptions, shared);
    const name = this.hasNames ? this.byName(this.nameIn(headers) || authority) : noTransportOptions;
    if (filterState === null && whose === null) return name;
    const serverName = textOf(filterState, serverNameKey);
    const subjectAltNames = listOf(filterState, subjectAltNamesKey);
    if (serverName === '' && subjectAltNames.length === 0 && whose === null)
      return withState(this.offering(name, textOf(filterState, applicationProtocolsKey)), shared);
    const options = keyed(
      serverName === '' ? name.serverName : serverName,
      subjectAltNames.length === 0 ? name.subjectAltNames : subjectAltNames,
      listOf(filterState, applicationProtocolsKey),
      whose,
      whose === null ? '' : transport.downstreamKey!(whose),
    );
    return withState(options, shared);
  }

  private offering(name: TransportOptions, protocols: string): TransportOptions {
    if (protocols === '') return name;
    const { serverName, subjectAltNames } = name;
    const last = this.lastOffering;
    const isLast = last.serverName === serverName && last.subjectAltNames === subjectAltNames;
    if (isLast && this.lastProtocols === protocols) return last;
    this.lastProtocols = protocols;
    this.lastOffering = keyed(serverName, subjectAltNames, protocols.split(','), null, '');
    return this.lastOffering;
  }

  /** What takes the place of the authority; empty: nothing. */
  private nameIn(headers: Headers | null): string {
    const { header } = this.names;
    return header === '' ? '' : (headers?.get(header) ?? '');
  }

  private byName(authority: string): TransportOptions {
    if (authority === this.lastAuthority) return this.lastOptions;
    const { autoSni, autoSanValidation } = this.names;
    const host = hostOf(authority);
    // RFC 6066 section 3: an address is no server name.
    const serverName = autoSni && parseIp(host) === null ? host : '';
    this.lastAuthority = authority;
    this.lastOptions = keyed(serverName, autoSanValidation && host !== '' ? [host] : [], [], null, '');
    return this.lastOptions;
  }
}

function keyed(
  serverName: string,
  subjectAltNames: readonly string[],
  applicationProtocols: readonly string[],
  downstream: Peer | null,
  downstreamKey: string,
): TransportOptions {
  const parts = [serverName, subjectAltNames.join(), applicationProtocols.join(), downstreamKey];
  if (parts.every((part) => part === '')) return noTransportOptions;
  // Names in either case are one, to Envoy too.
  const key = parts.join('\0').toLowerCase();
  return { ...noTransportOptions, key, serverName, subjectAltNames, applicationProtocols, downstream };
}

/** What is shared with upstream connections, or with `isPassed` false tells them apart; null: nothing. */
function sharedOf(filterState: FilterState, isPassed: boolean): Map<string, SharedText> | null {
  let shared: Map<string, SharedText> | null = null;
  for (const [key, value] of filterState) {
    if (!(value instanceof SharedText) || !(isPassed || value.isHashable)) continue;
    (shared ??= new Map()).set(key, value);
  }
  return shared;
}

/** Connections are shared by all whose state is alike where it can be compared, and are told the state of the first. */
function withState(options: TransportOptions, shared: ReadonlyMap<string, SharedText> | null): TransportOptions {
  if (shared === null) return options;
  let key = `${options.key}\0state`;
  for (const [name, { text, isHashable }] of shared) if (isHashable) key += `\0${name}=${text}`;
  return { ...options, key, sharedState: shared };
}

/** Connections are shared by those for the same address. */
function leavingFrom(options: TransportOptions, source: SourceAddress): TransportOptions {
  return { ...options, key: `${options.key}\0from=${source.host} ${source.mark}`, source };
}

/** Without its port and brackets. */
function hostOf(authority: string): string {
  if (authority.startsWith('[')) {
    const end = authority.indexOf(']');
    return end < 0 ? authority : authority.slice(1, end);
  }
  const colon = authority.indexOf(':');
  // Two of them: an IPv6 address without brackets.
  return colon < 0 || authority.includes(':', colon + 1) ? authority : authority.slice(0, colon);
}

function textOf(filterState: FilterState | null, key: string): string {
  const value = filterState?.get(key);
  if (value instanceof FilterStateObject) return value.toPlain();
  return typeof value === 'string' ? value : '';
}

/** Envoy's factories of these objects take the elements between commas. */
function listOf(filterState: FilterState | null, key: string): readonly string[] {
  const text = textOf(filterState, key);
  return text === '' ? [] : text.split(',');
}
