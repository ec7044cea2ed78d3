import { describe, expect, test } from 'vitest';
import type { OpenTelemetryData, ZipkinData } from '../../../../src/observe/trace/trace-data.ts';
import { Exporters } from '../../../../src/proxy/export/exporters.ts';
import { OtlpReporter } from '../../../../src/proxy/export/otlp-reporter.ts';
import { ZipkinReporter } from '../../../../src/proxy/export/zipkin-reporter.ts';
import { ExportWorld, spanOf } from './export-world.ts';

const zipkin: ZipkinData = {
  kind: 'zipkin',
  collector: { cluster: 'c', authority: 'h', path: '/spans', timeoutMs: 0, headers: [['x-k', 'v']] },
  encoding: 'json',
  longTraceIds: false,
  timestampTraceIds: false,
  sharesContext: true,
  splitsSpans: false,
  speaksW3c: false,
};
const grpc = {
  cluster: 'c',
  authority: '',
  timeoutMs: 0,
  initialMetadata: [],
  skipEnvoyHeaders: false,
  maxReceiveMessageLength: 0,
};
const otlp: OpenTelemetryData = {
  kind: 'opentelemetry',
  service: { kind: 'grpc', service: grpc },
  resource: [['service.name', 's']],
  sampler: null,
  spansMax: 1000,
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('Zipkin', () => {
  test('spans leave five at a time, or after five seconds', () => {
    const world = new ExportWorld();
    const reporter = new ZipkinReporter(zipkin, world.environment);
    for (let i = 0; i < 6; i++) reporter.report(spanOf());
    expect(world.sent).toHaveLength(1);
    expect(JSON.parse(text(world.sent[0].body))).toHaveLength(5);
    expect(world.sent[0].head!.headers.get('x-k')).toBe('v');
    world.advance(4999);
    expect(world.sent).toHaveLength(1);
    world.advance(1);
    expect(JSON.parse(text(world.sent[1].body))).toEqual([
      {
        traceId: '0123456789abcdef',
        id: 'fedcba9876543210',
        kind: 'SERVER',
        name: 'n',
        timestamp: 1_700_000_000_000_000,
        duration: 1500,
        localEndpoint: { serviceName: 'nc', ipv4: '10.0.0.1', port: 0 },
        annotations: [{ timestamp: 1_700_000_000_001_500, value: 'ss' }],
        tags: { key: 'val"ue' },
        shared: true,
      },
    ]);
    expect(reporter.isBusy).toBe(true);
    world.sent[0].answer(202);
    world.sent[1].fail();
    expect(reporter.isBusy).toBe(false);
    expect(world.stats.read('tracing.zipkin.')).toEqual({
      spans_sent: 6,
      timer_flushed: 1,
      reports_sent: 1,
      reports_failed: 1,
    });
  });

  test('the runtime says how many', () => {
    const world = new ExportWorld();
    world.runtime['tracing.zipkin.min_flush_spans'] = 1;
    const reporter = new ZipkinReporter(zipkin, world.environment);
    reporter.report(spanOf());
    world.sent[0].answer(200);
    expect(world.stats.read('tracing.zipkin.')).toEqual({ spans_sent: 1, reports_dropped: 1 });
  });

  test('what cannot be sent is counted', () => {
    const world = new ExportWorld();
    world.runtime['tracing.zipkin.min_flush_spans'] = 1;
    const reporter = new ZipkinReporter(zipkin, world.environment);
    world.knownClusters.clear();
    reporter.report(spanOf());
    expect(world.stats.read('tracing.zipkin.')).toEqual({ spans_sent: 1, reports_skipped_no_cluster: 1 });
    world.knownClusters.add('c');
    for (let i = 0; i < 65; i++) reporter.report(spanOf());
    expect([world.sent.length, world.stats.read('tracing.zipkin.')['reports_dropped']]).toEqual([64, 1]);
  });

  test('as protobuf, with ids as Zipkin reads them', () => {
    const world = new ExportWorld();
    const reporter = new ZipkinReporter({ ...zipkin, encoding: 'proto' }, world.environment);
    reporter.report(spanOf());
    reporter.flush();
    const { body, head } = world.sent[0];
    expect(head!.headers.get('content-type')).toBe('application/x-protobuf');
    expect(Buffer.from(body).toString('hex')).toContain('0a080123456789abcdef1a08fedcba9876543210');
  });
});

describe('OpenTelemetry', () => {
  test('spans beyond the cache are dropped, and counted', () => {
    const world = new ExportWorld();
    world.runtime['tracing.opentelemetry.min_flush_spans'] = 100;
    const reporter = new OtlpReporter({ ...otlp, spansMax: 2 }, world.environment);
    for (let i = 0; i < 3; i++) reporter.report(spanOf(`s${i}`));
    world.advance(5000);
    expect(world.sent[0].path).toBe('/opentelemetry.proto.collector.trace.v1.TraceService/Export');
    expect(text(world.sent[0].body)).toMatch(/service\.name.*sekisho.*s0.*s1/s);
    world.sent[0].fail();
    expect(world.stats.read('tracing.opentelemetry.')).toEqual({ spans_sent: 2, spans_dropped: 3, timer_flushed: 1 });
    expect(reporter.isBusy).toBe(false);
  });

  test('over HTTP', () => {
    const world = new ExportWorld();
    const collector = { cluster: 'c', authority: 'h', path: '/v1/traces', timeoutMs: 1000, headers: [] };
    const reporter = new OtlpReporter({ ...otlp, service: { kind: 'http', collector } }, world.environment);
    reporter.report(spanOf());
    reporter.flush();
    world.sent[0].answer(200);
    expect([world.sent[0].path, world.stats.read('tracing.opentelemetry.')]).toEqual(['/v1/traces', { spans_sent: 1 }]);
    expect(world.sent[0].head!.headers.get('user-agent')).toBe('OTel-OTLP-Exporter-sekisho');
  });

  test('without a service nothing is gathered', () => {
    const world = new ExportWorld();
    const reporter = new OtlpReporter({ ...otlp, service: null }, world.environment);
    reporter.report(spanOf());
    expect([reporter.isBusy, world.stats.read('tracing.')]).toEqual([false, {}]);
  });
});

test('one exporter of each configuration, and at the end everything is sent', async () => {
  const world = new ExportWorld();
  const exporters = new Exporters(world.environment);
  const tracer = exporters.tracer(zipkin);
  expect(exporters.tracer({ ...zipkin })).toBe(tracer);
  expect(exporters.tracer(otlp)).not.toBe(tracer);
  tracer.report(spanOf());
  const closed = exporters.close(1000);
  expect(world.sent).toHaveLength(1);
  world.sent[0].answer(202);
  await closed;
});
