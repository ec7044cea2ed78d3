import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/agent/agent-error.ts';
import { Environment } from '../../../../src/agent/environment.ts';
import {
  completeWish,
  readInterception,
  type InterceptionFacts,
  type InterceptionWish,
} from '../../../../src/agent/iptables/interception.ts';
import { interceptionRules } from '../../../../src/agent/iptables/interception-rules.ts';

const folder = join(import.meta.dirname, '../../../fixtures/istio-iptables');
const v4Address = { addresses: ['10.0.0.1'], dnsServers: [] };
const v6Address = { addresses: ['fd00::1'], dnsServers: [] };
const withDns = { ...v4Address, dnsServers: ['127.0.0.53'] };

type Case = readonly [wish: Partial<InterceptionWish>, facts?: InterceptionFacts];

const owners = { proxyUids: '3,4', proxyGids: '1,2' };
const dnsWithout: Partial<InterceptionWish> = { redirectsDns: false };
const cases: Readonly<Record<string, Case>> = {
  'ipv6-empty-inbound-ports': [{}, v6Address],
  'ip-range': [
    { outboundRangesExcluded: '1.1.0.0/16', outboundRanges: '9.9.0.0/16', redirectsDns: true, ...owners },
    withDns,
  ],
  tproxy: [
    {
      mode: 'TPROXY',
      inboundPorts: '*',
      outboundRangesExcluded: '1.1.0.0/16',
      outboundRanges: '9.9.0.0/16',
      redirectsDns: true,
      interfacesExcluded: 'not-istio-nic',
    },
    { addresses: ['fd00::1'], dnsServers: ['127.0.0.53'] },
  ],
  'ipv6-inbound-ports': [{ inboundPorts: '4000,5000' }, v6Address],
  'ipv6-virt-interfaces': [{ inboundPorts: '4000,5000', virtualInterfaces: 'eth0,eth1' }, v6Address],
  'ipv6-ipnets': [
    {
      inboundPorts: '4000,5000',
      inboundPortsExcluded: '6000,7000,',
      virtualInterfaces: 'eth0,eth1',
      outboundRangesExcluded: '2001:db8::/32',
      outboundRanges: '2001:db8::/32',
    },
    v6Address,
  ],
  'ipv6-uid-gid': [
    {
      inboundPorts: '4000,5000',
      inboundPortsExcluded: '6000,7000',
      virtualInterfaces: 'eth0,eth1',
      outboundRangesExcluded: '2001:db8::/32',
      outboundRanges: '2001:db8::/32',
      ...owners,
    },
    v6Address,
  ],
  'ipv6-outbound-ports': [{ outboundPorts: '32000,31000' }, v6Address],
  empty: [{}],
  'kube-virt-interfaces': [{ virtualInterfaces: 'eth1,eth2', outboundRanges: '*' }],
  ipnets: [{ outboundRanges: '10.0.0.0/8' }],
  'ipnets-with-kube-virt-interfaces': [{ virtualInterfaces: 'eth1,eth2', outboundRanges: '10.0.0.0/8' }],
  'inbound-ports-include': [{ inboundPorts: '32000,31000' }],
  'inbound-ports-wildcard': [{ inboundPorts: '*' }],
  'inbound-ports-tproxy': [{ inboundPorts: '32000,31000', mode: 'TPROXY' }],
  'inbound-ports-wildcard-tproxy': [{ inboundPorts: '*', mode: 'TPROXY' }],
  'dns-uid-gid': [
    { redirectsDns: true, ...owners },
    { addresses: ['fd00::1'], dnsServers: ['127.0.0.53', '::127.0.0.53'] },
  ],
  'ipv6-dns-uid-gid': [{ ...dnsWithout, ...owners }, v6Address],
  'outbound-owner-groups': [{ groups: 'java,202' }],
  'outbound-owner-groups-exclude': [{ groupsExcluded: '888,ftp' }],
  'ipv6-dns-outbound-owner-groups': [{ ...dnsWithout, groups: 'java,202' }, v6Address],
  'ipv6-dns-outbound-owner-groups-exclude': [{ ...dnsWithout, groupsExcluded: '888,ftp' }, v6Address],
  'outbound-ports-include': [{ outboundPorts: '32000,31000' }],
  'loopback-outbound-iprange': [{ outboundRanges: '127.1.2.3/32', redirectsDns: true, ...owners }, withDns],
  'basic-exclude-nic': [{ interfacesExcluded: 'not-istio-nic' }],
  'drop-invalid': [{ dropsInvalid: true }],
  'host-ipv4-loopback-cidr': [{ loopbackRange: '127.0.0.1/8' }],
};

const made = ([wish, facts]: Case): string => {
  const rules = interceptionRules(readInterception(completeWish(wish, new Environment({})), facts ?? v4Address));
  return rules.v4.restoreText() + (rules.v6?.restoreText() ?? '');
};

describe('the rules of istio-iptables', () => {
  test('every case is compared', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.golden'));
    expect(names.map((name) => name.slice(0, -'.golden'.length)).toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  test.each(Object.entries(cases))('%s', (name, each) => {
    const recorded = readFileSync(join(folder, `${name}.golden`), 'utf8');
    const input = recorded
      .split('\n')
      .filter((line) => line !== '' && !/^ip6?tables/.test(line))
      .join('\n');
    expect(made(each).trim()).toBe(input);
  });
});

describe('what is refused', () => {
  test.each([
    [{ mode: 'NONE' }, "the interception mode is 'NONE'; allowed: REDIRECT, TPROXY"],
    [{ outboundRangesExcluded: '*' }, 'not every destination can be excluded'],
    [{ outboundRanges: '10.0.0.0/33' }, "'10.0.0.0/33' is no range of addresses"],
    [{ outboundRanges: 'here' }, "'here' is no range of addresses"],
    [{ inboundPorts: '80,http' }, "'http' is no port"],
    [{ outboundPort: '70000' }, "'70000' is no port"],
    [{ tproxyMark: 'x' }, "the mark of TPROXY is 'x', which is no number"],
    [{ groups: 'a', groupsExcluded: 'b' }, 'groups are included or excluded, not both'],
  ])('%j', (wish, reason) => {
    expect(() => made([wish])).toThrow(new AgentError(reason));
  });
});

test('variables say what flags do not', () => {
  const environment = new Environment({ ISTIO_META_DNS_CAPTURE: 'true', PROXY_UID: '7', ISTIO_INBOUND_PORTS: '80' });
  expect(completeWish({ inboundPorts: '*' }, environment)).toMatchObject({
    redirectsDns: true,
    proxyUids: '7',
    inboundPorts: '*',
    outboundPort: '15001',
  });
});

test('all questions for names', () => {
  const text = made([{ redirectsDns: true, capturesAllDns: true }]);
  expect(text).toContain('-A ISTIO_OUTPUT_DNS -p tcp --dport 53 -j REDIRECT --to-ports 15053\n');
  expect(text).toContain('-A ISTIO_INBOUND -p udp --sport 53 -j CT --zone 1\n');
});
