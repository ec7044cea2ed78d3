import type { Interception, Ranges } from './interception.ts';
import { RuleList, type Table } from './rule-list.ts';

/** Chains, by Istio's names. */
const Chain = {
  output: 'ISTIO_OUTPUT',
  outputDns: 'ISTIO_OUTPUT_DNS',
  inbound: 'ISTIO_INBOUND',
  divert: 'ISTIO_DIVERT',
  tproxy: 'ISTIO_TPROXY',
  redirect: 'ISTIO_REDIRECT',
  inRedirect: 'ISTIO_IN_REDIRECT',
  drop: 'ISTIO_DROP',
} as const;

const dnsPort = '53';
const agentDnsPort = '15053';
/** In TPROXY mode of what the proxy itself sends to the workload, which is not captured again. */
const outboundMark = '1338';

/** What differs between the families. */
interface Family {
  readonly isV4: boolean;
  readonly loopback: string;
  /** Where the proxy's connections to the workload come from. */
  readonly inboundSource: string;
  readonly hostBits: string;
  readonly ranges: Ranges;
  readonly excluded: readonly string[];
  readonly dnsServers: readonly string[];
}

/** Rules of both families, as istio-iptables (1.29) makes them; null: no IPv6. */
export function interceptionRules(wish: Interception): { readonly v4: RuleList; readonly v6: RuleList | null } {
  const servers = wish.dns === null || wish.dns === 'all' ? { v4: [], v6: [] } : wish.dns;
  const v4 = familyRules(wish, {
    isV4: true,
    loopback: wish.loopbackV4,
    inboundSource: '127.0.0.6/32',
    hostBits: '/32',
    ranges: wish.v4,
    excluded: wish.v4Excluded,
    dnsServers: servers.v4,
  });
  if (!wish.hasIpv6) return { v4, v6: null };
  const v6 = familyRules(wish, {
    isV4: false,
    loopback: '::1/128',
    inboundSource: '::6/128',
    hostBits: '/128',
    ranges: wish.v6,
    excluded: wish.v6Excluded,
    dnsServers: servers.v6,
  });
  return { v4, v6 };
}

function familyRules(wish: Interception, family: Family): RuleList {
  const list = new RuleList();
  leaveInterfaces(list, wish);
  if (wish.dropsInvalid) {
    list.append('PREROUTING', 'mangle', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', Chain.drop);
    list.append(Chain.drop, 'mangle', '-j', 'DROP');
  }
  list.append(Chain.inbound, 'nat', '-p', 'tcp', '--dport', wish.tunnelPort, '-j', 'RETURN');
  list.append(Chain.redirect, 'nat', '-p', 'tcp', '-j', 'REDIRECT', '--to-ports', wish.outboundPort);
  list.append(Chain.inRedirect, 'nat', '-p', 'tcp', '-j', 'REDIRECT', '--to-ports', wish.inboundPort);
  inboundRules(list, wish, family);
  list.append('OUTPUT', 'nat', '-j', Chain.output);
  for (const port of wish.outboundPortsExcluded)
    for (const protocol of ['tcp', 'udp'])
      list.append(Chain.output, 'nat', '-p', protocol, '--dport', port, '-j', 'RETURN');
  list.append(Chain.output, 'nat', '-o', 'lo', '-s', family.inboundSource, '-j', 'RETURN');
  ownerRules(list, wish, family);
  if (wish.dns !== null) dnsRules(list, wish, family);
  list.append(Chain.output, 'nat', '-d', family.loopback, '-j', 'RETURN');
  for (const cidr of family.excluded) list.append(Chain.output, 'nat', '-d', cidr, '-j', 'RETURN');
  for (const port of wish.outboundPorts)
    list.append(Chain.output, 'nat', '-p', 'tcp', '--dport', port, '-j', Chain.redirect);
  outboundRules(list, wish, family);
  if (wish.isTproxy) tproxyRules(list, wish, family);
  return list;
}

function leaveInterfaces(list: RuleList, wish: Interception): void {
  const left: Table[] = wish.isTproxy ? ['nat', 'mangle'] : ['nat'];
  for (const table of left)
    for (const name of wish.interfacesExcluded) {
      list.append('PREROUTING', table, '-i', name, '-j', 'RETURN');
      list.append('OUTPUT', table, '-o', name, '-j', 'RETURN');
    }
  for (const name of wish.virtualInterfaces) list.insert('PREROUTING', 'nat', 1, '-i', name, '-j', 'RETURN');
}

function inboundRules(list: RuleList, wish: Interception, { loopback }: Family): void {
  const { inboundPorts, isTproxy, tproxyMark } = wish;
  if (inboundPorts === null) return;
  const table = isTproxy ? 'mangle' : 'nat';
  if (isTproxy) {
    list.append(Chain.divert, 'mangle', '-j', 'MARK', '--set-mark', tproxyMark);
    list.append(Chain.divert, 'mangle', '-j', 'ACCEPT');
    const to = ['--tproxy-mark', `${tproxyMark}/0xffffffff`, '--on-port', wish.inboundPort];
    list.append(Chain.tproxy, 'mangle', '!', '-d', loopback, '-p', 'tcp', '-j', 'TPROXY', ...to);
  }
  list.append('PREROUTING', table, '-p', 'tcp', '-j', Chain.inbound);
  const capture = (...match: readonly string[]): void => {
    if (!isTproxy) {
      list.append(Chain.inbound, 'nat', '-p', 'tcp', ...match, '-j', Chain.inRedirect);
      return;
    }
    const known = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED'];
    list.append(Chain.inbound, 'mangle', '-p', 'tcp', ...match, ...known, '-j', Chain.divert);
    list.append(Chain.inbound, 'mangle', '-p', 'tcp', ...match, '-j', Chain.tproxy);
  };
  if (inboundPorts !== '*') {
    for (const port of inboundPorts) capture('--dport', port);
    return;
  }
  for (const port of wish.inboundPortsExcluded)
    list.append(Chain.inbound, table, '-p', 'tcp', '--dport', port, '-j', 'RETURN');
  capture();
}

/** What the proxy sends is not captured, but to the workload by its own address; what the workload sends to itself is not. */
function ownerRules(list: RuleList, wish: Interception, { loopback }: Family): void {
  const isDns = wish.dns !== null;
  const capturesLoopback = wish.v4.hasLoopback || wish.v6.hasLoopback;
  const owners = [
    ...wish.uids.map((uid) => ['--uid-owner', uid] as const),
    ...wish.gids.map((gid) => ['--gid-owner', gid] as const),
  ];
  for (const [option, id] of owners) {
    const ports =
      isDns && option === '--uid-owner'
        ? ['-m', 'multiport', '!', '--dports', `${dnsPort},${wish.tunnelPort}`]
        : ['!', '--dport', wish.tunnelPort];
    const self = ['-o', 'lo', '!', '-d', loopback, '-p', 'tcp', ...ports, '-m', 'owner', option, id];
    list.append(Chain.output, 'nat', ...self, '-j', Chain.inRedirect);
    if (!capturesLoopback) {
      const but = isDns ? ['-p', 'tcp', '!', '--dport', dnsPort] : [];
      list.append(Chain.output, 'nat', '-o', 'lo', ...but, '-m', 'owner', '!', option, id, '-j', 'RETURN');
    }
    list.append(Chain.output, 'nat', '-m', 'owner', option, id, '-j', 'RETURN');
  }
  if (wish.groups !== null) {
    const none = wish.groups.flatMap((group) => ['-m', 'owner', '!', '--gid-owner', group]);
    list.append(Chain.output, 'nat', ...none, '-j', 'RETURN');
  }
  for (const group of wish.groupsExcluded)
    list.append(Chain.output, 'nat', '-m', 'owner', '--gid-owner', group, '-j', 'RETURN');
}

function dnsRules(list: RuleList, wish: Interception, { dnsServers, hostBits }: Family): void {
  const isAll = wish.dns === 'all';
  const isCaptured = isAll || dnsServers.length > 0;
  const servers = isAll ? [null] : dnsServers;
  const of = (flag: '-d' | '-s', server: string | null): string[] => (server === null ? [] : [flag, server + hostBits]);
  list.append('OUTPUT', 'raw', '-j', Chain.outputDns);
  if (isCaptured) list.append(Chain.output, 'nat', '-j', Chain.outputDns);
  for (const [protocol, option] of [
    ['tcp', '--to-ports'],
    ['udp', '--to-port'],
  ])
    for (const server of servers) {
      const match = ['-p', protocol, '--dport', dnsPort, ...of('-d', server)];
      list.append(Chain.outputDns, 'nat', ...match, '-j', 'REDIRECT', option, agentDnsPort);
    }
  // The agent's own questions are in another zone of conntrack than those of the workload.
  const owners = [...wish.uids.map((uid) => ['--uid-owner', uid]), ...wish.gids.map((gid) => ['--gid-owner', gid])];
  for (const owner of owners) {
    const by = ['-m', 'owner', ...owner, '-j', 'CT', '--zone'];
    list.append(Chain.outputDns, 'raw', '-p', 'udp', '--dport', dnsPort, ...by, '1');
    list.append(Chain.outputDns, 'raw', '-p', 'udp', '--sport', agentDnsPort, ...by, '2');
  }
  if (isCaptured) list.append('PREROUTING', 'raw', '-j', Chain.inbound);
  for (const server of servers) {
    const zone = ['-j', 'CT', '--zone'];
    list.append(Chain.outputDns, 'raw', '-p', 'udp', '--dport', dnsPort, ...of('-d', server), ...zone, '2');
    list.append(Chain.inbound, 'raw', '-p', 'udp', '--sport', dnsPort, ...of('-s', server), ...zone, '1');
  }
}

function outboundRules(list: RuleList, wish: Interception, { ranges }: Family): void {
  if (ranges.isAll) {
    list.append(Chain.output, 'nat', '-j', Chain.redirect);
    for (const name of wish.virtualInterfaces) list.insert('PREROUTING', 'nat', 1, '-i', name, '-j', Chain.redirect);
    return;
  }
  for (const cidr of ranges.cidrs) {
    for (const name of wish.virtualInterfaces)
      list.insert('PREROUTING', 'nat', 1, '-i', name, '-d', cidr, '-j', Chain.redirect);
    list.append(Chain.output, 'nat', '-d', cidr, '-j', Chain.redirect);
  }
}

function tproxyRules(list: RuleList, wish: Interception, { loopback, inboundSource }: Family): void {
  const mark = wish.tproxyMark;
  const tcp = ['-p', 'tcp'];
  list.append('PREROUTING', 'mangle', ...tcp, '-m', 'mark', '--mark', mark, '-j', 'CONNMARK', '--save-mark');
  list.append('OUTPUT', 'mangle', ...tcp, '-o', 'lo', '-m', 'mark', '--mark', mark, '-j', 'RETURN');
  const owners = [...wish.uids.map((uid) => ['--uid-owner', uid]), ...wish.gids.map((gid) => ['--gid-owner', gid])];
  for (const owner of owners) {
    const match = ['!', '-d', loopback, ...tcp, '-o', 'lo', '-m', 'owner', ...owner];
    list.append('OUTPUT', 'mangle', ...match, '-j', 'MARK', '--set-mark', outboundMark);
  }
  list.append('OUTPUT', 'mangle', ...tcp, '-m', 'connmark', '--mark', mark, '-j', 'CONNMARK', '--restore-mark');
  list.insert(Chain.inbound, 'mangle', 1, ...tcp, '-m', 'mark', '--mark', mark, '-j', 'RETURN');
  list.insert(Chain.inbound, 'mangle', 2, ...tcp, '-s', inboundSource, '-i', 'lo', '-j', 'RETURN');
  const foreign = ['-i', 'lo', '-m', 'mark', '!', '--mark', outboundMark];
  list.insert(Chain.inbound, 'mangle', 3, ...tcp, ...foreign, '-j', 'RETURN');
}
