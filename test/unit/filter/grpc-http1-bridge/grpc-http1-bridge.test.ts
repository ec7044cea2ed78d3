import { fromJson, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { HttpVersion } from '../../../../src/core/head.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { grpcHttp1BridgeBuilder } from '../../../../src/filter/grpc-http1-bridge/build.ts';
import { grpcHttp1BridgeDecoder } from '../../../../src/filter/grpc-http1-bridge/decode.ts';
import type { GrpcHttp1BridgeData } from '../../../../src/filter/grpc-http1-bridge/grpc-http1-bridge-data.ts';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/filters/http/grpc_http1_bridge/v3/config_pb.js';
import type { Setting } from '../../proxy/http/world.ts';
import { filterContext, request, response, TestStream } from '../filter-fixture.ts';
import { answer, call, callWorld, chunked, exchange, frame } from '../grpc/call-world.ts';

const plain: GrpcHttp1BridgeData = { upgradeProtobuf: false, ignoreQuery: false };
const upgrading: GrpcHttp1BridgeData = { upgradeProtobuf: true, ignoreQuery: false };
const world = (data = plain, setting: Setting = {}) => callWorld(grpcHttp1BridgeBuilder, data, setting);
const protobuf = (chunks: readonly string[], trailers: readonly string[] = []) =>
  chunked('POST /s.S/M HTTP/1.1', ['host: a', 'content-type: application/x-protobuf'], chunks, trailers);
const ok = answer([frame('pong')], ['grpc-status: 0']);

test('decoding: every field', () => {
  const reasons = new Reasons();
  const json = { upgradeProtobufToGrpc: true, ignoreQueryParameters: true };
  const bytes = toBinary(ConfigSchema, fromJson(ConfigSchema, json));
  expect(grpcHttp1BridgeDecoder.decode(bytes, reasons, { open: () => null })).toEqual({
    upgradeProtobuf: true,
    ignoreQuery: true,
  });
  expect(reasons.isEmpty).toBe(true);
});

describe('the response', () => {
  test('has its status in the head, and a length', () => {
    const { got } = exchange(
      world(),
      call([frame('ping')]),
      answer([frame('a'), frame('bc')], ['grpc-status: 0', 'x-t: 1']),
    );
    expect(got.line).toBe('HTTP/1.1 200 OK');
    expect(got.fields).toMatchObject({ 'grpc-status': '0', 'content-length': '13' });
    expect(got.body).toBe(frame('a') + frame('bc'));
  });

  test.each([
    ['5', 503],
    ['x', 503],
    ['', 503],
    ['00', 200],
  ])('grpc-status %j is %d', (status, code) => {
    const { got } = exchange(
      world(),
      call([frame('ping')]),
      answer([], [`grpc-status: ${status}`, 'grpc-message: no']),
    );
    expect(got.line).toContain(` ${code} `);
    expect(got.fields).toMatchObject({ 'grpc-status': status, 'grpc-message': 'no', 'content-length': '0' });
  });

  test('without a status', () => {
    const { got } = exchange(world(), call([frame('ping')]), answer([frame('a')], ['x-t: 1']));
    expect(got.line).toBe('HTTP/1.1 200 OK');
    expect(got.fields['content-length']).toBe('6');
  });

  test('that is a head, or ends without trailers, passes', () => {
    const head = 'HTTP/1.1 200 OK\r\ngrpc-status: 7\r\ncontent-length: 0\r\n\r\n';
    expect(exchange(world(), call([frame('ping')]), head).got.line).toBe('HTTP/1.1 200 OK');
    const untold = chunked('HTTP/1.1 200 OK', [], ['a', 'b']);
    const { got } = exchange(world(), call([frame('ping')]), untold);
    expect(got.fields['transfer-encoding']).toBe('chunked');
    expect(got.body).toBe('ab');
  });

  test('to what is no gRPC passes', () => {
    const { got } = exchange(world(), call([frame('ping')], 'text/plain'), ok);
    expect(got.trailers).toEqual({ 'grpc-status': '0' });
  });

  test('that is too long is an error of ours', () => {
    const here = world();
    const client = here.send(call([frame('ping')]));
    client.bufferLimit = 10;
    here.upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n');
    here.upstream.receive('x'.repeat(20));
    expect(client.take()).toContain('grpc-message: Internal Server Error');
  });

  test('over HTTP/2 passes: trailers are seen there', () => {
    const filter = grpcHttp1BridgeBuilder.build(plain, filterContext()).create();
    const head = request([['content-type', 'application/grpc']]);
    head.version = HttpVersion.Http2;
    const stream = new TestStream(filterContext(), head);
    expect(filter.onRequestHead!(stream, head, false)).toBe(Verdict.Continue);
    expect(filter.onResponseHead!(stream, response(), false)).toBe(Verdict.Continue);
  });
});

test('ignore_query_parameters', () => {
  const asking = (type: string) => call([frame('ping')], type).replace('/s.S/M', '/s.S/M?a=b');
  const cutting = { upgradeProtobuf: false, ignoreQuery: true };
  expect(exchange(world(cutting), asking('application/grpc'), ok).sent.line).toBe('POST /s.S/M HTTP/1.1');
  expect(exchange(world(cutting), asking('text/plain'), ok).sent.line).toBe('POST /s.S/M?a=b HTTP/1.1');
  expect(exchange(world(), asking('application/grpc'), ok).sent.line).toBe('POST /s.S/M?a=b HTTP/1.1');
});

describe('upgrade_protobuf_to_grpc', () => {
  test.each([[['ping']], [['p', 'ing']]])(
    '%j becomes one frame, and the frame of the answer is taken off',
    (chunks) => {
      const { sent, got } = exchange(world(upgrading), protobuf(chunks), ok);
      expect(sent.fields).toMatchObject({ 'content-type': 'application/grpc', 'transfer-encoding': 'chunked' });
      expect(sent.body).toBe(frame('ping'));
      expect(got.fields).toMatchObject({ 'grpc-status': '0', 'content-length': '4' });
      expect(got.body).toBe('pong');
    },
  );

  test('the frame of the answer comes in pieces', () => {
    const { got } = exchange(world(upgrading), protobuf(['ping']), answer(frame('pong').split(''), ['grpc-status: 0']));
    expect(got.body).toBe('pong');
    expect(got.fields['content-length']).toBe('4');
  });

  test('trailers end the message too', () => {
    const { sent } = exchange(world(upgrading), protobuf(['ping'], ['x-t: 1']), ok);
    expect(sent.body).toBe(frame('ping'));
    expect(sent.trailers).toEqual({ 'x-t': '1' });
  });

  test('a request without a body stays without', () => {
    const head = 'POST /s.S/M HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n\r\n';
    expect(exchange(world(upgrading), head, ok).sent.body).toBe('');
  });

  test('is routed by its new type', () => {
    const routes = '- { match: { prefix: /, grpc: {} }, route: { cluster: c } }';
    expect(exchange(world(upgrading, { routes }), protobuf(['ping']), ok).sent.body).toBe(frame('ping'));
  });

  test('off: protobuf passes', () => {
    expect(exchange(world(), protobuf(['ping']), ok).sent.body).toBe('ping');
  });

  test('a body that is too long is a 413', () => {
    const here = world(upgrading);
    const client = here.connect();
    client.bufferLimit = 30;
    client.receive(protobuf(['x'.repeat(40), 'y']));
    expect(client.take()).toContain('HTTP/1.1 413 ');
  });
});
