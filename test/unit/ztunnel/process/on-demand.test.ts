/** Addresses that are asked for when a connection needs them: threads, the process, and istiod. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcChannel } from '../../../../src/agent/grpc/grpc-channel.ts';
import { machineTime } from '../../../../src/agent/identity/later.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { TunnelProtocol } from '../../../../src/proto/istio/workload_pb.js';
import { FakeAuthority } from '../../../../src/ztunnel/certificates/fake-authority.ts';
import { nodeOf } from '../../../../src/ztunnel/discovery/discovery-decode.ts';
import { IstiodStream } from '../../../../src/ztunnel/discovery/istiod-stream.ts';
import { MeshDiscovery } from '../../../../src/ztunnel/discovery/mesh-discovery.ts';
import { ZtunnelProcess } from '../../../../src/ztunnel/process/ztunnel-process.ts';
import { readZtunnelSettings } from '../../../../src/ztunnel/settings.ts';
import { LineLog } from '../../../../src/ztunnel/telemetry/line-log.ts';
import { LogLines, ZtunnelLevel } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { metricsPage } from '../../../../src/ztunnel/process/metrics-page.ts';
import { requestOf, type Request } from '../discovery/discover.ts';
import { Istiod } from '../discovery/istiod.ts';
import { addressType, OnDemandAnswers, uidOf } from '../discovery/on-demand-answers.ts';

const client = '127.45.0.1';
const server = '127.45.0.2';
const stranger = '127.45.0.3';
const local = `
workloads:
- { uid: b, name: b, namespace: n, serviceAccount: b, workloadIps: [${server}], protocol: HBONE, services: {} }
`;
const lines = new LogLines(false, () => {});
lines.level = ZtunnelLevel.Off;

function processOf(host: string, name: string, more: Record<string, string>): ZtunnelProcess {
  const variables = {
    FAKE_CA: 'true',
    XDS_ADDRESS: '',
    PROXY_MODE: 'dedicated',
    PROXY_WORKLOAD_INFO: `n/${name}/${name}`,
    ZTUNNEL_WORKER_THREADS: '2',
    UNSTABLE_ENABLE_SOCKS5: 'true',
    ISTIO_META_DNS_CAPTURE: 'false',
    SEKISHO_LISTEN_ADDRESS: host,
    RUST_LOG: 'off',
    ...more,
  };
  return new ZtunnelProcess({
    settings: readZtunnelSettings(variables, { processors: 2, exists: () => false }),
    lines,
    authority: new FakeAuthority(3_600_000),
    workerEntry: new URL('../../../../src/ztunnel-worker.ts', import.meta.url),
    version: 'test',
    exit: () => {},
  });
}

const a = processOf(client, 'a', { XDS_ON_DEMAND: 'true' });
const b = processOf(server, 'b', { LOCAL_XDS: local });
const requests: Request[] = [];
const waiting: (() => void)[] = [];
const answers = new OnDemandAnswers([
  { name: 'a', ip: client, protocol: TunnelProtocol.HBONE },
  { name: 'b', ip: server, protocol: TunnelProtocol.HBONE },
]);
const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise<void>((resolve) => waiting.push(resolve));
};
const askedFor = (key: string): Request[] => requests.filter(({ subscribed }) => subscribed.includes(key));
const applications: Server[] = [];
let endStream: () => void;
let discovery: MeshDiscovery;
let istiod: Istiod;

async function echo(host: string): Promise<number> {
  const application = createServer((socket) => socket.pipe(socket));
  applications.push(application);
  application.listen(0, host);
  await once(application, 'listening');
  return (application.address() as { port: number }).port;
}

beforeAll(async () => {
  istiod = await Istiod.start({
    onRequest: (stream, bytes) => {
      const request = requestOf(bytes);
      requests.push(request);
      endStream = () => stream.end();
      const answer = answers.answer(request);
      if (answer !== null) stream.write(Buffer.from(answer));
      for (const tell of waiting.splice(0)) tell();
    },
  });
  const stream = new IstiodStream({
    channel: new GrpcChannel({ host: '127.0.0.1', port: istiod.port, tls: null }),
    metadata: () => ({}),
    later: machineTime,
    entered: (act) => act(),
    onMessage: () => {},
    onEnded: () => {},
  });
  discovery = new MeshDiscovery(stream, nodeOf(a.settings), new Loop(), new LineLog(lines, 'xds'), {
    knows: (key) => a.mesh.knows(key),
    apply: (change) => a.apply(change),
    onFirst: () => {},
  });
  a.addresses = discovery.addresses;
  discovery.start();
  b.loadLocal();
  const began = (ztunnel: ZtunnelProcess, name: string): Promise<string> =>
    new Promise((resolve) => ztunnel.addProxy(name, { namespace: 'n', name, serviceAccount: name }, -1, resolve));
  expect(await Promise.all([began(a, 'a'), began(b, 'b')])).toEqual(['', '']);
});

afterAll(() => {
  discovery.stop();
  istiod.close();
  a.stop();
  b.stop();
  for (const application of applications) application.close();
});

async function take(socket: Socket, count: number): Promise<Buffer> {
  let taken = Buffer.alloc(0);
  while (taken.length < count) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await once(socket, 'readable');
    else taken = Buffer.concat([taken, chunk]);
  }
  return taken;
}

/** What comes back of a word that is sent to an application. */
async function said(host: string, port: number): Promise<string> {
  const socket = connect({ host: client, port: 15_080 });
  await once(socket, 'connect');
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...host.split('.').map(Number), port >> 8, port & 255]));
  expect((await take(socket, 12))[3]).toBe(0);
  socket.write('hello');
  const word = (await take(socket, 5)).toString();
  socket.destroy();
  return word;
}

const pageOf = async (ztunnel: ZtunnelProcess): Promise<string> =>
  metricsPage(ztunnel.counts, await ztunnel.threads.reports());

test('two connections at once for what nobody knows ask once, and go by HBONE', async () => {
  const port = await echo(server);
  expect(await Promise.all([said(server, port), said(server, port)])).toEqual(['hello', 'hello']);
  expect(askedFor(`/${server}`)).toHaveLength(1);
  expect(askedFor(uidOf('a'))).toHaveLength(1);
  expect(await pageOf(b)).toMatch(/istio_tcp_connections_opened_total\{reporter="destination".*mutual_tls.*\} 2\n/);
  expect(await said(server, port)).toBe('hello');
  expect(askedFor(`/${server}`)).toHaveLength(1);
});

test('what istiod does not know either is passed on, and asked for again', async () => {
  const port = await echo(stranger);
  expect(await said(stranger, port)).toBe('hello');
  await until(() => requests.some(({ unsubscribed }) => unsubscribed.includes(`/${stranger}`)));
  expect(await said(stranger, port)).toBe('hello');
  expect(askedFor(`/${stranger}`)).toHaveLength(2);
});

test('a new stream is told what is known and wanted, and answers go on', async () => {
  endStream();
  await until(() => requests.some(({ typeUrl, versions }) => typeUrl === addressType && versions.length > 0));
  const again = requests.find(({ versions }) => versions.length > 0)!;
  expect(new Set(again.versions)).toEqual(new Set([uidOf('a'), uidOf('b')]));
  expect(again.subscribed).toContain(`/${server}`);
  const port = await echo('127.45.0.4');
  expect(await said('127.45.0.4', port)).toBe('hello');
  expect(askedFor('/127.45.0.4')).toHaveLength(1);
});
