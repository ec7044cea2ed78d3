import { Resolver } from 'node:dns/promises';
import { openSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { RecordType } from '../../../../src/agent/dns/dns-message.ts';
import { formatIp } from '../../../../src/core/ip-address.ts';
import { DnsOfPods } from '../../../../src/ztunnel/dns/dns-of-pods.ts';
import { MeshNames } from '../../../../src/ztunnel/dns/mesh-names.ts';
import { PodDns } from '../../../../src/ztunnel/dns/pod-dns.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';

const config = `
workloads:
- { uid: a, name: a, namespace: shop, workloadIps: [10.9.0.1, "fd00::1"], protocol: HBONE, services: { shop/headless.shop.svc.cluster.local: { 80: 80 } } }
- { uid: b, name: b, namespace: shop, workloadIps: [10.9.0.2], protocol: HBONE, status: Unhealthy, services: { shop/headless.shop.svc.cluster.local: { 80: 80 } } }
services:
- { name: ledger, namespace: shop, hostname: ledger.shop.svc.cluster.local, vips: [/10.10.0.1, "/fd00:10::1", other/10.10.9.9], ports: { 80: 80 } }
- { name: headless, namespace: shop, hostname: headless.shop.svc.cluster.local, vips: [], ports: { 80: 80 } }
- { name: ext, namespace: shop, hostname: ext.example.com, vips: [/240.0.0.1], ports: { 80: 80 } }
- { name: wild, namespace: shop, hostname: "*.wild.example.com", vips: [/240.0.0.2], ports: { 80: 80 } }
- { name: secret, namespace: other, hostname: secret.other.svc.cluster.local, vips: [/10.10.0.3], ports: { 80: 80 }, visibility: Namespace }
`;

function names(namespace = 'shop'): MeshNames {
  const mesh = new Mesh();
  mesh.apply(readLocalConfig(config));
  return new MeshNames(mesh, { namespace, clusterDomain: 'cluster.local', network: '' });
}

function lookup(name: string, type: number = RecordType.A, namespace = 'shop'): string[] | null {
  const found = names(namespace).lookup(`${name}.`, type);
  return found?.map(({ data }) => (typeof data === 'string' ? data : formatIp(data))) ?? null;
}

test.each([
  ['ledger.shop.svc.cluster.local', ['10.10.0.1']],
  ['ledger.shop.svc', ['10.10.0.1']],
  ['ledger.shop', ['10.10.0.1']],
  ['ledger', ['10.10.0.1']],
  ['headless', ['10.9.0.1']],
  ['ext.example.com', ['240.0.0.1']],
  ['a.wild.example.com', ['240.0.0.2']],
  ['ext.example.com.shop.svc.cluster.local', ['ext.example.com.', '240.0.0.1']],
  ['nobody.example.com', null],
  ['secret.other.svc.cluster.local', null],
])('%s is %j', (name, addresses) => {
  expect(lookup(name)).toEqual(addresses);
});

test('addresses are of the family that was asked for, and other types are not for us', () => {
  expect(lookup('ledger', RecordType.AAAA)).toEqual(['fd00:10::1']);
  expect(lookup('ext.example.com', RecordType.AAAA)).toEqual([]);
  expect(lookup('ledger', 16)).toBeNull();
  expect(lookup('ledger', RecordType.A, 'elsewhere')).toBeNull();
  expect(lookup('secret', RecordType.A, 'other')).toEqual(['10.10.0.3']);
});

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const nobody = { ask: () => Promise.resolve(null) };

/** A resolver of Node's that asks port `port` of loopback. */
function resolver(port: number): Resolver {
  const made = new Resolver({ timeout: 2000, tries: 1 });
  made.setServers([`127.0.0.1:${port}`]);
  return made;
}

test('a resolver is answered, and told of a failure where nobody else answers', async () => {
  const dns = new PodDns(names(), nobody);
  ends.push(() => dns.close());
  await dns.listen('127.0.0.1', 25_353, { namespaceFd: -1, mark: 0 });
  expect(await resolver(25_353).resolve4('ledger.shop.svc.cluster.local')).toEqual(['10.10.0.1']);
  await expect(resolver(25_353).resolve4('nobody.example.com')).rejects.toThrow('ESERVFAIL');
  await expect(resolver(25_353).resolve6('ext.example.com')).rejects.toThrow('ENODATA');
});

test('both families of addresses are listened at, and closed together', async () => {
  const dns = new PodDns(names(), nobody);
  ends.push(() => dns.close());
  const here = { namespaceFd: -1, mark: 0 };
  await dns.listen('127.0.0.1', 25_355, here);
  // A machine without IPv6 says so, by a code that who listens goes by.
  const problem = await dns.listen('::1', 25_355, here).then(
    () => '',
    (error: NodeJS.ErrnoException) => error.code,
  );
  expect(['', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']).toContain(problem);
  await expect(dns.listen('127.0.0.1', 25_355, here)).rejects.toThrow();
  if (problem === '') {
    const asking = new Resolver({ timeout: 2000, tries: 1 });
    asking.setServers(['[::1]:25355']);
    expect(await asking.resolve6('ledger.shop.svc.cluster.local')).toEqual(['fd00:10::1']);
  }
  dns.close();
  await dns.listen('127.0.0.1', 25_355, here);
});

test('a pod has its DNS as long as it has its proxy', async () => {
  const calls: string[] = [];
  const mesh = new Mesh();
  mesh.apply(readLocalConfig(config));
  const proxies = {
    addProxy: (uid: string, _info: object, _fd: number, tell: (problem: string) => void) => {
      calls.push(`add ${uid}`);
      tell(uid === 'bad' ? 'no port' : '');
    },
    removeProxy: (uid: string) => void calls.push(`remove ${uid}`),
  };
  const options = {
    mesh,
    others: nobody,
    network: '',
    clusterDomain: 'cluster.local',
    mark: 0,
    port: 25_354,
    hasIpv6: true,
  };
  const pods = new DnsOfPods(proxies, options);
  ends.push(() => pods.removeProxy('p'));
  const info = { name: 'a', namespace: 'shop', serviceAccount: 'a' };
  const added = (uid: string): Promise<string> =>
    new Promise((resolve) => pods.addProxy(uid, info, openSync('/proc/self/ns/net', 'r'), resolve));
  expect(await added('bad')).toBe('no port');
  const problem = await added('p');
  // To enter a namespace, even the own one, needs root.
  if (process.getuid?.() === 0) {
    expect(problem).toBe('');
    expect(await resolver(25_354).resolve4('ledger')).toEqual(['10.10.0.1']);
  }
  pods.removeProxy('p');
  expect(calls).toEqual(['add bad', 'add p', 'remove p']);
});
