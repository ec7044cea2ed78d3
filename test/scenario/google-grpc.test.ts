/** Services that are named by `google_grpc`: TLS, and a token that is another by and by. */
import { ServerCredentials } from '@grpc/grpc-js';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { listenerKind } from '../../src/control/xds/resource-kinds.ts';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { Authority, type Issued } from '../certificates.ts';
import { Collector } from '../collector.ts';
import { startSds } from '../start-sds.ts';
import { ControlPlane } from '../xds/control-plane.ts';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { serveMethod } from './grpc-service.ts';
import { Origin } from './origin.ts';
import { getText } from './http.ts';
import { node, overAds, pack } from './over-ads.ts';
import type { AtEnd } from './scope.ts';
import { ask } from './tls-traffic.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const atEnd: AtEnd = (end) => onTestFinished(() => void end());

let authority: Authority;
let issued: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  issued = await authority.issue({ dns: ['localhost', 'test.example'] });
});

const secure = (): ServerCredentials =>
  ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(issued.chainPem), private_key: Buffer.from(issued.keyPem) },
  ]);

/** A file that another takes the place of, as those of Kubernetes. */
class Token {
  readonly path: string;

  constructor(text: string) {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-token-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    this.path = join(folder, 'token');
    this.becomes(text);
  }

  becomes(text: string): void {
    writeFileSync(`${this.path}.next`, text);
    renameSync(`${this.path}.next`, this.path);
  }
}

/** Over TLS, with the token. */
function trusted(port: number, token: Token, prefix = 'server'): Json {
  return {
    google_grpc: {
      target_uri: `dns:///localhost:${port}`,
      stat_prefix: prefix,
      channel_credentials: { ssl_credentials: { root_certs: { inline_string: authority.rootPem } } },
      credentials_factory_name: 'envoy.grpc_credentials.file_based_metadata',
      call_credentials: [
        {
          from_plugin: {
            name: 'envoy.grpc_credentials.file_based_metadata',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.config.grpc_credential.v3.FileBasedMetadataConfig',
              secret_data: { filename: token.path },
              header_key: 'authorization',
              header_prefix: 'Bearer ',
            },
          },
        },
      ],
    },
    initial_metadata: [{ key: 'x-from', value: 'the configuration' }],
  };
}

const api = (service: Json): Json => ({ api_type: 'GRPC', transport_api_version: 'V3', grpc_services: [service] });

const router = {
  name: 'router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

function authorized(service: Json): Json {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz';
  const filter = { '@type': type, transport_api_version: 'V3', grpc_service: { timeout: '5s', ...service } };
  return { http_filters: [{ name: 'authz', typed_config: filter }, router] };
}

function rateLimited(service: Json): Json {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit';
  const limits = { transport_api_version: 'V3', grpc_service: { timeout: '5s', ...service } };
  const filter = { '@type': type, domain: 'd', failure_mode_deny: true, timeout: '5s', rate_limit_service: limits };
  return { http_filters: [{ name: 'limit', typed_config: filter }, router] };
}

test('a control plane is told the token of the moment with every stream', async () => {
  const token = new Token('first\n');
  const plane = await ControlPlane.start('127.0.0.1:0', secure());
  plane.change(listenerKind.typeUrl, {
    ingress: pack(ListenerSchema, httpListener({ routes: [answer('/', 'hello')] })),
  });
  const app = await App.start(
    bootstrap([], [], {
      node,
      dynamic_resources: { ads_config: api(trusted(plane.port, token, 'xds')), lds_config: overAds },
    }),
  );
  expect(await getText(await app.url())).toBe('hello');
  const said = (): unknown[] =>
    plane.server.peers.map(({ metadata }) => [metadata['authorization'], metadata['x-from']]);
  expect(said()).toEqual([['Bearer first', 'the configuration']]);
  token.becomes('second');
  plane.disconnect();
  await until('another stream', () => plane.server.peers.length === 2);
  expect(said()[1]).toEqual(['Bearer second', 'the configuration']);
  await app.statIs('grpc.xds.streams_total', 2);
  await app.statIs('grpc.xds.streams_closed_0', 1);
});

test('a server that is somebody else hears nothing', async () => {
  const token = new Token('first');
  const other = await authority.issue({ dns: ['other.example'] });
  const pair = { cert_chain: Buffer.from(other.chainPem), private_key: Buffer.from(other.keyPem) };
  const plane = await ControlPlane.start('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]));
  const ads = api(trusted(plane.port, token, 'xds'));
  const app = await App.start(
    bootstrap([], [], { node, dynamic_resources: { ads_config: ads, lds_config: overAds } }),
    {
      isExpectedToFail: true,
    },
  );
  await until(
    'a stream that has failed',
    async () => (await app.stat('grpc.xds.streams_closed_14').catch(() => 0)) > 0,
  );
  expect(plane.server.peers).toEqual([]);
});

test('secrets come from one, by TLS with the token', async () => {
  const token = new Token('first');
  const server = await startSds('127.0.0.1:0', secure());
  server.set('server', {
    tls_certificate: {
      certificate_chain: { inline_string: issued.chainPem },
      private_key: { inline_string: issued.keyPem },
    },
  });
  const source = { resource_api_version: 'V3', api_config_source: api(trusted(server.port, token, 'sds')) };
  const [chain] = httpListener({ routes: [answer('/', 'hello')] })['filter_chains'] as Json[];
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
  const tls = { tls_certificate_sds_secret_configs: [{ name: 'server', sds_config: source }] };
  const transport = { name: 'tls', typed_config: { '@type': type, common_tls_context: tls } };
  const listener = { ...httpListener(), filter_chains: [{ ...chain, transport_socket: transport }] };
  const app = await App.start(bootstrap([listener], [], { node }));
  expect((await ask(await app.port(), authority.rootPem)).status).toBe(200);
  expect(server.streams.map(({ metadata }) => metadata['authorization'])).toEqual(['Bearer first']);
});

test('filters and logs of workers tell the token of the moment with every call', async () => {
  const token = new Token('first');
  const heard: Record<string, unknown[]> = { authz: [], limit: [] };
  const serve = async (name: string, path: string, says: number[]): Promise<number> =>
    serveMethod(
      path,
      (_, metadata) => {
        heard[name].push(metadata['authorization']);
        return Uint8Array.from(says);
      },
      atEnd,
      secure(),
    );
  const { collector, grpcPort } = await Collector.open();
  onTestFinished(() => collector.close());
  // A CheckResponse that is OK, and a RateLimitResponse.
  const authzPort = await serve('authz', '/envoy.service.auth.v3.Authorization/Check', [0x0a, 0]);
  const limitPort = await serve('limit', '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit', [8, 1]);
  const log = {
    name: 'als',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
      common_config: {
        log_name: 'l',
        transport_api_version: 'V3',
        buffer_size_bytes: 0,
        grpc_service: { google_grpc: { target_uri: `ipv4:127.0.0.1:${grpcPort}`, stat_prefix: 'als' } },
      },
    },
  };
  const rated = { rate_limits: [{ actions: [{ generic_key: { descriptor_value: 'all' } }] }] };
  const limitedRoutes = {
    name: 'r',
    virtual_hosts: [{ name: 'v', domains: ['*'], ...rated, routes: [route('/', 'origin')] }],
  };
  const routes = [answer('/', 'ok')];
  const origin = await Origin.start((_, response) => response.end('ok'));
  const app = await App.start(
    bootstrap(
      [
        httpListener({
          name: 'authz',
          routes,
          manager: { ...authorized(trusted(authzPort, token)), access_log: [log] },
        }),
        httpListener({
          name: 'limit',
          manager: { ...rateLimited(trusted(limitPort, token)), route_config: limitedRoutes },
        }),
      ],
      [cluster('origin', [origin.port])],
      { node },
    ),
    { concurrency: 2 },
  );
  for (const text of ['first', 'second']) {
    token.becomes(text);
    for (const name of ['authz', 'limit']) expect(await getText(await app.url(name))).toBe('ok');
  }
  expect(heard).toEqual({ authz: ['Bearer first', 'Bearer second'], limit: ['Bearer first', 'Bearer second'] });
  await until('two entries', () => collector.received.length === 2);
  // Without a token nothing is asked, and nobody is let in.
  rmSync(token.path);
  expect(await getText(await app.url('authz'))).toBe('');
  await app.statIs('grpc.server.streams_closed_14', 1);
  await app.statIs('grpc.server.streams_closed_0', 4);
});

test('what a control plane tells may name them, too', async () => {
  const token = new Token('first');
  const heard: unknown[] = [];
  const path = '/envoy.service.auth.v3.Authorization/Check';
  const says = (_: Buffer, metadata: Readonly<Record<string, unknown>>): Uint8Array => {
    heard.push(metadata['authorization']);
    return Uint8Array.of(0x0a, 0);
  };
  const port = await serveMethod(path, says, atEnd, secure());
  const plane = await ControlPlane.start();
  const manager = authorized(trusted(port, token));
  const listener = httpListener({ routes: [answer('/', 'ok')], manager });
  plane.change(listenerKind.typeUrl, { ingress: pack(ListenerSchema, listener) });
  const service = { google_grpc: { target_uri: `127.0.0.1:${plane.port}`, stat_prefix: 'xds' } };
  const app = await App.start(
    bootstrap([], [], { node, dynamic_resources: { ads_config: api(service), lds_config: overAds } }),
  );
  await until('an answer', async () => (await getText(await app.url())) === 'ok');
  expect(heard).toEqual(['Bearer first']);
});
