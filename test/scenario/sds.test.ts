import { ServerCredentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../certificates.ts';
import type { SdsServer } from '../sds-server.ts';
import { startSds } from '../start-sds.ts';
import { App, type AppOptions } from './app.ts';
import { answer, bootstrap, cluster, httpListener } from './config.ts';
import { ask, TlsTraffic } from './tls-traffic.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

let authority: Authority;
let one: Issued;
let two: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  one = await authority.issue({ subject: 'CN=one', dns: ['test.example'] });
  two = await authority.issue({ subject: 'CN=two', dns: ['test.example'] });
});

function inline({ chainPem, keyPem }: Issued): Json {
  return {
    tls_certificate: { certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } },
  };
}

const node = { node: { id: 'me', cluster: 'mine' } };

const overGrpc: Json = {
  resource_api_version: 'V3',
  initial_fetch_timeout: '0s',
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds' } }],
  },
};

function tls(config: Json, context: 'Downstream' | 'Upstream' = 'Downstream'): Json {
  const type = `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${context}TlsContext`;
  return { name: 'tls', typed_config: { '@type': type, common_tls_context: config } };
}

function tlsListener(source: Json, name = 'ingress', routes: readonly Json[] = [answer('/', 'hello')]): Json {
  const listener = httpListener({ name, routes });
  const [chain] = listener['filter_chains'] as Json[];
  const transport = tls({ tls_certificate_sds_secret_configs: [{ name: 'server', sds_config: source }] });
  return { ...listener, filter_chains: [{ ...chain, transport_socket: transport }] };
}

function sdsCluster(port: number): Json {
  return cluster('sds', [port], {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  });
}

async function startOverGrpc(
  server: SdsServer,
  source = overGrpc,
  options: AppOptions = { concurrency: 2 },
  more: readonly Json[] = [],
): Promise<App> {
  const listeners = [tlsListener(source)];
  return App.start(bootstrap(listeners, [sdsCluster(server.port), ...more], node), options);
}

const requestsWanted = 10_000;

describe('a certificate is replaced under load, and no request fails', () => {
  /** Rotates as often as there is time for in ten thousand requests, and looks at a connection from before. */
  async function rotateUnderLoad(port: number, rotate: (to: Issued) => void): Promise<void> {
    const traffic = new TlsTraffic(port, authority.rootPem, 8, 2);
    await traffic.sees('one');
    for (const to of [two, one, two]) {
      rotate(to);
      await traffic.sees(to === one ? 'one' : 'two');
    }
    await traffic.reaches(requestsWanted);
    expect(await traffic.stop()).toEqual([]);
    expect(traffic.count).toBeGreaterThanOrEqual(requestsWanted);
    expect([...traffic.fresh.keys()].toSorted()).toEqual(['one', 'two']);
    // Who was connected goes on as it was.
    expect(traffic.kept.get('one')).toBeGreaterThan(requestsWanted / 2);
  }

  test('by an SDS server', { timeout: 120_000 }, async () => {
    const server = await startSds();
    server.set('server', inline(one));
    const app = await startOverGrpc(server);
    await rotateUnderLoad(await app.port(), (to) => server.set('server', inline(to)));
    const stats = await app.stats();
    expect(stats.get('sds.server.update_success')).toBe(4);
    expect(stats.get('sds.server.update_rejected')).toBe(0);
  });

  test('by a Kubernetes secret', { timeout: 120_000 }, async () => {
    const mount = mkdtempSync(join(tmpdir(), 'sekisho-mount-'));
    onTestFinished(() => rmSync(mount, { recursive: true }));
    let version = 0;
    const swap = ({ chainPem, keyPem }: Issued): void => {
      const folder = `..${version++}`;
      mkdirSync(join(mount, folder));
      writeFileSync(join(mount, folder, 'tls.crt'), chainPem);
      writeFileSync(join(mount, folder, 'tls.key'), keyPem);
      symlinkSync(folder, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    swap(one);
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(mount, name));
    const secret = {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
      name: 'server',
      tls_certificate: {
        certificate_chain: { filename: join(mount, 'tls.crt') },
        private_key: { filename: join(mount, 'tls.key') },
        watched_directory: { path: mount },
      },
    };
    const path = join(mount, 'sds.json');
    writeFileSync(path, JSON.stringify({ resources: [secret] }));
    const source = { resource_api_version: 'V3', path_config_source: { path } };
    const app = await App.start(bootstrap([tlsListener(source)], [], node), { concurrency: 2 });
    await rotateUnderLoad(await app.port(), swap);
  });
});

test('a bad certificate is refused with a reason, the old one stays, and the process goes on', async () => {
  const server = await startSds();
  server.set('server', inline(one));
  const app = await startOverGrpc(server);
  const port = await app.port();
  server.set('server', inline({ ...one, keyPem: two.keyPem }));
  const refusal = await server.request('server', ({ errorDetail }) => errorDetail !== undefined);
  expect(refusal.errorDetail!.message).toMatch(/KEY_VALUES_MISMATCH/);
  expect((await ask(port, authority.rootPem)).commonName).toBe('one');
  expect((await app.stats()).get('sds.server.update_rejected')).toBe(1);
  expect(app.output).toMatch(/\[warning\].*rejected: secret 'server': .*KEY_VALUES_MISMATCH/);
  server.set('server', inline(two));
  await server.request('server', ({ versionInfo }) => versionInfo === 'v3');
  await until('the new certificate', async () => (await ask(port, authority.rootPem)).commonName === 'two');
});

test('listeners open when their secrets have come, and nobody is turned away before', async () => {
  const server = await startSds();
  const app = await startOverGrpc(server, overGrpc, { isExpectedToFail: true });
  await server.request('server');
  const ready = await app.admin('/ready');
  expect(ready).toEqual({ status: 503, body: 'INITIALIZING\n' });
  const { body } = await app.admin('/init_dump');
  expect(JSON.parse(body)).toEqual({
    unready_targets_dumps: [
      { name: 'init manager Listener-local-init-manager ingress', target_names: ['shared target SdsApi server'] },
    ],
  });
  server.set('server', inline(one));
  await app.live();
  expect((await ask(await app.port(), authority.rootPem)).body).toBe('hello');
});

test('a secret that is late: the listener opens without, and closes who comes', async () => {
  const server = await startSds();
  const app = await startOverGrpc(server, { ...overGrpc, initial_fetch_timeout: '0.05s' });
  const port = await app.port();
  await expect(ask(port, authority.rootPem)).rejects.toThrow();
  const stats = await app.stats();
  expect(stats.get('sds.server.init_fetch_timeout')).toBe(1);
  const name = [...stats.keys()].find((key) => key.endsWith('.downstream_context_secrets_not_ready'))!;
  expect(stats.get(name)).toBe(1);
  server.set('server', inline(one));
  await until('an answer', async () => (await ask(port, authority.rootPem).catch(() => null))?.body === 'hello');
});

test('a worker that dies has its secrets again', async () => {
  const server = await startSds();
  server.set('server', inline(one));
  const program = join(import.meta.dirname, 'mortal-main.ts');
  const app = await startOverGrpc(server, overGrpc, { concurrency: 1, program });
  const port = await app.port();
  server.set('server', inline(two));
  await until('the new certificate', async () => (await ask(port, authority.rootPem)).commonName === 'two');
  app.signal('SIGUSR2');
  await until('its end', () => app.output.includes('worker_0 is started again'));
  await until('an answer', async () => {
    const answered = await ask(port, authority.rootPem).catch(() => null);
    return answered?.commonName === 'two';
  });
  expect(server.streams).toHaveLength(1);
});

test('what a cluster shows and trusts comes by SDS, and is replaced while requests pass', async () => {
  const clients = await Authority.root('CN=clients');
  const [first, second] = [await clients.issue({ subject: 'CN=first' }), await clients.issue({ subject: 'CN=second' })];
  const origin = createServer(
    { cert: one.chainPem, key: one.keyPem, ca: clients.rootPem, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      // Its connection goes with the answer: the next one shows the certificate of then.
      response.setHeader('connection', 'close').end(String(subject.CN));
    },
  );
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  onTestFinished(() => void origin.close());
  const server = await startSds();
  const transport = tls(
    {
      tls_certificate_sds_secret_configs: [{ name: 'client', sds_config: overGrpc }],
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'test.example' } }],
        },
        validation_context_sds_secret_config: { name: 'root', sds_config: overGrpc },
      },
    },
    'Upstream',
  );
  const upstream = cluster('origin', [(origin.address() as AddressInfo).port], { transport_socket: transport });
  const config = bootstrap([httpListener()], [sdsCluster(server.port), upstream], node);
  const app = await App.start(config, { concurrency: 2, isExpectedToFail: true });
  await server.request('root');
  expect(await app.admin('/ready')).toEqual({ status: 503, body: 'PRE_INITIALIZING\n' });
  expect((await app.stats()).get('cluster.origin.warming_state')).toBe(1);
  server.set('client', inline(first));
  server.set('root', { validation_context: { trusted_ca: { inline_string: authority.rootPem } } });
  await app.live();
  expect((await app.stats()).get('cluster.origin.warming_state')).toBe(0);
  const traffic = new Traffic(await app.url(), 4);
  await traffic.sees('first');
  server.set('client', inline(second));
  await traffic.sees('second');
  expect(await traffic.stop()).toEqual([]);
});

test('the control plane itself is reached over TLS', async () => {
  const pair = { cert_chain: Buffer.from(one.chainPem), private_key: Buffer.from(one.keyPem) };
  const server = await startSds('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]));
  server.set('server', inline(two));
  const validation = { validation_context: { trusted_ca: { inline_string: authority.rootPem } } };
  const secured = { ...sdsCluster(server.port), transport_socket: tls(validation, 'Upstream') };
  const app = await App.start(bootstrap([tlsListener(overGrpc)], [secured], node));
  expect((await ask(await app.port(), authority.rootPem)).commonName).toBe('two');
  expect((await app.stats()).get('cluster.sds.ssl.handshake')).toBe(1);
});

test('a reload that waits for a secret lets the old configuration serve, and a newer one comes before it', async () => {
  const server = await startSds();
  server.set('server', inline(one));
  const app = await startOverGrpc(server, overGrpc, { concurrency: 2, args: ['--watch'] });
  const port = await app.port();
  const waiting = { ...overGrpc, initial_fetch_timeout: '0s' };
  const [chain] = tlsListener(waiting)['filter_chains'] as Json[];
  const missing = tls({ tls_certificate_sds_secret_configs: [{ name: 'missing', sds_config: waiting }] });
  const listener = { ...tlsListener(waiting), filter_chains: [{ ...chain, transport_socket: missing }] };
  app.rewrite(bootstrap([listener], [sdsCluster(server.port)], node));
  await server.request('missing');
  await until('the gauge', async () => (await app.stats()).get('listener_manager.total_listeners_warming') === 1);
  expect((await ask(port, authority.rootPem)).commonName).toBe('one');
  const newer = tlsListener(overGrpc, 'ingress', [answer('/', 'newer')]);
  app.rewrite(bootstrap([newer], [sdsCluster(server.port)], node));
  await until('the newer answer', async () => {
    const answered = await ask(await app.port(), authority.rootPem).catch(() => null);
    return answered?.body === 'newer';
  });
  await until('the end of what waited', () => server.streamFor('missing') === undefined);
  expect((await app.stats()).get('listener_manager.total_listeners_warming')).toBe(0);
});

test('/certs, /config_dump and the gauges show what is in force', async () => {
  const server = await startSds();
  server.set('server', inline(one));
  const app = await startOverGrpc(server);
  const certificates = JSON.parse((await app.admin('/certs')).body) as { certificates: { cert_chain: Json[] }[] };
  expect(certificates.certificates.map(({ cert_chain: chain }) => chain)).toMatchObject([
    [{ path: '<inline>', serial_number: one.serial, subject_alt_names: [{ dns: 'test.example' }] }],
  ]);
  const dump = (await app.admin('/config_dump?resource=dynamic_active_secrets')).body;
  expect(JSON.parse(dump)).toMatchObject({
    configs: [
      {
        name: 'server',
        version_info: 'v1',
        secret: { tls_certificate: { private_key: { inline_string: '[redacted]' } } },
      },
    ],
  });
  expect(dump).not.toContain('PRIVATE KEY');
  const stats = await app.stats();
  expect(stats.get('server.days_until_first_cert_expiring')).toBeGreaterThan(0);
  const gauge = [...stats.keys()].find((key) => key.endsWith('.ssl.certificate.server.expiration_unix_time_seconds'))!;
  expect(stats.get(gauge)).toBeGreaterThan(Date.now() / 1000);
});
