import { fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { grpcStatsBuilder } from '../../../../src/filter/grpc-stats/build.ts';
import { grpcStatsDecoder } from '../../../../src/filter/grpc-stats/decode.ts';
import { FilterConfigSchema } from '../../../../src/proto/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import type { Setting } from '../../proxy/http/world.ts';
import { answer, call, callWorld, chunked, exchange, frame } from '../grpc/call-world.ts';

function decode(json: JsonValue): unknown {
  const reasons = new Reasons();
  const bytes = toBinary(FilterConfigSchema, fromJson(FilterConfigSchema, json));
  const data = grpcStatsDecoder.decode(bytes, reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  return data;
}

const world = (json: JsonValue, setting: Setting = {}) => callWorld(grpcStatsBuilder, decode(json), setting);

const ok = answer([frame('pong')], ['grpc-status: 0']);
const all = { statsForAllMethods: true };

/** What one call moves below `cluster.c.grpc.`. */
function counted(json: JsonValue, request: string, response: string): Record<string, number> {
  const here = world(json);
  exchange(here, request, response);
  return here.around.stats.read('cluster.c.grpc.');
}

test('decoding: every field', () => {
  expect(decode({})).toEqual({
    emitFilterState: false,
    enableUpstreamStats: false,
    forAllMethods: false,
    replaceDots: false,
    methods: [],
  });
  expect(
    decode({
      emitFilterState: true,
      enableUpstreamStats: true,
      replaceDotsInGrpcServiceName: true,
      individualMethodStatsAllowlist: { services: [{ name: 's', methodNames: ['a', 'b'] }] },
    }),
  ).toEqual({
    emitFilterState: true,
    enableUpstreamStats: true,
    forAllMethods: false,
    replaceDots: true,
    methods: [
      { service: 's', method: 'a' },
      { service: 's', method: 'b' },
    ],
  });
  expect(decode({ statsForAllMethods: false })).toMatchObject({ forAllMethods: false });
});

describe('names', () => {
  const names = (json: JsonValue) =>
    Object.keys(counted(json, call([frame('')]), ok)).filter((n) => n.endsWith('total'));

  test.each([
    ['of every method', all, 's.S.M.total'],
    ['of every method, dots replaced', { ...all, replaceDotsInGrpcServiceName: true }, 's_S.M.total'],
    ['of none', {}, 'total'],
    ['of none, told so', { statsForAllMethods: false, replaceDotsInGrpcServiceName: true }, 'total'],
    [
      'of a listed one',
      { individualMethodStatsAllowlist: { services: [{ name: 's.S', methodNames: ['M'] }] } },
      's.S.M.total',
    ],
    ['of another', { individualMethodStatsAllowlist: { services: [{ name: 's.S', methodNames: ['N'] }] } }, 'total'],
  ])('%s', (_, json, expected) => {
    expect(names(json)).toEqual([expected]);
  });
});

describe('a gRPC call', () => {
  test('counts its messages and its end', () => {
    const response = answer([frame('a') + '\0', '\0\0\0\x01b'], ['grpc-status: 0']);
    expect(counted({}, call([frame('a'), frame('b')]), response)).toEqual({
      request_message_count: 2,
      response_message_count: 2,
      '0': 1,
      success: 1,
      total: 1,
    });
  });

  test('whose status is in its head', () => {
    const response =
      'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 14\r\ncontent-length: 0\r\n\r\n';
    expect(counted({}, call([frame('a')]), response)).toEqual({
      request_message_count: 1,
      '14': 1,
      failure: 1,
      total: 1,
    });
  });

  test('answered by another protocol counts no end', () => {
    const response = 'HTTP/1.1 503 X\r\ncontent-length: 6\r\n\r\n' + frame('x');
    expect(counted({}, call([frame('a')]), response)).toEqual({ request_message_count: 1 });
  });

  test('answered here counts too, where it was for a cluster', () => {
    const routes = `
- { match: { prefix: /s.S }, route: { cluster: c, timeout: 1s } }
- { match: { prefix: / }, direct_response: { status: 403 } }`;
    const here = world(all, { routes });
    here.send(call([frame('a')]).replace('/s.S/M', '/t/M'));
    expect(here.around.stats.read('cluster.c.grpc.')).toEqual({});
    here.send(call([frame('a')]));
    here.accept();
    here.advance(1000);
    expect(here.around.stats.read('cluster.c.grpc.')).toEqual({
      's.S.M.14': 1,
      's.S.M.failure': 1,
      's.S.M.request_message_count': 1,
      's.S.M.total': 1,
    });
  });

  test('to a path that names no method is not counted', () => {
    expect(counted({}, call([frame('a')]).replace('/s.S/M', '/a/b/c'), ok)).toEqual({});
  });

  test('as gRPC-Web is not counted', () => {
    expect(counted({}, call([frame('a')], 'application/grpc-web'), ok)).toEqual({});
  });
});

describe('enable_upstream_stats: from the end of the request to the end of the response', () => {
  const timed = (json: JsonValue) => {
    const here = world(json);
    const client = here.send(call([frame('a')]));
    const { upstream } = here;
    here.advance(30);
    upstream.receive(ok.slice(0, 60));
    here.advance(12);
    upstream.receive(ok.slice(60));
    expect(client.take()).toContain('grpc-status: 0');
    return here.around.stats.records('cluster.c.grpc.s.S.M.upstream_rq_time');
  };

  test('on', () => {
    expect(timed({ ...all, enableUpstreamStats: true })).toEqual([42]);
  });

  test('off', () => {
    expect(timed(all)).toEqual([]);
  });
});

describe('Connect', () => {
  const unary = (status: number, body: string) =>
    chunked(`HTTP/1.1 ${status} X`, ['content-type: application/json'], body === '' ? [] : [body]);

  test.each([
    [200, '{}', { request_message_count: 1, response_message_count: 1, success: 1, total: 1 }],
    [404, '{"code":"not_found"}', { request_message_count: 1, response_message_count: 1, failure: 1, total: 1 }],
  ])('unary: %d', (status, body, expected) => {
    expect(
      counted({}, call(['{', '}'], 'application/json', ['connect-protocol-version: 1']), unary(status, body)),
    ).toEqual(expected);
  });

  const stream = (...frames: string[]) =>
    chunked('HTTP/1.1 200 OK', ['content-type: application/connect+json'], frames);
  const type = 'application/connect+json';

  test('streaming: its last frame says how it went', () => {
    expect(counted({}, call([frame('{}'), frame('{}')], type), stream(frame('{}'), frame('{}', 2)))).toEqual({
      request_message_count: 2,
      response_message_count: 1,
      success: 1,
      total: 1,
    });
    expect(counted({}, call([frame('{}')], type), stream(frame('{"error":{}}', 2)))).toEqual({
      request_message_count: 1,
      failure: 1,
      total: 1,
    });
  });

  test('streaming with a version is one call', () => {
    expect(
      counted({}, call([frame('{}')], type, ['connect-protocol-version: 1']), stream(frame('{}', 2))),
    ).toMatchObject({ success: 1, total: 1 });
  });

  test('to a path that names no method is not counted', () => {
    const request = call([frame('{}')], type).replace('/s.S/M', '/a/b/c');
    expect(counted({}, request, stream(frame('{}', 2)))).toEqual({});
  });
});

describe('emit_filter_state', () => {
  const log = '%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)% %FILTER_STATE(envoy.filters.http.grpc_stats)%';
  const logged = (json: JsonValue, request: string, response: string) => {
    const here = world(json, { log });
    exchange(here, request, response);
    return here.logged;
  };

  test('the messages of the stream', () => {
    expect(logged({ emitFilterState: true }, call([frame('a'), frame('b')]), ok)).toEqual([
      '2,1 {"request_message_count":"2","response_message_count":"1"}',
    ]);
  });

  test('also of an answer to what is no gRPC, as in Envoy', () => {
    expect(logged({ emitFilterState: true }, call([frame('a')], 'text/plain'), ok)).toEqual([
      '0,1 {"response_message_count":"1"}',
    ]);
  });

  test('nothing without messages, and without the setting', () => {
    expect(logged({ emitFilterState: true }, call([]), answer([], ['grpc-status: 0']))).toEqual(['- -']);
    expect(logged({}, call([frame('a')]), ok)).toEqual(['- -']);
  });
});
