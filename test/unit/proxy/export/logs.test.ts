import { createRegistry, fromJson, toBinary, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { ExtensionDecoder, Extensions } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { LoggerData } from '../../../../src/observe/access-log/decode.ts';
import type { LogServiceData } from '../../../../src/observe/access-log/log-service-data.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from '../../../../src/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { OpenTelemetryAccessLogConfigSchema } from '../../../../src/proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js';
import { Exporters } from '../../../../src/proxy/export/exporters.ts';
import { addressIn } from '../../../../src/proxy/export/log/address-wire.ts';
import { httpGrpcLogDecoder, tcpGrpcLogDecoder } from '../../../../src/proxy/export/log/decode.ts';
import { GrpcLog } from '../../../../src/proxy/export/log/grpc-log.ts';
import { otlpLogDecoder } from '../../../../src/proxy/export/log/otlp-log-decode.ts';
import { ExportWorld } from './export-world.ts';

const extensions: Extensions = { open: () => null };
const registry = createRegistry();

type Schema =
  | typeof HttpGrpcAccessLogConfigSchema
  | typeof TcpGrpcAccessLogConfigSchema
  | typeof OpenTelemetryAccessLogConfigSchema;

function decoded(decoder: ExtensionDecoder, schema: Schema, json: JsonObject) {
  const reasons = new Reasons();
  const bytes = toBinary(schema, fromJson(schema as typeof HttpGrpcAccessLogConfigSchema, json, { registry }) as never);
  const data = decoder.decode(bytes, reasons, extensions) as LoggerData | null;
  const service = data?.sink.kind === 'service' ? data.sink.service : null;
  return { service, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const grpcService = { envoyGrpc: { clusterName: 'c' } };
const common = { logName: 'l', grpcService, transportApiVersion: 'V3' };
const otlpOf = (json: JsonObject) => decoded(otlpLogDecoder, OpenTelemetryAccessLogConfigSchema, json);
const entriesOf = (json: JsonObject) => decoded(httpGrpcLogDecoder, HttpGrpcAccessLogConfigSchema, json);

function serviceOf({ service, reasons }: { service: LogServiceData | null; reasons: string[] }): LogServiceData {
  expect(reasons).toEqual([]);
  return service!;
}

describe('configurations', () => {
  test('of entries', () => {
    const json = {
      commonConfig: { ...common, filterStateObjectsToLog: ['upstream_peer'] },
      additionalRequestHeadersToLog: ['X-A'],
    };
    expect(serviceOf(entriesOf(json))).toMatchObject({
      kind: 'http-grpc',
      logName: 'l',
      flushIntervalMs: 1000,
      bufferBytesMax: 16_384,
      filterState: ['upstream_peer'],
      requestHeaders: ['x-a'],
      backOff: { baseMs: 500, maxMs: 30_000 },
      failuresMax: 0,
    });
    const retry = { retryBackOff: { baseInterval: '0.1s' }, numRetries: 3 };
    expect(serviceOf(entriesOf({ commonConfig: { ...common, grpcStreamRetryPolicy: retry } }))).toMatchObject({
      backOff: { baseMs: 100, maxMs: 1000 },
      failuresMax: 3,
    });
    expect(serviceOf(decoded(tcpGrpcLogDecoder, TcpGrpcAccessLogConfigSchema, { commonConfig: common })).kind).toBe(
      'tcp-grpc',
    );
    expect(entriesOf({}).reasons).toEqual(['common_config: is required']);
    expect(entriesOf({ commonConfig: { ...common, transportApiVersion: 'V2' } }).reasons).toHaveLength(1);
  });

  test('of records, older and newer', () => {
    expect(
      serviceOf(otlpOf({ commonConfig: common, disableBuiltinLabels: true, body: { stringValue: '%PROTOCOL%' } })),
    ).toMatchObject({
      kind: 'open-telemetry',
      logName: 'l',
      service: { kind: 'grpc' },
      namesNode: false,
      body: { kind: 'text', format: '%PROTOCOL%' },
    });
    const httpService = { httpUri: { uri: 'http://h.test/v1/logs', cluster: 'c', timeout: '1s' } };
    expect(serviceOf(otlpOf({ httpService, logName: 'n', bufferFlushInterval: '2s', statPrefix: 'p.' }))).toMatchObject(
      {
        service: { kind: 'http' },
        logName: 'n',
        flushIntervalMs: 2000,
        body: null,
        statPrefix: 'p.',
      },
    );
    expect(otlpOf({}).reasons).toHaveLength(1);
    expect(otlpOf({ grpcService, body: { intValue: '5' } }).reasons[0]).toContain('Only string values');
    expect(otlpOf({ grpcService, body: { stringValue: '%NOPE%' } }).reasons).toHaveLength(1);
  });
});

describe('entries', () => {
  const dataOf = (more: JsonObject = {}) => serviceOf(entriesOf({ commonConfig: { ...common, ...more } })) as never;

  test('that have no stream wait, as long as there is room', () => {
    const world = new ExportWorld();
    world.knownClusters.clear();
    const log = new GrpcLog(dataOf({ bufferSizeBytes: 100 }), world.environment);
    for (let i = 0; i < 50; i++) log.log(new Outcome());
    const stats = world.stats.read('access_logs.grpc_access_log.');
    expect(stats['logs_written'] + stats['logs_dropped']).toBe(50);
    expect(stats['logs_dropped']).toBeGreaterThan(30);
  });

  test('do not hurry who is not there', () => {
    const world = new ExportWorld();
    let asked = 0;
    const clusters = { get: () => (asked++, undefined) };
    const log = new GrpcLog(dataOf({ bufferSizeBytes: 100 }), { ...world.environment, clusters });
    for (let i = 0; i < 50; i++) log.log(new Outcome());
    expect(asked).toBe(1);
    world.advance(250);
    expect(asked).toBe(2);
  });

  test('are given up after so many failures', () => {
    const world = new ExportWorld();
    world.knownClusters.clear();
    const retry = { retryBackOff: { baseInterval: '0.1s' }, numRetries: 2 };
    const log = new GrpcLog(dataOf({ grpcStreamRetryPolicy: retry }), world.environment);
    log.log(new Outcome());
    world.advance(1000);
    world.advance(1000);
    expect([log.isBusy, world.stats.read('access_logs.grpc_access_log.')]).toEqual([false, { logs_written: 1 }]);
    world.advance(1000);
    expect(world.stats.read('access_logs.grpc_access_log.')).toMatchObject({
      logs_dropped: 1,
      grpc_entries_flush_failed: 1,
    });
  });
});

test('records are counted when they have arrived, or have not', () => {
  const world = new ExportWorld();
  const exporters = new Exporters(world.environment);
  const data = serviceOf(
    otlpOf({
      grpcService,
      bufferSizeBytes: 30,
      statPrefix: 'p',
      attributes: { values: [{ key: 'k', value: { stringValue: '%PROTOCOL%' } }] },
    }),
  );
  const log = exporters.open(data);
  expect(exporters.open(data)).toBe(log);
  for (let i = 0; i < 4; i++) log.log(new Outcome());
  expect(world.sent).toHaveLength(2);
  world.sent[0].answer(0);
  world.sent[1].fail();
  expect(world.stats.read('access_logs.')).toEqual({
    'open_telemetry_access_log.p.logs_written': 2,
    'open_telemetry_access_log.p.logs_dropped': 2,
  });
});

test('addresses are read back', () => {
  expect(['1.2.3.4:5', '[::1]:5', '/run/x', '@x', 'envoy://l/e', ''].map((text) => addressIn(text))).toEqual([
    { kind: 'ip', host: '1.2.3.4', port: 5 },
    { kind: 'ip', host: '::1', port: 5 },
    { kind: 'pipe', host: '/run/x', port: 0 },
    { kind: 'pipe', host: '@x', port: 0 },
    { kind: 'internal', host: 'l', port: 0, endpointId: 'e' },
    null,
  ]);
});
