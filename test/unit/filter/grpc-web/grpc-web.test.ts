import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { grpcWebBuilder } from '../../../../src/filter/grpc-web/build.ts';
import { grpcWebDecoder } from '../../../../src/filter/grpc-web/decode.ts';
import type { Setting } from '../../proxy/http/world.ts';
import { answer, base64, call, callWorld, chunked, exchange, frame, parsed } from '../grpc/call-world.ts';

const world = (setting: Setting = {}) => callWorld(grpcWebBuilder, null, setting);

const binary = 'application/grpc-web';
const text = 'application/grpc-web-text';
const textWanted = [`accept: ${text}`];

const ok = answer([frame('pong')], ['grpc-status: 0', 'grpc-message: fine']);
const trailers = frame('grpc-status:0\r\ngrpc-message:fine\r\n', 0x80);

test('there is nothing to decode', () => {
  const reasons = new Reasons();
  expect(grpcWebDecoder.decode(new Uint8Array(0), reasons, { open: () => null })).toBeNull();
  expect(reasons.isEmpty).toBe(true);
});

describe('the request', () => {
  test.each([binary, `${binary}+proto`])('%s becomes gRPC', (type) => {
    const { sent } = exchange(world(), call([frame('ping')], type), ok);
    expect(sent.fields).toMatchObject({
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-accept-encoding': 'identity',
    });
    expect(sent.body).toBe(frame('ping'));
  });

  test('of a given length loses it, and says itself what it accepts', () => {
    const head = `POST /s.S/M HTTP/1.1\r\nhost: a\r\ncontent-type: ${binary}\r\ngrpc-accept-encoding: gzip\r\n`;
    const { sent } = exchange(world(), `${head}content-length: 9\r\n\r\n${frame('ping')}`, ok);
    expect(sent.fields).toMatchObject({ 'transfer-encoding': 'chunked', 'grpc-accept-encoding': 'gzip' });
    expect(sent.body).toBe(frame('ping'));
  });

  test.each(['application/grpc', 'application/grpc-web+json', `${binary}; a=b`, 'text/plain'])('%s passes', (type) => {
    const { sent, got } = exchange(world(), call([frame('ping')], type), ok);
    expect(sent.fields['content-type']).toBe(type);
    expect(got.fields['content-type']).toBe('application/grpc');
    expect(got.trailers).toEqual({ 'grpc-status': '0', 'grpc-message': 'fine' });
  });

  test.each([1, 3, 4, 100])('text is decoded in pieces of %d', (size) => {
    const whole = base64(frame('ping')) + base64(frame('pin')) + base64(frame(''));
    const chunks = whole.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
    const { sent } = exchange(world(), call(chunks, text), ok);
    expect(sent.body).toBe(frame('ping') + frame('pin') + frame(''));
  });

  test.each([
    ['AAAA%%%%', 'grpc_base_64_decode_failed'],
    ['%%%%A', 'grpc_base_64_decode_failed'],
    ['AAAAA', 'grpc_base_64_decode_failed_bad_size'],
    ['AAA', 'grpc_base_64_decode_failed_bad_size'],
  ])('%s is answered 400', (body, details) => {
    const here = world({ log: '%RESPONSE_CODE_DETAILS%' });
    const client = here.send(call([body], text, textWanted));
    here.accept();
    expect(parsed(client.take())).toMatchObject({
      line: 'HTTP/1.1 400 Bad Request',
      fields: {
        'content-type': 'application/grpc-web-text+proto',
        'grpc-status': '13',
        'grpc-message': 'Bad gRPC-web request, invalid base64 data.',
        'content-length': '0',
      },
    });
    expect(here.logged).toEqual([details]);
  });
});

describe('the response', () => {
  test('trailers become the last frame', () => {
    const { got } = exchange(world(), call([frame('ping')], binary), ok);
    expect(got.fields['content-type']).toBe('application/grpc-web+proto');
    expect(got.body).toBe(frame('pong') + trailers);
    expect(got.trailers).toEqual({});
  });

  test('trailers without messages', () => {
    const { got } = exchange(world(), call([frame('ping')], binary), answer([], ['grpc-status: 5']));
    expect(got.body).toBe(frame('grpc-status:5\r\n', 0x80));
  });

  test.each([1, 2, 5, 100])('as text, from pieces of %d', (size) => {
    const body = frame('a') + frame('') + frame('defg', 1);
    const chunks = body.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    const { got } = exchange(
      world(),
      call([base64(frame('x'))], text, textWanted),
      answer(chunks, ['grpc-status: 0', 'grpc-message: fine']),
    );
    expect(got.fields['content-type']).toBe('application/grpc-web-text+proto');
    expect(got.body).toBe(base64(frame('a')) + base64(frame('')) + base64(frame('defg', 1)) + base64(trailers));
  });

  test('as text, without trailers and cut short', () => {
    const response = chunked('HTTP/1.1 200 OK', ['content-type: application/grpc'], [frame('abcd').slice(0, 7)]);
    const { got } = exchange(world(), call([], text, textWanted), response);
    expect(got.body).toBe(base64(frame('abcd').slice(0, 6)));
  });

  test('whose status is in its head keeps it there', () => {
    const response = 'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 7\r\ncontent-length: 0\r\n\r\n';
    const { got } = exchange(world(), call([frame('ping')], binary), response);
    expect(got.fields).toMatchObject({ 'content-type': 'application/grpc-web+proto', 'grpc-status': '7' });
    expect(got.body).toBe('');
  });

  test('of an upstream that speaks gRPC-Web passes', () => {
    const body = frame('x') + trailers;
    const response = chunked('HTTP/1.1 200 OK', ['content-type: Application/gRPC-Web+proto ; a=b'], [body]);
    expect(exchange(world(), call([frame('ping')], binary), response).got.body).toBe(body);
  });
});

describe('an answer that is no gRPC becomes a status with a message', () => {
  const foreign = (response: string, setting: Setting = {}) =>
    exchange(world(setting), call([frame('ping')], binary), response).got;

  test('at its end', () => {
    const got = foreign(chunked('HTTP/1.1 404 X', ['content-type: text/html'], ['not', ' 100%\n']));
    expect(got.line).toBe('HTTP/1.1 404 Not Found');
    expect(got.fields).toMatchObject({
      'content-type': 'application/grpc-web+proto',
      'grpc-status': '12',
      'grpc-message': 'not 100%25%0A',
      'content-length': '0',
    });
    expect(got.body).toBe('');
  });

  test('at its trailers', () => {
    const got = foreign(chunked('HTTP/1.1 503 X', [], ['slow'], ['x-t: 1']));
    expect(got.fields).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'slow', 'content-length': '0' });
  });

  test('of which not all is kept', () => {
    const got = foreign(chunked('HTTP/1.1 500 X', [], ['a'.repeat(9000), 'b'.repeat(9000), 'c'.repeat(9000)]));
    expect(got.fields['grpc-message']).toBe('a'.repeat(9000) + 'b'.repeat(16_384 - 9000));
  });

  test('unless it is empty', () => {
    const got = foreign('HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n');
    expect(got.line).toBe('HTTP/1.1 500 Internal Server Error');
    expect(got.fields['grpc-status']).toBeUndefined();
  });

  test('also one of our own, whole', () => {
    const body = 'x'.repeat(20_000);
    const routes = [{ match: { prefix: '/' }, directResponse: { status: 403, body: { inlineString: body } } }];
    const routeConfig = {
      maxDirectResponseBodySizeBytes: 30_000,
      virtualHosts: [{ name: 'v', domains: ['*'], routes }],
    };
    const here = world({ hcm: { routeConfig } });
    const got = parsed(here.send(call([frame('ping')], binary)).take());
    expect(got.line).toBe('HTTP/1.1 403 Forbidden');
    expect(got.fields).toMatchObject({ 'grpc-status': '7', 'grpc-message': body });
  });
});

test('counts calls below grpc-web, by method', () => {
  const here = world();
  exchange(here, call([frame('ping')], binary), ok);
  exchange(here, call([frame('ping')], binary), answer([], ['grpc-status: 5']));
  exchange(here, call([frame('ping')]), ok);
  expect(here.around.stats.read('cluster.c.grpc-web.')).toEqual({
    's.S.M.0': 1,
    's.S.M.5': 1,
    's.S.M.success': 1,
    's.S.M.failure': 1,
    's.S.M.total': 2,
  });
});
