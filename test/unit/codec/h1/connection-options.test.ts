import { expect, test } from 'vitest';
import {
  ConnectionOption,
  isConnectionAllowed,
  isLastMessage,
  readConnectionOptions,
  removeUpgrade,
} from '../../../../src/codec/h1/connection-options.ts';
import { HttpVersion } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';

const { Close, KeepAlive, Upgrade } = ConnectionOption;

function connection(...values: string[]): Headers {
  return Headers.of(...values.map((value) => ['connection', value] as const));
}

test.for([
  ['close', Close],
  ['CLOSE', Close],
  ['keep-alive', KeepAlive],
  ['Keep-Alive', KeepAlive],
  ['Upgrade', Upgrade],
  ['keep-alive, Upgrade', KeepAlive | Upgrade],
  [' x , close,', Close],
  ['closed', 0],
  ['', 0],
] as const)('%j', ([value, options]) => {
  expect(readConnectionOptions(connection(value))).toBe(options);
});

test('several fields count together', () => {
  expect(readConnectionOptions(connection('keep-alive', 'close'))).toBe(Close | KeepAlive);
});

test('which message is the last', () => {
  expect(isLastMessage(new Headers(), HttpVersion.Http11)).toBe(false);
  expect(isLastMessage(connection('close'), HttpVersion.Http11)).toBe(true);
  expect(isLastMessage(new Headers(), HttpVersion.Http10)).toBe(true);
  expect(isLastMessage(connection('keep-alive'), HttpVersion.Http10)).toBe(false);
  expect(isLastMessage(Headers.of(['proxy-connection', 'close']), HttpVersion.Http11)).toBe(true);
});

test.for([
  ['a, b, c, d, e, f, g, h, i', true],
  ['a, b, c, d, e, f, g, h, i, j', false],
  ['keep-alive', true],
  ['X-Forwarded-For', false],
  ['x-forwarded-host', false],
  ['x-forwarded-proto', false],
  [':path', false],
] as const)('may name %s: %s', ([value, isAllowed]) => {
  expect(isConnectionAllowed(connection(value))).toBe(isAllowed);
});

test('a TE that is named must not be long', () => {
  expect(isConnectionAllowed(Headers.of(['connection', 'te'], ['te', 'x'.repeat(255)]))).toBe(true);
  expect(isConnectionAllowed(Headers.of(['connection', 'te'], ['te', 'x'.repeat(256)]))).toBe(false);
});

test('an upgrade is taken out', () => {
  const headers = Headers.of(
    ['connection', 'keep-alive, Upgrade, HTTP2-Settings'],
    ['upgrade', 'h2c'],
    ['http2-settings', 'x'],
    ['connection', 'Upgrade'],
    ['x', 'y'],
  );
  removeUpgrade(headers);
  expect(headers.names).toEqual(['connection', 'x']);
  expect(headers.get('connection')).toBe('keep-alive');
});
