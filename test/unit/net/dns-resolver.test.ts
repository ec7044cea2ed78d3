import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  openDnsResolver,
  type DnsFiles,
  type DnsResolver,
  type DnsResolverOptions,
} from '../../../src/net/dns-resolver.ts';
import { DnsServer } from './dns-server.ts';

let server: DnsServer;
let folder: string;
let files: DnsFiles;

beforeAll(async () => {
  server = await DnsServer.start();
  folder = await mkdtemp(join(tmpdir(), 'sekisho-dns-'));
  files = { hosts: join(folder, 'hosts'), resolvConf: join(folder, 'resolv.conf') };
});

afterAll(async () => {
  server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  server.zones.clear();
  server.asked.length = 0;
  await writeFile(files.hosts, '127.0.0.1 localhost\n192.0.2.7 listed Also.Listed # comment\n');
  await writeFile(files.resolvConf, 'nameserver 192.0.2.1\n');
});

function open(change: Partial<Extract<DnsResolverOptions, { kind: 'cares' }>> = {}): DnsResolver {
  const options: DnsResolverOptions = {
    kind: 'cares',
    servers: [server.address],
    serversAreFallback: false,
    noDefaultSearchDomain: false,
    filterUnroutableFamilies: false,
    queryTimeoutMs: 0,
    queryTries: 1,
    ...change,
  };
  return openDnsResolver(options, files);
}

function answered(...addresses: string[]) {
  return { kind: 'answered', addresses: addresses.map((address) => expect.objectContaining({ address })) };
}

describe('a resolver that asks servers', () => {
  it('gives all addresses with their TTL', async () => {
    server.zones.set('a.test', { a: ['192.0.2.1', '192.0.2.2'], ttl: 17 });
    expect(await open().resolve('a.test', 'V4_ONLY')).toEqual({
      kind: 'answered',
      addresses: [
        { address: '192.0.2.1', ttlSeconds: 17 },
        { address: '192.0.2.2', ttlSeconds: 17 },
      ],
    });
    expect(server.asked).toEqual(['a.test A']);
  });

  it.each([
    ['AUTO', ['2001:db8::1'], ['both.test AAAA']],
    ['V4_PREFERRED', ['192.0.2.1'], ['both.test A']],
    ['V4_ONLY', ['192.0.2.1'], ['both.test A']],
    ['V6_ONLY', ['2001:db8::1'], ['both.test AAAA']],
    ['ALL', ['192.0.2.1', '2001:db8::1'], ['both.test A', 'both.test AAAA']],
  ] as const)('asks for the families of %s', async (family, addresses, asked) => {
    server.zones.set('both.test', { a: ['192.0.2.1'], aaaa: [1] });
    expect(await open().resolve('both.test', family)).toEqual(answered(...addresses));
    expect([...server.asked].sort()).toEqual([...asked].sort());
  });

  it('asks for the other family where the first has nothing', async () => {
    server.zones.set('four.test', { a: ['192.0.2.1'] });
    server.zones.set('six.test', { aaaa: [1] });
    expect(await open().resolve('four.test', 'AUTO')).toEqual(answered('192.0.2.1'));
    expect(await open().resolve('six.test', 'V4_PREFERRED')).toEqual(answered('2001:db8::1'));
  });

  it('answers with none for a name that does not exist, and fails where a server fails', async () => {
    server.zones.set('broken.test', { rcode: 2 });
    server.zones.set('empty.test', { a: [] });
    expect(await open().resolve('none.test', 'AUTO')).toEqual(answered());
    expect(await open().resolve('empty.test', 'V4_ONLY')).toEqual(answered());
    expect(await open().resolve('broken.test', 'AUTO')).toEqual({ kind: 'failed', reason: 'ESERVFAIL' });
  });

  it('asks nobody for addresses, localhost and listed names', async () => {
    const resolver = open();
    expect(await resolver.resolve('192.0.2.9', 'AUTO')).toEqual(answered('192.0.2.9'));
    expect(await resolver.resolve('::1', 'ALL')).toEqual(answered('::1'));
    expect(await resolver.resolve('::1', 'V4_ONLY')).toEqual(answered());
    // As Envoy: the hosts file has no IPv6 localhost, and RFC 6761 knows it all the same.
    expect(await resolver.resolve('localhost', 'AUTO')).toEqual(answered('::1'));
    expect(await resolver.resolve('localhost', 'V4_ONLY')).toEqual(answered('127.0.0.1'));
    expect(await resolver.resolve('a.localhost', 'AUTO')).toEqual(answered('::1'));
    expect(await resolver.resolve('LISTED', 'V4_PREFERRED')).toEqual(answered('192.0.2.7'));
    expect(await resolver.resolve('also.listed', 'V4_ONLY')).toEqual(answered('192.0.2.7'));
    expect(server.asked).toEqual([]);
  });

  it('walks the search domains', async () => {
    await writeFile(files.resolvConf, 'search ns.svc.test svc.test\noptions ndots:2 edns0\n');
    server.zones.set('web.svc.test', { a: ['192.0.2.1'] });
    expect(await open().resolve('web', 'V4_ONLY')).toEqual(answered('192.0.2.1'));
    expect(server.asked).toEqual(['web.ns.svc.test A', 'web.svc.test A']);
    server.asked.length = 0;
    await open({ noDefaultSearchDomain: true }).resolve('web', 'V4_ONLY');
    await open().resolve('web.', 'V4_ONLY');
    expect(server.asked).toEqual(['web A', 'web A']);
  });

  it('fails when nobody answers in time', async () => {
    const silent = open({ servers: ['127.0.0.1:1'], queryTimeoutMs: 50 });
    expect((await silent.resolve('a.test', 'V4_ONLY')).kind).toBe('failed');
  });
});

/** A C library that says "try again" so often, then answers. */
function library(failures: number, code = 'EAI_AGAIN') {
  let asked = 0;
  const ask = (): Promise<{ address: string }[]> => {
    if (asked++ < failures) return Promise.reject(Object.assign(new Error(code), { code }));
    return Promise.resolve([{ address: '192.0.2.1' }]);
  };
  const open = (retries: number | null) => openDnsResolver({ kind: 'getaddrinfo', retries }, undefined, ask);
  return { open, asked: () => asked };
}

describe('a C library that says "try again"', () => {
  afterEach(() => void vi.useRealTimers());

  it('is asked for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const { open, asked } = library(100);
    const answer = open(null).resolve('a.test', 'V4_ONLY');
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await answer).toMatchObject({ kind: 'answered' });
    expect(asked()).toBe(101);
  });

  it('is asked as often as it is configured', async () => {
    const { open, asked } = library(100);
    expect(await open(2).resolve('a.test', 'V4_ONLY')).toEqual({ kind: 'failed', reason: 'EAI_AGAIN' });
    expect(asked()).toBe(3);
  });

  it('is not asked again when nobody waits any more', async () => {
    const { open, asked } = library(100);
    expect((await open(null).resolve('a.test', 'V4_ONLY', () => asked() < 3)).kind).toBe('failed');
    expect(asked()).toBe(3);
  });

  it('is not asked again for another error', async () => {
    const { open, asked } = library(100, 'EAI_FAIL');
    expect(await open(null).resolve('a.test', 'V4_ONLY')).toEqual({ kind: 'failed', reason: 'EAI_FAIL' });
    expect(asked()).toBe(1);
  });
});

describe('a resolver that asks the C library', () => {
  it('knows what the machine knows', async () => {
    const resolver = openDnsResolver({ kind: 'getaddrinfo', retries: 0 });
    expect(await resolver.resolve('127.0.0.1', 'AUTO')).toEqual(answered('127.0.0.1'));
    expect(await resolver.resolve('localhost', 'V4_ONLY')).toEqual({
      kind: 'answered',
      addresses: [{ address: '127.0.0.1', ttlSeconds: 60 }],
    });
  });
});
