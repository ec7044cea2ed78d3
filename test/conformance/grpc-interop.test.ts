/** gRPC's own interoperability programs (grpc-go's), with sekisho between the client and the server. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { freePorts } from '../peers/ports.ts';
import { App } from '../scenario/app.ts';
import { bootstrap, cluster, httpListener, route } from '../scenario/config.ts';
import { forSuite, type AtEnd } from '../scenario/scope.ts';
import { until } from '../scenario/wait.ts';

/** Every case of the client's that needs no credentials. */
const cases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'unimplemented_method',
  'unimplemented_service',
  'custom_metadata',
  'rpc_soak',
  'channel_soak',
];

/** Cases that fail with client and server alone, without any proxy between them. */
const notOfThisServer = {
  pick_first_unary: 'grpc-go’s server does not tell its id',
  orca_per_rpc: 'grpc-go’s server sends another load report than its client wants',
  orca_oob: 'grpc-go’s server sends another load report than its client wants',
};

const waitMs = 30_000;
const client = findProgram('grpc-interop-client');
const server = findProgram('grpc-interop-server');
const envoy = findProgram('envoy');
const reason = client === null || server === null ? missing('grpc-interop-client') : null;
if (reason !== null) console.log(reason);

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const filters = [
  {
    name: 'envoy.filters.http.grpc_stats',
    typed_config: { '@type': type('filters.http.grpc_stats.v3.FilterConfig'), stats_for_all_methods: true },
  },
  { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
];
const http2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': type('upstreams.http.v3.HttpProtocolOptions'),
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** HTTP/2 on both sides; streams may last. */
function between(upstreamPort: number, listenPort = 0): object {
  const listener = httpListener({
    port: listenPort,
    routes: [route('/', 'grpc', { timeout: '0s' })],
    manager: { codec_type: 'HTTP2', http_filters: filters },
  });
  return bootstrap([listener], [cluster('grpc', [upstreamPort], http2)]);
}

function startServer(port: number, atEnd: AtEnd): Promise<void> {
  return started(spawn(server!, ['-port', String(port)], { stdio: 'ignore' }), port, atEnd);
}

function startEnvoy(upstreamPort: number, listenPort: number, atEnd: AtEnd): Promise<void> {
  const config = JSON.stringify(between(upstreamPort, listenPort));
  const flags = ['--config-yaml', config, '--concurrency', '1', '--disable-hot-restart', '-l', 'off'];
  return started(spawn(envoy!, flags, { stdio: 'ignore' }), listenPort, atEnd);
}

/** Resolves when somebody listens on `port`. */
async function started(child: ChildProcess, port: number, atEnd: AtEnd): Promise<void> {
  atEnd(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await until(`${child.spawnfile} on ${port}`, async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  });
}

/** Runs one case to its end. @throws with the client's own words */
async function run(name: string, port: number): Promise<void> {
  const args = ['-server_host', '127.0.0.1', '-server_port', String(port), '-test_case', name];
  await promisify(execFile)(client!, args, { timeout: waitMs }).catch((error: Error & { stderr?: string }) => {
    throw new Error(error.stderr ?? error.message);
  });
}

function cover(portOf: (atEnd: AtEnd) => Promise<number>): void {
  const atEnd = forSuite();
  let port = 0;
  beforeAll(async () => {
    port = await portOf(atEnd);
  }, waitMs);

  test.each(cases)('%s', { timeout: waitMs }, (name) => run(name, port));

  for (const [name, why] of Object.entries(notOfThisServer)) test.skip(`${name}: ${why}`, () => {});
}

describe.skipIf(reason !== null)('client → sekisho → server', () => {
  let app: App;

  cover(async (atEnd) => {
    const [serverPort] = await freePorts(1);
    await startServer(serverPort, atEnd);
    app = await App.start(between(serverPort), { atEnd });
    return app.port();
  });

  test('what was said has been counted', async () => {
    const stats = await app.stats();
    const method = (name: string) => `cluster.grpc.grpc.grpc.testing.TestService.${name}`;
    expect(stats.get(`${method('StreamingInputCall')}.request_message_count`)).toBe(4);
    expect(stats.get(`${method('StreamingOutputCall')}.response_message_count`)).toBe(4);
    expect(stats.get(`${method('UnimplementedCall')}.12`)).toBe(1);
    expect(stats.get('http.ingress.downstream_cx_protocol_error')).toBe(0);
    expect(stats.get('cluster.grpc.upstream_cx_protocol_error')).toBe(0);
  });
});

describe.skipIf(reason !== null || envoy === null)('client → sekisho → Envoy → server', () => {
  cover(async (atEnd) => {
    const [serverPort, envoyPort] = await freePorts(2);
    await startServer(serverPort, atEnd);
    await startEnvoy(serverPort, envoyPort, atEnd);
    return (await App.start(between(envoyPort), { atEnd })).port();
  });
});

describe.skipIf(reason !== null || envoy === null)('client → Envoy → sekisho → server', () => {
  cover(async (atEnd) => {
    const [serverPort, envoyPort] = await freePorts(2);
    await startServer(serverPort, atEnd);
    const app = await App.start(between(serverPort), { atEnd });
    await startEnvoy(await app.port(), envoyPort, atEnd);
    return envoyPort;
  });
});
