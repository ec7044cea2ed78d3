import { isIPv4, isIPv6 } from 'node:net';
import { parseIp } from '../../core/ip-address.ts';
import { AgentError } from '../agent-error.ts';
import type { Environment } from '../environment.ts';

/** What istio-iptables is told: lists are separated by commas. */
export interface InterceptionWish {
  readonly outboundPort: string;
  readonly inboundPort: string;
  readonly tunnelPort: string;
  readonly proxyUids: string;
  readonly proxyGids: string;
  readonly mode: string;
  readonly inboundPorts: string;
  readonly inboundPortsExcluded: string;
  readonly outboundRanges: string;
  readonly outboundRangesExcluded: string;
  readonly outboundPorts: string;
  readonly outboundPortsExcluded: string;
  readonly virtualInterfaces: string;
  readonly interfacesExcluded: string;
  readonly tproxyMark: string;
  readonly tproxyRouteTable: string;
  readonly groups: string;
  readonly groupsExcluded: string;
  readonly loopbackRange: string;
  readonly redirectsDns: boolean;
  readonly capturesAllDns: boolean;
  readonly dropsInvalid: boolean;
  readonly isDualStack: boolean;
}

/** Destinations of one family. */
export interface Ranges {
  readonly isAll: boolean;
  readonly cidrs: readonly string[];
  readonly hasLoopback: boolean;
}

/** The same, taken apart and checked. */
export interface Interception {
  readonly outboundPort: string;
  readonly inboundPort: string;
  readonly tunnelPort: string;
  readonly uids: readonly string[];
  readonly gids: readonly string[];
  readonly isTproxy: boolean;
  /** Null: none; `*`: all. */
  readonly inboundPorts: '*' | readonly string[] | null;
  readonly inboundPortsExcluded: readonly string[];
  readonly v4: Ranges;
  readonly v6: Ranges;
  readonly v4Excluded: readonly string[];
  readonly v6Excluded: readonly string[];
  readonly outboundPorts: readonly string[];
  readonly outboundPortsExcluded: readonly string[];
  readonly virtualInterfaces: readonly string[];
  readonly interfacesExcluded: readonly string[];
  readonly tproxyMark: string;
  readonly tproxyRouteTable: string;
  /** Groups whose connections alone are captured, or null: all but those. */
  readonly groups: readonly string[] | null;
  readonly groupsExcluded: readonly string[];
  readonly loopbackV4: string;
  /** `all`, or servers by their family; null: questions are left alone. */
  readonly dns: 'all' | { readonly v4: readonly string[]; readonly v6: readonly string[] } | null;
  readonly dropsInvalid: boolean;
  readonly hasIpv6: boolean;
}

/** What of the machine decides. */
export interface InterceptionFacts {
  /** Of resolv.conf. */
  readonly dnsServers: readonly string[];
  /** Of the interfaces, but loopback and link-local ones. */
  readonly addresses: readonly string[];
}

const defaults: InterceptionWish = {
  outboundPort: '15001',
  inboundPort: '15006',
  tunnelPort: '15008',
  proxyUids: '',
  proxyGids: '',
  mode: '',
  inboundPorts: '',
  inboundPortsExcluded: '',
  outboundRanges: '',
  outboundRangesExcluded: '',
  outboundPorts: '',
  outboundPortsExcluded: '',
  virtualInterfaces: '',
  interfacesExcluded: '',
  tproxyMark: '1337',
  tproxyRouteTable: '133',
  groups: '*',
  groupsExcluded: '',
  loopbackRange: '127.0.0.1/32',
  redirectsDns: false,
  capturesAllDns: false,
  dropsInvalid: false,
  isDualStack: false,
};

/** Variables that istio-iptables reads for what no flag says. */
const variables: Partial<Record<keyof InterceptionWish, readonly string[]>> = {
  inboundPort: ['INBOUND_CAPTURE_PORT'],
  tunnelPort: ['INBOUND_TUNNEL_PORT'],
  proxyUids: ['PROXY_UID'],
  proxyGids: ['PROXY_GID'],
  mode: ['ISTIO_INBOUND_INTERCEPTION_MODE', 'INBOUND_INTERCEPTION_MODE'],
  inboundPorts: ['ISTIO_INBOUND_PORTS'],
  inboundPortsExcluded: ['ISTIO_LOCAL_EXCLUDE_PORTS'],
  outboundRanges: ['ISTIO_SERVICE_CIDR'],
  outboundRangesExcluded: ['ISTIO_SERVICE_EXCLUDE_CIDR'],
  outboundPorts: ['ISTIO_OUTBOUND_PORTS'],
  outboundPortsExcluded: ['ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE'],
  virtualInterfaces: ['KUBE_VIRT_INTERFACES'],
  interfacesExcluded: ['ISTIO_EXCLUDE_INTERFACES'],
  tproxyMark: ['ISTIO_INBOUND_TPROXY_MARK', 'INBOUND_TPROXY_MARK'],
  tproxyRouteTable: ['ISTIO_INBOUND_TPROXY_ROUTE_TABLE'],
  groups: ['ISTIO_OUTBOUND_OWNER_GROUPS'],
  groupsExcluded: ['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'],
  loopbackRange: ['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'],
  redirectsDns: ['REDIRECT_DNS', 'ISTIO_META_DNS_CAPTURE'],
  capturesAllDns: ['CAPTURE_ALL_DNS'],
  dropsInvalid: ['DROP_INVALID', 'INVALID_DROP'],
  isDualStack: ['DUAL_STACK', 'ISTIO_DUAL_STACK'],
};

const proxyUser = '1337';

/** What is given, what variables say of the rest, and defaults for what is left. */
export function completeWish(given: Partial<InterceptionWish>, environment: Environment): InterceptionWish {
  const wish: Record<string, string | boolean> = { ...defaults };
  for (const [key, names] of Object.entries(variables))
    for (const name of names) {
      const value = environment.variables[name];
      if (value === undefined || value === '') continue;
      wish[key] = typeof wish[key] === 'boolean' ? environment.boolean(name, false) : value;
      break;
    }
  return { ...(wish as unknown as InterceptionWish), ...given };
}

/** @throws AgentError where something cannot be */
export function readInterception(wish: InterceptionWish, facts: InterceptionFacts): Interception {
  if (!['', 'REDIRECT', 'TPROXY'].includes(wish.mode))
    throw new AgentError(`the interception mode is '${wish.mode}'; allowed: REDIRECT, TPROXY`);
  if (wish.outboundRangesExcluded === '*') throw new AgentError('not every destination can be excluded');
  if (wish.groups !== '*' && wish.groupsExcluded !== '')
    throw new AgentError('groups are included or excluded, not both');
  for (const port of [wish.outboundPort, wish.inboundPort, wish.tunnelPort]) checkPort(port);
  const uids = split(wish.proxyUids === '' ? proxyUser : wish.proxyUids);
  const excluded = split(wish.outboundRangesExcluded).map(checkedRange);
  return {
    outboundPort: wish.outboundPort,
    inboundPort: wish.inboundPort,
    tunnelPort: wish.tunnelPort,
    uids,
    gids: wish.proxyGids === '' ? uids : split(wish.proxyGids),
    isTproxy: wish.mode === 'TPROXY',
    inboundPorts: wish.inboundPorts === '' ? null : wish.inboundPorts === '*' ? '*' : ports(wish.inboundPorts),
    inboundPortsExcluded: ports(wish.inboundPortsExcluded),
    v4: ranges(wish.outboundRanges, isV4),
    v6: ranges(wish.outboundRanges, (cidr) => !isV4(cidr)),
    v4Excluded: excluded.filter(isV4),
    v6Excluded: excluded.filter((cidr) => !isV4(cidr)),
    outboundPorts: ports(wish.outboundPorts),
    outboundPortsExcluded: ports(wish.outboundPortsExcluded),
    virtualInterfaces: split(wish.virtualInterfaces),
    interfacesExcluded: split(wish.interfacesExcluded),
    tproxyMark: number(wish.tproxyMark, 'the mark of TPROXY'),
    tproxyRouteTable: number(wish.tproxyRouteTable, 'the routing table of TPROXY'),
    groups: wish.groups === '*' ? null : split(wish.groups),
    groupsExcluded: split(wish.groupsExcluded),
    loopbackV4: wish.loopbackRange,
    dns: dnsOf(wish, facts.dnsServers),
    dropsInvalid: wish.dropsInvalid,
    hasIpv6: wish.isDualStack ? facts.addresses.some(isIPv6) : isIPv6(facts.addresses[0] ?? ''),
  };
}

function dnsOf(wish: InterceptionWish, servers: readonly string[]): Interception['dns'] {
  if (!wish.redirectsDns) return null;
  if (wish.capturesAllDns) return 'all';
  if (servers.length === 0) return null;
  return { v4: servers.filter((server) => isIPv4(server)), v6: servers.filter((server) => isIPv6(server)) };
}

function ranges(text: string, isOf: (cidr: string) => boolean): Ranges {
  if (text === '*') return { isAll: true, cidrs: [], hasLoopback: false };
  const cidrs = split(text).map(checkedRange).filter(isOf);
  return { isAll: false, cidrs, hasLoopback: cidrs.some((cidr) => /^(127\.|::1\/)/.test(cidr)) };
}

function split(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function ports(text: string): string[] {
  return split(text).map(checkPort);
}

function checkPort(port: string): string {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new AgentError(`'${port}' is no port`);
  return port;
}

function number(text: string, what: string): string {
  if (!/^\d{1,9}$/.test(text)) throw new AgentError(`${what} is '${text}', which is no number`);
  return text;
}

function isV4(cidr: string): boolean {
  return !cidr.includes(':');
}

function checkedRange(cidr: string): string {
  const [address, length, ...rest] = cidr.split('/');
  const bytes = parseIp(address)?.length;
  const bits = bytes === undefined ? -1 : bytes * 8;
  if (rest.length > 0 || length === undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits)
    throw new AgentError(`'${cidr}' is no range of addresses`);
  return cidr;
}
