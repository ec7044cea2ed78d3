import { expect, test } from 'vitest';
import { ResponseHead } from '../../../../../src/core/head.ts';
import { Headers } from '../../../../../src/core/headers.ts';
import { requestHeadSize, responseHeadSize } from '../../../../../src/proxy/http/stats/head-size.ts';
import { requestHead } from '../hcm-fixture.ts';
import { HttpWorld, request, response } from '../world.ts';

test('a received field is its name, its value and three bytes; Host is one', () => {
  expect(requestHeadSize(requestHead([], { authority: 'h.test' }))).toBe('host'.length + 'h.test'.length + 3);
  expect(requestHeadSize(requestHead([['x-a', 'bc']], { authority: '' }))).toBe(3 + 2 + 3);
});

test('a sent field is its name, its value and four bytes', () => {
  expect(responseHeadSize(new ResponseHead(204, new Headers()), true, 'GET')).toBe(0);
  expect(responseHeadSize(new ResponseHead(204, Headers.of(['x-a', 'bc'], ['y', ''])), true, 'GET')).toBe(
    3 + 2 + 4 + 1 + 4,
  );
});

test('with what tells where the body ends', () => {
  const size = (status: number, end: boolean, method = 'GET', headers = new Headers()): number =>
    responseHeadSize(new ResponseHead(status, headers), end, method);
  expect(size(200, true)).toBe('content-length'.length + 1 + 4);
  expect(size(200, false)).toBe('transfer-encoding'.length + 'chunked'.length + 4);
  expect(size(200, false, 'GET', Headers.of(['content-length', '2']))).toBe('content-length'.length + 1 + 4);
  expect([size(304, true), size(200, true, 'HEAD'), size(101, false), size(200, false, 'CONNECT')]).toEqual([
    0, 0, 0, 0,
  ]);
});

test('logs have them', () => {
  const world = new HttpWorld({ log: '%DOWNSTREAM_HEADER_BYTES_RECEIVED% %BYTES_RECEIVED% %BYTES_SENT%' });
  world.send(request('POST /', ['x-a: b'], 'hello'));
  world.accept().receive(response(200, 'ok'));
  const length = 'content-length'.length + 1 + 3;
  expect(world.logged).toEqual([`${4 + 1 + 3 + (3 + 1 + 3) + length} 5 2`]);
});
