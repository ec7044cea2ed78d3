import { expect, test } from 'vitest';
import { ConnectionTermination, RemoteConnectionFailure } from '../../../../../src/core/failures.ts';
import { limited } from '../../../cluster/pool/http-bench.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, type Setting } from '../world.ts';

const routes =
  '- { match: { prefix: / }, route: { cluster: c, timeout: 1s, request_mirror_policies: [{ cluster: d }] } }';
const posting = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhel';

function mirrored(setting: Setting = {}): HttpWorld {
  return new HttpWorld({ routes, clusters: { c: {}, d: {} }, ...setting });
}

test('both get the request, and the client one answer', () => {
  const world = mirrored();
  const client = world.send(request('POST /a', [], 'hello'));
  const [main, shadow] = [world.accept(0), world.accept(1)];
  expect(fieldOf(main.written, 'host')).toBe('a');
  expect(bodyOf(main.take())).toBe('hello');
  expect(fieldOf(shadow.written, 'host')).toBe('a-shadow');
  expect(fieldOf(shadow.written, 'x-forwarded-for')).toBe('10.9.9.9');
  expect(bodyOf(shadow.take())).toBe('hello');
  shadow.receive(response(500, 'no'));
  expect(client.take()).toBe('');
  main.receive(response());
  expect(statusOf(client.take())).toBe(200);
  expect(world.stat('cluster.d.upstream_rq_500')).toBe(1);
  expect(world.stat('cluster.d.internal.upstream_rq_500')).toBe(1);
});

test('it may answer later than the stream lives', () => {
  const world = mirrored();
  const client = world.send(request());
  world.accept(0).receive(response());
  expect(statusOf(client.take())).toBe(200);
  client.leave();
  world.accept(1).receive(response(204, ''));
  expect(world.stat('cluster.d.upstream_rq_204')).toBe(1);
});

test('a request that its client leaves unfinished is given up', () => {
  const world = mirrored();
  const client = world.send(posting);
  const [, shadow] = [world.accept(0), world.accept(1)];
  expect(shadow.isOpen).toBe(true);
  client.leave();
  expect(shadow.isOpen).toBe(false);
});

test('what falls behind is dropped, and the client is not slowed', () => {
  const world = mirrored({
    routes: `- { match: { prefix: / }, route: { cluster: c, request_mirror_policies: [{ cluster: d }] }, request_body_buffer_limit: 4 }`,
  });
  const client = world.send(posting);
  const main = world.accept(0);
  const shadow = world.accept(1);
  shadow.accepts = false;
  client.receive('lo');
  client.receive('wor');
  expect(client.pauses).toBe(0);
  expect(shadow.isOpen).toBe(true);
  client.receive('ld');
  expect(bodyOf(main.take())).toBe('helloworld');
  expect(world.stat('cluster.d.retry_or_shadow_abandoned')).toBe(1);
  expect(shadow.isOpen).toBe(false);
  main.receive(response());
  expect(statusOf(client.take())).toBe(200);
});

test('a body too long for what may wait gives up the mirror that has no connection yet', () => {
  const world = mirrored({
    routes: `- { match: { prefix: / }, route: { cluster: c, request_mirror_policies: [{ cluster: d }] }, request_body_buffer_limit: 5 }`,
  });
  const client = world.send(posting);
  const main = world.accept(0);
  client.receive('loworld');
  expect(world.stat('cluster.d.retry_or_shadow_abandoned')).toBe(1);
  expect(bodyOf(main.take())).toBe('helloworld');
  main.receive(response());
  expect(statusOf(client.take())).toBe(200);
});

test('one that breaks, or cannot be reached, counts as a failure', () => {
  const world = mirrored();
  world.send(request());
  world.accept(0);
  world.refuse(RemoteConnectionFailure);
  expect(world.stat('cluster.d.upstream_rq_503')).toBe(1);
  world.send(request());
  world.accept(2);
  world.accept(3).close(ConnectionTermination);
  expect(world.stat('cluster.d.upstream_rq_503')).toBe(2);
});

test("it has the route's time", () => {
  const world = mirrored();
  const client = world.send(request());
  world.accept(0).receive(response());
  const shadow = world.accept(1);
  world.advance(1000);
  expect(world.stat('cluster.d.upstream_rq_timeout')).toBe(1);
  expect(world.stat('cluster.d.upstream_rq_504')).toBe(1);
  expect(shadow.isOpen).toBe(false);
  expect(statusOf(client.take())).toBe(200);
});

test('no host, and no room', () => {
  const none = mirrored({ clusters: { c: {}, d: { hosts: [] } } });
  none.send(request());
  expect(none.stat('cluster.d.upstream_cx_none_healthy')).toBe(1);
  const full = mirrored({ clusters: { c: {}, d: limited({ maxPendingRequests: 0 }) } });
  full.send(request());
  expect(full.stat('cluster.d.upstream_rq_503')).toBe(1);
});

test('an upgrade belongs to one upstream alone', () => {
  const world = mirrored({ hcm: { upgradeConfigs: [{ upgradeType: 'websocket' }] } });
  world.send(request('GET /', ['connection: upgrade', 'upgrade: websocket']));
  expect(world.dials).toBe(1);
});
