import { expect, test } from 'vitest';
import type { ConnectionWaiter, StreamWaiter, TcpPool } from '../../../../src/cluster/cluster.ts';
import { Overflow } from '../../../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import { ConnectStreams, consents, waitsForConsent } from '../../../../src/proxy/http/connect-streams.ts';
import type { ForwardAction } from '../../../../src/route/route.ts';

const request = (method: string): RequestHead => new RequestHead(method, 'a', '/', HttpVersion.Http11, new Headers());
const ending = (allowsPost: boolean): ForwardAction =>
  ({ connect: { proxyProtocol: 0, allowsPost } }) as unknown as ForwardAction;
const forwarding = { connect: null } as unknown as ForwardAction;
const end = { kind: 'ip', host: '192.0.2.1', port: 1 } as const;
const peer = { remote: end, local: end } as unknown as Peer;

test.each([
  ['', 'GET', forwarding, false],
  ['websocket', 'GET', forwarding, true],
  ['connect', 'CONNECT', forwarding, true],
  ['connect', 'CONNECT', ending(false), false],
  ['', 'POST', ending(true), false],
  ['websocket', 'GET', ending(true), true],
] as const)('upgrade "%s", %s', (upgrade, method, action, waits) => {
  expect(waitsForConsent(upgrade, request(method), action)).toBe(waits);
});

test.each([
  ['CONNECT', 200, true],
  ['CONNECT', 204, true],
  ['CONNECT', 302, false],
  ['GET', 101, true],
  ['GET', 200, false],
] as const)('%s answered %d', (method, status, isConsent) => {
  expect(consents(request(method), new ResponseHead(status, new Headers()))).toBe(isConsent);
});

test('asks for a connection, tells of failure and leaves the line', () => {
  const said: string[] = [];
  let asked: ConnectionWaiter | null = null;
  const pool: TcpPool = {
    newConnection: (waiter) => {
      asked = waiter;
      said.push('asked');
    },
    cancel: (waiter) => void said.push(waiter === asked ? 'cancelled' : 'cancelled another'),
  };
  const streams = new ConnectStreams(pool, 1, peer);
  const waiter: Pick<StreamWaiter, 'onPoolFailure'> = {
    onPoolFailure: (failure) => void said.push(failure.kind.name),
  };
  streams.newStream(waiter as StreamWaiter);
  streams.onConnectFailure(Overflow, null);
  streams.cancel();
  expect(said).toEqual(['asked', 'overflow', 'cancelled']);
});
