import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeOwnAnswer, stateOfTheWorld } from '../../../../src/agent/discovery/discovery-messages.ts';
import { encodeAnswer, messageId, parseQuery, RecordType } from '../../../../src/agent/dns/dns-message.ts';
import { DnsProxy } from '../../../../src/agent/dns/dns-proxy.ts';
import { FramedReader, framed } from '../../../../src/agent/dns/framed-message.ts';
import { LookupTable } from '../../../../src/agent/dns/lookup-table.ts';
import { decodeNameTable, type NameInfo } from '../../../../src/agent/dns/name-table.ts';
import { parseResolvConf } from '../../../../src/agent/dns/resolv-conf.ts';
import { UpstreamResolver } from '../../../../src/agent/dns/upstream-resolver.ts';
import { KeptLog } from '../../../kept-log.ts';

const recorded = readFileSync(join(import.meta.dirname, '../../../fixtures/pilot-agent/name-table.pb'));
const [nameTable] = decodeOwnAnswer(recorded, stateOfTheWorld).resources;
const scope = { namespace: 'default', domain: 'svc.cluster.local', searchDomain: 'default.svc.cluster.local' };

/** A query as a stub resolver writes it. */
function query(name: string, type: number, id = 7): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

/** A server that answers whatever it is asked with 9.9.9.9, over both protocols. */
class Origin {
  readonly asked: string[] = [];
  private readonly udp = createSocket('udp4');
  private readonly tcp = createServer((socket) => {
    const reader = new FramedReader((message) => void socket.write(framed(this.answer(message, 'tcp'))));
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
    socket.on('error', () => socket.destroy());
  });

  async start(): Promise<number> {
    await new Promise<void>((resolve) => void this.tcp.listen(0, '127.0.0.1', resolve));
    const { port } = this.tcp.address() as { port: number };
    await new Promise<void>((resolve) => void this.udp.bind(port, '127.0.0.1', resolve));
    this.udp.on('message', (message, from) => this.udp.send(this.answer(message, 'udp'), from.port, from.address));
    return port;
  }

  stop(): void {
    this.udp.close();
    this.tcp.close();
  }

  private answer(message: Uint8Array, protocol: string): Uint8Array {
    const asked = parseQuery(message)!;
    this.asked.push(`${protocol} ${asked.name} ${asked.type}`);
    const record = { owner: asked.name, type: RecordType.A, data: Uint8Array.of(9, 9, 9, 9) };
    return encodeAnswer(asked, 0, [record], 60, 512);
  }
}

let origin: Origin;
let proxy: DnsProxy;
let resolver: Resolver;

beforeEach(async () => {
  origin = new Origin();
  const port = await origin.start();
  const upstream = new UpstreamResolver(['127.0.0.1'], false, 2000, () => 0.5, port);
  proxy = new DnsProxy(upstream, scope, false, new KeptLog());
  resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${await proxy.listen('127.0.0.1', 0)}`]);
});
afterEach(() => {
  proxy.close();
  origin.stop();
});

describe('a client that is none of ours', () => {
  test('is told to wait for the table', async () => {
    expect(proxy.isReady).toBe(false);
    await expect(resolver.resolve4('reviews.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    expect(origin.asked).toEqual([]);
  });

  test('finds what istiod has told, and nothing of the other family', async () => {
    proxy.update(nameTable);
    expect(proxy.isReady).toBe(true);
    const names = JSON.parse(proxy.namesJson()!) as { table: Record<string, { ips: string[] }> };
    for (const [name, { ips }] of Object.entries(names.table).filter(([each]) => !each.includes('*')))
      expect((await resolver.resolve4(name, { ttl: true })).map(({ address }) => address).toSorted()).toEqual(
        ips.toSorted(),
      );
    const [first] = Object.keys(names.table);
    await expect(resolver.resolve6(first)).rejects.toMatchObject({ code: 'ENODATA' });
    expect(origin.asked).toEqual([]);
  });

  test('has every other question handed on', async () => {
    proxy.update(nameTable);
    expect(await resolver.resolve4('example.com')).toEqual(['9.9.9.9']);
    expect(origin.asked).toEqual(['udp example.com. 1']);
  });

  test('over TCP, several questions on a connection', async () => {
    proxy.update(nameTable);
    const answers = await Promise.all([
      proxy.answer(query('example.com', RecordType.A), true),
      proxy.answer(query('example.org', RecordType.AAAA), true),
    ]);
    expect(answers.map((answer) => messageId(answer!))).toEqual([7, 7]);
    expect(origin.asked.toSorted()).toEqual(['tcp example.com. 1', 'tcp example.org. 28']);
  });

  test('where no server answers it is a failure', async () => {
    const silent = new DnsProxy(new UpstreamResolver([], false, 10, () => 0.5), scope, true, new KeptLog());
    const answer = await silent.answer(query('example.com', 1), false);
    expect(answer![3] & 0xf).toBe(2);
  });
});

const info = (addresses: string[], more: Partial<NameInfo> = {}): NameInfo => ({
  addresses,
  registry: 'External',
  shortName: '',
  namespace: '',
  ...more,
});
const table = new LookupTable(
  new Map([
    [
      'reviews.default.svc.cluster.local',
      info(['10.0.0.1', 'fd00::1'], { registry: 'Kubernetes', shortName: 'reviews', namespace: 'default' }),
    ],
    [
      'ratings.other.svc.cluster.local',
      info(['10.0.0.2'], { registry: 'Kubernetes', shortName: 'ratings', namespace: 'other' }),
    ],
    ['*.wild.example', info(['10.0.0.3'])],
    ['Upper.Example', info(['10.0.0.4'])],
    ['empty.example', info([])],
  ]),
  scope,
);

function lookedUp(name: string, type: number = RecordType.A): string[] | null {
  const found = table.lookup(name, type);
  return found?.map(({ owner, data }) => `${owner} ${typeof data === 'string' ? data : data.join('.')}`) ?? null;
}

describe('names', () => {
  test.each([
    ['reviews.default.svc.cluster.local.', ['reviews.default.svc.cluster.local. 10.0.0.1']],
    ['reviews.', ['reviews. 10.0.0.1']],
    ['reviews.default.', ['reviews.default. 10.0.0.1']],
    ['reviews.default.svc.', ['reviews.default.svc. 10.0.0.1']],
    ['ratings.', null],
    ['ratings.other.', ['ratings.other. 10.0.0.2']],
    [
      'ratings.other.default.svc.cluster.local.',
      ['ratings.other.default.svc.cluster.local. ratings.other.', 'ratings.other. 10.0.0.2'],
    ],
    ['a.b.wild.example.', ['a.b.wild.example. 10.0.0.3']],
    ['wild.example.', null],
    [
      'a.wild.example.default.svc.cluster.local.',
      ['a.wild.example.default.svc.cluster.local. *.wild.example.', '*.wild.example. 10.0.0.3'],
    ],
    ['upper.example.', ['upper.example. 10.0.0.4']],
    ['empty.example.', null],
    ['com.', null],
  ])('%s', (name, expected) => {
    expect(lookedUp(name)).toEqual(expected);
  });

  test('of the other family there is nothing, and of other kinds it is not for us to say', () => {
    expect(lookedUp('ratings.other.', RecordType.AAAA)).toEqual([]);
    expect(lookedUp('reviews.', RecordType.AAAA)).toHaveLength(1);
    expect(lookedUp('reviews.', 33)).toBeNull();
  });
});

test('what does not fit into a datagram is left out, and said to be', () => {
  const asked = parseQuery(query('a.b', RecordType.A))!;
  const records = Array.from({ length: 100 }, (_, i) => ({
    owner: 'a.b.',
    type: RecordType.A,
    data: Uint8Array.of(10, 0, 0, i),
  }));
  const answer = encodeAnswer(asked, 0, records, 30, 512);
  expect(answer.length).toBeLessThanOrEqual(512);
  expect(answer[2] & 2).toBe(2);
  expect(encodeAnswer(asked, 0, records, 30, 65_535)[2] & 2).toBe(0);
});

test('names in capitals, with a size of datagrams, and what is no query', () => {
  const big = Uint8Array.from([...query('A.B', 1), 0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
  big[11] = 1;
  expect(parseQuery(big)).toMatchObject({ name: 'a.b.', udpBytesMax: 4096 });
  expect(parseQuery(query('a', 1).subarray(0, 14))).toBeNull();
  expect(parseQuery(Uint8Array.from([0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeNull();
});

test('resolv.conf', () => {
  const text =
    '# no\nnameserver 10.96.0.10\nnameserver fe80::1\nnameserver x\ndomain a\nsearch b.c d ; e\noptions ndots:5';
  expect(parseResolvConf(text)).toEqual({ servers: ['10.96.0.10', 'fe80::1'], search: ['b.c', 'd'] });
});

test('the table of istiod', () => {
  expect([...decodeNameTable(nameTable)].length).toBeGreaterThan(3);
});
