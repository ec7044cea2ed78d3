/** The whole of two processes, but for main: threads, pages, and a connection from one to the other. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeAuthority } from '../../../../src/ztunnel/certificates/fake-authority.ts';
import { istiodChannel, istiodMetadata } from '../../../../src/ztunnel/discovery/istiod-channel.ts';
import { configDump } from '../../../../src/ztunnel/process/config-dump.ts';
import { HttpPages, plainText } from '../../../../src/ztunnel/process/http-pages.ts';
import { metricsPage } from '../../../../src/ztunnel/process/metrics-page.ts';
import { Readiness } from '../../../../src/ztunnel/process/readiness.ts';
import { ZtunnelProcess } from '../../../../src/ztunnel/process/ztunnel-process.ts';
import { readZtunnelSettings, ZtunnelSettingsError } from '../../../../src/ztunnel/settings.ts';
import { LogLines, ZtunnelLevel } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { TrafficProxies } from '../../../../src/ztunnel/thread/proxy-thread.ts';

const client = '127.44.0.1';
const server = '127.44.0.2';
const machine = { processors: 2, exists: () => false };
const config = `
workloads:
- { uid: a, name: a, namespace: n, serviceAccount: a, workloadIps: [${client}], protocol: HBONE, services: {} }
- { uid: b, name: b, namespace: n, serviceAccount: b, workloadIps: [${server}], protocol: HBONE, services: {} }
`;

function processOf(host: string, name: string): ZtunnelProcess {
  const settings = readZtunnelSettings(
    {
      FAKE_CA: 'true',
      XDS_ADDRESS: '',
      LOCAL_XDS: config,
      PROXY_MODE: 'dedicated',
      PROXY_WORKLOAD_INFO: `n/${name}/${name}`,
      ZTUNNEL_WORKER_THREADS: '2',
      UNSTABLE_ENABLE_SOCKS5: 'true',
      SEKISHO_LISTEN_ADDRESS: host,
      RUST_LOG: 'off',
    },
    machine,
  );
  const lines = new LogLines(false, () => {});
  lines.level = ZtunnelLevel.Off;
  return new ZtunnelProcess({
    settings,
    lines,
    authority: new FakeAuthority(3_600_000),
    workerEntry: new URL('../../../../src/ztunnel-worker.ts', import.meta.url),
    version: 'test',
    exit: () => {},
  });
}

const a = processOf(client, 'a');
const b = processOf(server, 'b');

const began = (ztunnel: ZtunnelProcess, name: string): Promise<string> =>
  new Promise((resolve) => ztunnel.addProxy(name, { namespace: 'n', name, serviceAccount: name }, -1, resolve));

beforeAll(async () => {
  for (const ztunnel of [a, b]) ztunnel.loadLocal();
  expect(await Promise.all([began(a, 'a'), began(b, 'b')])).toEqual(['', '']);
});

afterAll(() => {
  a.stop();
  b.stop();
});

/** The answer of a SOCKS proxy to a request. */
async function asked(port: number): Promise<number> {
  const socket = connect({ host: client, port: 15_080 });
  await once(socket, 'connect');
  const octets = server.split('.').map(Number);
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...octets, port >> 8, port & 255]));
  let answer = Buffer.alloc(0);
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk as Buffer]);
    if (answer.length >= 12) break;
  }
  return answer[3];
}

test('a connection to a closed port is counted at both ends, and its certificates are dumped', async () => {
  expect(await asked(4)).toBe(1);
  const pageOf = async (ztunnel: ZtunnelProcess): Promise<string> =>
    metricsPage(ztunnel.counts, await ztunnel.threads.reports());
  const page = await pageOf(a);
  expect(page).toMatch(/istio_tcp_connections_failed_total\{reporter="source".*response_flags="CONNECT".*\} 1\n/);
  expect(page).toContain('# TYPE istio_tcp_connections_opened counter');
  expect(page).toContain('workload_manager_active_proxy_count 1\n');
  expect(await pageOf(b)).toMatch(/istio_tcp_connections_failed_total\{reporter="destination".*mutual_tls.*\} 1\n/);
  const dump = JSON.parse(JSON.stringify(configDump(await b.dump()))) as {
    certificates: { identity: string; state: string; certChain: { serialNumber: string }[] }[];
    workloadState: Record<string, { state: string }>;
    workloads: unknown[];
  };
  expect(dump.certificates).toMatchObject([{ identity: 'spiffe://cluster.local/ns/n/sa/b', state: 'Available' }]);
  expect(dump.certificates[0].certChain[0].serialNumber).toMatch(/^\d+$/);
  expect(dump.workloadState).toMatchObject({ b: { state: 'Up' } });
  expect(dump.workloads).toHaveLength(2);
});

test('a port that is taken is told, and what drains takes nothing more', async () => {
  await b.drain();
  expect(await asked(4)).not.toBe(0);
  b.removeProxy('b');
  expect(b.counts.activeProxies).toBe(0);
});

test('pages are served, and what is no HTTP gets 400', async () => {
  const readiness = new Readiness();
  const done = readiness.waitFor('xds');
  const pages = await HttpPages.listen('127.0.0.1', 0, {
    '/healthz/ready': () => plainText(readiness.text, readiness.isReady ? 200 : 500),
  });
  const url = `http://127.0.0.1:${pages.port}/healthz/ready`;
  const before = await fetch(url);
  expect([before.status, await before.text()]).toEqual([500, 'not ready, pending: xds\n']);
  done();
  expect(await (await fetch(url)).text()).toBe('ready\n');
  const socket = connect(pages.port, '127.0.0.1');
  socket.write('hello world\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('HTTP/1.1 400');
  pages.close();
});

test('settings that cannot be are refused by name', () => {
  for (const variables of [
    { PROXY_MODE: 'dedicated' },
    { PROXY_MODE: 'other' },
    { XDS_ON_DEMAND: 'true' },
    { LOCAL_XDS: 'a', LOCAL_XDS_PATH: 'b' },
    { SECRET_TTL: '1 day' },
    { ZTUNNEL_WORKER_THREADS: 'many' },
  ])
    expect(() => readZtunnelSettings(variables, machine)).toThrow(ZtunnelSettingsError);
  const onDemand = { XDS_ON_DEMAND: 'true', ISTIO_META_DNS_CAPTURE: 'false' };
  expect(readZtunnelSettings(onDemand, machine).proxy.isOnDemand).toBe(true);
  expect(readZtunnelSettings({ USER_TIMEOUT_ENABLED: 'true' }, machine).proxy.userTimeoutMs).toBe(1_800_000);
  expect(readZtunnelSettings({ CRL_PATH: '/crl' }, machine).revocationPath).toBe('/crl');
  expect(readZtunnelSettings({ TERMINATION_GRACE_PERIOD_SECONDS: '30' }, machine).proxy.drainMs).toBe(25_000);
  expect(readZtunnelSettings({ ZTUNNEL_WORKER_THREADS: '50%' }, { ...machine, processors: 8 }).threads).toBe(4);
  expect(readZtunnelSettings({ XDS_ADDRESS: 'istiod:15012' }, machine).xdsAddress).toBe('https://istiod:15012');
});

test('where istiod is', () => {
  expect(() => istiodChannel({ url: 'istiod', roots: '', serverName: '' })).toThrow(ZtunnelSettingsError);
  expect(() => istiodChannel({ url: 'https://[::1]:15012', roots: '', serverName: '' })).not.toThrow();
  expect(istiodMetadata('token', 'c', { x: 'y' })).toEqual({ x: 'y', clusterid: 'c', authorization: 'Bearer token' });
});

test('a thread is what its entry makes of it', () => {
  expect(TrafficProxies).toBeTypeOf('function');
});
