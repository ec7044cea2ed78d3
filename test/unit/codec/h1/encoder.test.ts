import { expect, test } from 'vitest';
import { Encoder, Persistence, properCase } from '../../../../src/codec/h1/encoder.ts';
import { HeaderKeyFormat } from '../../../../src/codec/h1/options.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { RecordingHost } from '../../../wire/recorder.ts';

const get = { method: 'GET', version: HttpVersion.Http11 } as const;

test('the framing fields come last, after connection', () => {
  const host = new RecordingHost();
  const encoder = new Encoder(host, HeaderKeyFormat.LowerCase, false);
  encoder.response(new ResponseHead(200, Headers.of(['a', 'b'])), false, get, Persistence.Close);
  expect(host.written).toBe('HTTP/1.1 200 OK\r\na: b\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n');
});

test('the connection field of the head gives way to the codec’s', () => {
  const host = new RecordingHost();
  const encoder = new Encoder(host, HeaderKeyFormat.LowerCase, false);
  const head = new ResponseHead(200, Headers.of(['connection', 'keep-alive'], ['content-length', '0']));
  encoder.response(head, true, get, Persistence.Close);
  expect(host.written).toBe('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
});

test('a chunk is written without being copied', () => {
  const written: (Uint8Array | string)[] = [];
  const host = new RecordingHost();
  host.write = (chunk) => written.push(chunk) > 0;
  host.writeLatin1 = (text) => written.push(text) > 0;
  const encoder = new Encoder(host, HeaderKeyFormat.LowerCase, false);
  encoder.response(new ResponseHead(200, new Headers()), false, get, Persistence.Unsaid);
  const chunk = Buffer.from('0123456789abcdef');
  encoder.data(chunk, false);
  encoder.data(chunk, true);
  expect(written.slice(1)).toEqual(['10\r\n', chunk, '\r\n', '10\r\n', chunk, '\r\n0\r\n\r\n']);
  expect(written[2]).toBe(chunk);
});

test('spellings', () => {
  expect(properCase('x-request-id')).toBe('X-Request-Id');
  expect(properCase('www-authenticate')).toBe('Www-Authenticate');
  expect(properCase('a_b')).toBe('A_B');
});

test('names as they were spelled', () => {
  const host = new RecordingHost();
  const encoder = new Encoder(host, HeaderKeyFormat.PreserveCase, false);
  const headers = Headers.of(['x-camelcase', '1']);
  headers.rawNames = ['X-CamelCase'];
  headers.add('x-added', '2');
  encoder.request(new RequestHead('GET', 'a.test', '/', HttpVersion.Http11, headers), '/', true, false);
  expect(host.written).toBe('GET / HTTP/1.1\r\nhost: a.test\r\nX-CamelCase: 1\r\nx-added: 2\r\n\r\n');
});
