import { expect, test } from 'vitest';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { HttpFilterChain } from '../../../../src/proxy/http/stream/filter-chain.ts';
import { failedHandshake } from '../../../../src/proxy/http/response/failed-handshake.ts';
import { Upgrades, upgradeTypeOf } from '../../../../src/proxy/http/upgrades.ts';
import type { ForwardAction, Route } from '../../../../src/route/route.ts';

const usual = new HttpFilterChain([]);
const own = new HttpFilterChain([]);
const upgrades = new Upgrades(
  new Map([
    ['websocket', { isEnabled: true, chain: null }],
    ['own', { isEnabled: true, chain: own }],
    ['off', { isEnabled: false, chain: own }],
  ]),
  usual,
);

function routeWith(...allowed: (readonly [string, boolean])[]): Route {
  const action: Pick<ForwardAction, 'kind' | 'upgrades'> = { kind: 'forward', upgrades: new Map(allowed) };
  return { action } as Route;
}

test.each<[string, Route | null, HttpFilterChain | null]>([
  ['websocket', null, usual],
  ['WebSocket', null, usual],
  ['own', null, own],
  ['off', null, null],
  ['unknown', null, null],
  ['websocket', routeWith(), usual],
  ['websocket', routeWith(['websocket', false]), null],
  ['off', routeWith(['off', true]), own],
  ['unknown', routeWith(['unknown', true]), usual],
  ['websocket', { action: { kind: 'redirect' } } as Route, usual],
])('%s', (type, route, chain) => {
  expect(upgrades.chainFor(type, route)).toBe(chain);
});

test.each([
  ['GET', Headers.of(), ''],
  ['GET', Headers.of(['upgrade', 'websocket']), 'websocket'],
  ['CONNECT', Headers.of(), 'CONNECT'],
])('what a %s asks for', (method, headers, type) => {
  expect(upgradeTypeOf(new RequestHead(method, 'a', '/', HttpVersion.Http11, headers))).toBe(type);
});

test('an answer that is neither consent nor an error loses its body, unless it came over HTTP/2', () => {
  const head = (status: number): ResponseHead =>
    new ResponseHead(status, Headers.of(['content-length', '3'], ['content-type', 'a/b'], ['x-a', '1']));
  expect(failedHandshake(head(302), HttpVersion.Http11)).toEqual({
    status: 302,
    body: '',
    details: 'websocket_handshake_unsuccessful',
    headers: [['x-a', '1']],
  });
  expect(failedHandshake(head(302), HttpVersion.Http2)).toBeNull();
  expect(failedHandshake(head(101), HttpVersion.Http11)).toBeNull();
  expect(failedHandshake(head(403), HttpVersion.Http11)).toBeNull();
});
