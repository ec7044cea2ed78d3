import { expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { requestHeadSize, responseHeadSize } from '../../../../src/proxy/http/head-size.ts';
import { requestHead } from './hcm-fixture.ts';
import { HttpWorld, request, response } from './world.ts';

test('a received field is its name, its value and three bytes; Host is one', () => {
  expect(requestHeadSize(requestHead([], { authority: 'h.test' }))).toBe('host'.length + 'h.test'.length + 3);
  expect(requestHeadSize(requestHead([['x-a', 'bc']], { authority: '' }))).toBe(3 + 2 + 3);
});

test('a sent field is its name, its value and four bytes', () => {
  expect(responseHeadSize(new ResponseHead(200, new Headers()))).toBe(0);
  expect(responseHeadSize(new ResponseHead(200, Headers.of(['x-a', 'bc'], ['y', ''])))).toBe(3 + 2 + 4 + 1 + 4);
});

test('logs have them', () => {
  const world = new HttpWorld({ log: '%DOWNSTREAM_HEADER_BYTES_RECEIVED% %BYTES_RECEIVED% %BYTES_SENT%' });
  world.send(request('POST /', ['x-a: b'], 'hello'));
  world.accept().receive(response(200, 'ok'));
  const length = 'content-length'.length + 1 + 3;
  expect(world.logged).toEqual([`${4 + 1 + 3 + (3 + 1 + 3) + length} 5 2`]);
});
