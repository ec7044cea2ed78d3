import { onTestFinished, expect, test } from 'vitest';
import { Collector } from '../collector.ts';
import { freePorts } from '../peers/ports.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener } from './config.ts';
import { Origin } from './origin.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const h2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const grpc_service = { envoy_grpc: { cluster_name: 'collector_grpc' } };
const openTelemetry = {
  name: 'envoy.tracers.opentelemetry',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
    grpc_service,
    service_name: 's',
  },
};
const zipkin = {
  name: 'envoy.tracers.zipkin',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
    collector_cluster: 'collector',
    collector_endpoint: '/api/v2/spans',
    collector_endpoint_version: 'HTTP_JSON',
  },
};
const entries = (more: Json = {}): Json => ({
  name: 'als',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    common_config: {
      log_name: 'l',
      transport_api_version: 'V3',
      buffer_flush_interval: '0.05s',
      grpc_service,
      ...more,
    },
  },
});

async function collecting(): Promise<{ collector: Collector; ports: [number, number] }> {
  const { collector, httpPort, grpcPort } = await Collector.open();
  onTestFinished(() => collector.close());
  return { collector, ports: [httpPort, grpcPort] };
}

/** A proxy in front of an origin, which tells collectors at these ports. */
async function proxy(manager: Json, [http, grpc]: readonly [number, number], concurrency = 1): Promise<App> {
  const origin = await Origin.start();
  const { port } = origin.server.address() as { port: number };
  const clusters = [cluster('origin', [port]), cluster('collector', [http]), cluster('collector_grpc', [grpc], h2)];
  const node = { node: { id: 'the-node', cluster: 'the-cluster', metadata: { key: 'value' } } };
  return App.start(bootstrap([httpListener({ manager })], clusters, node), { concurrency });
}

async function ask(app: App, times: number): Promise<void> {
  const url = await app.url();
  for (let i = 0; i < times; i++) await (await fetch(url)).text();
}

test('spans of several workers come to an OpenTelemetry collector, each once', async () => {
  const { collector, ports } = await collecting();
  const app = await proxy({ tracing: { provider: openTelemetry } }, ports, 2);
  await ask(app, 23);
  // What is left is told at the end.
  app.signal('SIGTERM');
  await app.exit();
  const ids = new Set(collector.received.map(({ value }) => value['id']));
  expect([ids.size, collector.received.length]).toEqual([23, 23]);
});

test('what Zipkin takes and what it does not is counted', async () => {
  const { collector, ports } = await collecting();
  const runtime = {
    layered_runtime: { layers: [{ name: 'l', static_layer: { 'tracing.zipkin.min_flush_spans': 1 } }] },
  };
  const origin = await Origin.start();
  const { port } = origin.server.address() as { port: number };
  const listener = httpListener({ manager: { tracing: { provider: zipkin } } });
  const app = await App.start(
    bootstrap([listener], [cluster('origin', [port]), cluster('collector', [ports[0]])], runtime),
  );
  await ask(app, 2);
  collector.statuses.push(500);
  await ask(app, 1);
  await app.statIs('tracing.zipkin.reports_sent', 2);
  await app.statIs('tracing.zipkin.reports_dropped', 1);
  expect(collector.received.map(({ value }) => value['name'])).toEqual([expect.any(String), expect.any(String)]);
});

test('entries wait for a collector that comes later, and its stream says once whose they are', async () => {
  const [http, grpc] = await freePorts(2);
  const retry = { retry_back_off: { base_interval: '0.05s', max_interval: '0.1s' } };
  const app = await proxy({ access_log: [entries({ grpc_stream_retry_policy: retry })] }, [http, grpc]);
  await ask(app, 5);
  const { collector } = await Collector.open(http, grpc);
  onTestFinished(() => collector.close());
  await until('entries', () => collector.received.length >= 5);
  await ask(app, 3);
  await until('more entries', () => collector.received.length >= 8);
  expect(collector.received).toHaveLength(8);
  expect(collector.received[0].identifier).toMatchObject({
    logName: 'l',
    node: { id: 'the-node', cluster: 'the-cluster', metadata: { key: 'value' }, userAgentName: 'sekisho' },
  });
  expect(collector.received.slice(5).some(({ identifier }) => identifier !== undefined)).toBe(false);
  expect((await app.stats()).get('access_logs.grpc_access_log.logs_dropped')).toBe(0);
});

test('what has been gathered is told at the end', async () => {
  const { collector, ports } = await collecting();
  const app = await proxy({ access_log: [entries({ buffer_flush_interval: '600s' })] }, ports, 2);
  await ask(app, 12);
  app.signal('SIGTERM');
  await app.exit();
  await until('entries', () => collector.received.length === 12);
});

test('entries for which there is no room are counted, and traffic goes on', async () => {
  const [http, grpc] = await freePorts(2);
  const app = await proxy({ access_log: [entries({ buffer_size_bytes: 1000 })] }, [http, grpc]);
  await ask(app, 30);
  const stats = await app.stats();
  const [written, dropped] = ['logs_written', 'logs_dropped'].map((name) =>
    stats.get(`access_logs.grpc_access_log.${name}`)!,
  );
  expect(written + dropped).toBe(30);
  expect(dropped).toBeGreaterThan(20);
});

test('a collector that goes away and comes back', async () => {
  const { collector, ports } = await collecting();
  const app = await proxy({ access_log: [entries()] }, ports);
  await ask(app, 1);
  await until('an entry', () => collector.received.length === 1);
  collector.close();
  const { collector: next } = await Collector.open(0, ports[1]);
  onTestFinished(() => next.close());
  await until('an entry of another stream', async () => {
    await ask(app, 1);
    return next.received.length > 0;
  });
  expect(next.received[0].identifier).toMatchObject({ logName: 'l' });
});
