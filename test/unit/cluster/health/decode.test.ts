import { createRegistry, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { decodeCluster } from '../../../../src/cluster/decode.ts';
import { eventFileSinkDecoder } from '../../../../src/cluster/health/event-sink-decode.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { HealthCheckEventFileSinkSchema } from '../../../../src/proto/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js';
import { checkData, httpProbe } from './health-fixture.ts';
import { outlierData } from '../outlier/outlier-fixture.ts';

const registry = createRegistry(HealthCheckEventFileSinkSchema);
const kind = eventFileSinkDecoder.kind;
const table = new ExtensionTable([
  { category: 'envoy.health_check.event_sinks', kind, load: () => Promise.resolve(eventFileSinkDecoder) },
]);
await table.load([kind]);

const times = { timeout: '0.5s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1 };

function decode(json: JsonObject): { data: ClusterData | null; reasons: string[] } {
  const reasons = new Reasons('c');
  const message = fromJson(ClusterSchema, { name: 'c', ...json }, { registry });
  const data = decodeCluster(message, reasons, table);
  return { data, reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`) };
}

function checked(check: JsonObject, more: JsonObject = {}): ReturnType<typeof decode> {
  return decode({ health_checks: [{ ...times, ...check }], ...more });
}

const http = (fields: JsonObject): JsonObject => ({ http_health_check: { path: '/healthz', ...fields } });

describe('a health check', () => {
  it('has the defaults of Envoy', () => {
    expect(checked(http({})).data!.healthCheck).toEqual(checkData());
  });

  it('has times that follow from each other', () => {
    const { data } = checked({ ...http({}), no_traffic_interval: '3s', unhealthy_interval: '2s', event_log_path: 'a' });
    expect(data!.healthCheck).toMatchObject({
      noTrafficMs: 3000,
      noTrafficHealthyMs: 3000,
      unhealthyMs: 2000,
      unhealthyEdgeMs: 2000,
      healthyEdgeMs: 1000,
      eventLogs: ['a'],
    });
  });

  it('logs into files by name or by sink', () => {
    const sink = { '@type': `type.googleapis.com/${kind}`, event_log_path: 'b' };
    const check = { ...http({}), event_log_path: 'a', event_logger: [{ name: 's', typed_config: sink }] };
    expect(checked(check).data!.healthCheck!.eventLogs).toEqual(['b', 'a']);
  });

  it('is HTTP with what is sent and expected', () => {
    const { data } = checked(
      http({
        host: 'h',
        method: 'POST',
        send: { text: '6869' },
        receive: [{ text: '6f6b' }, { binary: 'b2s=' }],
        expected_statuses: [{ start: 200, end: 300 }],
        retriable_statuses: [{ start: 500, end: 501 }],
        codec_client_type: 'HTTP2',
        response_buffer_size: 4,
      }),
    );
    const ok = Uint8Array.from(Buffer.from('ok'));
    expect(data!.healthCheck!.probe).toEqual({
      ...httpProbe,
      host: 'h',
      method: 'POST',
      send: Uint8Array.from(Buffer.from('hi')),
      receive: [ok, ok],
      expected: [{ start: 200, end: 300 }],
      retriable: [{ start: 500, end: 501 }],
      version: 'http2',
      responseBytesMax: 4,
    });
  });

  it('is TCP or gRPC', () => {
    const tcp = { tcp_health_check: { send: { text: '00' }, proxy_protocol_config: { version: 'V2' } } };
    expect(checked(tcp).data!.healthCheck!.probe).toMatchObject({ kind: 'tcp', receive: [], proxyProtocol: 2 });
    const grpc = { grpc_health_check: { service_name: 's', authority: 'a' } };
    const { data } = checked(grpc, { http2_protocol_options: {} });
    expect(data!.healthCheck!.probe).toMatchObject({ kind: 'grpc', service: 's', authority: 'a' });
    expect(checked(grpc).reasons).toEqual([
      'c.health_checks[0]: c cluster must support HTTP/2 for gRPC healthchecking',
    ]);
  });

  it.each([
    [http({ send: { text: '00' } }), /cannot specify a request payload with method 'GET'/],
    [http({ method: 'POST', send: { text: '0' } }), /invalid hex string '0'/],
    [http({ receive: [{ text: '00' }], response_buffer_size: 0.0 }), null],
    [http({ receive: [{ text: '0000' }], response_buffer_size: 1 }), /expected response length '2' is over/],
    [http({ expected_statuses: [{ start: 200, end: 200 }] }), /expecting start < end, but found start=200 and end=200/],
    [http({ expected_statuses: [{ start: 99, end: 200 }] }), /expecting start >= 100, but found start=99/],
    [http({ retriable_statuses: [{ start: 500, end: 601 }] }), /retriable status range: expecting end <= 600/],
    [http({ codec_client_type: 'HTTP3' }), /HTTP3/],
    [{ custom_health_check: { name: 'x' } }, /field 'custom_health_check' is not supported/],
  ])('is checked: %j', (check, problem) => {
    const { reasons } = checked(check);
    if (problem === null) expect(reasons).toEqual([]);
    else expect(reasons).toEqual([expect.stringMatching(problem)]);
  });

  it('is one', () => {
    const check = { ...times, ...http({}) };
    expect(decode({ health_checks: [check, check] }).reasons).toEqual([
      'c.health_checks: Multiple health checks not supported',
    ]);
  });
});

it('hosts say where they are checked', () => {
  const address = { socket_address: { address: '10.0.0.1', port_value: 80 } };
  const endpoint = (config: JsonObject): JsonObject => ({ endpoint: { address, health_check_config: config } });
  const { data } = decode({
    load_assignment: {
      cluster_name: 'c',
      endpoints: [
        {
          lb_endpoints: [
            endpoint({ port_value: 81, hostname: 'h' }),
            endpoint({ address: { socket_address: { address: '10.0.0.2', port_value: 82 } } }),
            endpoint({ disable_active_health_check: true }),
          ],
        },
      ],
    },
  });
  expect(data!.hosts.map(({ healthCheck }) => healthCheck)).toEqual([
    { address: { kind: 'ip', host: '10.0.0.1', port: 81 }, hostname: 'h', isDisabled: false },
    { address: { kind: 'ip', host: '10.0.0.2', port: 82 }, hostname: '', isDisabled: false },
    { address: null, hostname: '', isDisabled: true },
  ]);
});

describe('outlier detection', () => {
  it('has the defaults of Envoy', () => {
    expect(decode({ outlier_detection: {} }).data!.outlier).toEqual(outlierData());
  });

  it('ejects at least as long as at first', () => {
    const long = { outlier_detection: { base_ejection_time: '400s' } };
    expect(decode(long).data!.outlier!.maxEjectionMs).toBe(400_000);
    const wrong = { outlier_detection: { base_ejection_time: '4s', max_ejection_time: '3s' } };
    expect(decode(wrong).reasons).toEqual([
      "c.outlier_detection.max_ejection_time: outlier detector's max_ejection_time cannot be smaller than base_ejection_time",
    ]);
  });

  it('has no monitors, as no Envoy has', () => {
    expect(decode({ outlier_detection: { monitors: [{ name: 'x' }] } }).reasons).toEqual([
      "c.outlier_detection.monitors: field 'monitors' is not supported by sekisho",
    ]);
  });
});
