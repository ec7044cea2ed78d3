import { describe, expect, test } from 'vitest';
import { bodyOf, HttpWorld, request, response, statusOf, type ClientConnection } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
const longestMs = 250;
const repeating = '- { match: { prefix: / }, route: { cluster: c, retry_policy: { retry_on: 5xx, num_retries: 3 } } }';

function connectWithLimit(world: HttpWorld, limit: number): ClientConnection {
  const client = world.connect();
  client.bufferLimit = limit;
  return client;
}

const posting = (length: number): string => `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;

describe('a repeat', () => {
  test('carries the whole body again', () => {
    const world = new HttpWorld({ routes: repeating });
    world.send(request('POST /', [], 'hello'));
    const first = world.upstream.take();
    expect(bodyOf(first)).toBe('hello');
    world.upstream.receive(response(503));
    world.advance(longestMs);
    expect(world.upstream.take()).toBe(first.replace('15000', '14750'));
  });

  test('carries chunks again', () => {
    const world = new HttpWorld({ routes: repeating });
    const client = world.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n');
    client.receive('4\r\ngain\r\n0\r\n\r\n');
    world.upstream.peerEnded();
    world.advance(longestMs);
    expect(bodyOf(world.upstream.take())).toBe('1\r\na\r\n4\r\ngain\r\n0\r\n\r\n');
  });

  test('in the middle of the body: what came and what comes', () => {
    const world = new HttpWorld({ routes: repeating });
    const client = world.send(posting(9) + 'one');
    world.upstream.receive(response(503));
    client.receive('two');
    world.advance(longestMs);
    expect(bodyOf(world.upstream.written)).toBe('onetwo');
    client.receive('end');
    expect(bodyOf(world.upstream.take())).toBe('onetwoend');
    world.upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });

  test('happens as often as is allowed, each time with everything', () => {
    const world = new HttpWorld({ routes: repeating });
    world.send(request('POST /', [], 'hello'));
    for (let i = 0; i < 3; i++) {
      expect(bodyOf(world.upstream.take())).toBe('hello');
      world.upstream.receive(response(503));
      world.advance(longestMs);
    }
    expect(bodyOf(world.upstream.take())).toBe('hello');
  });
});

describe('a body above the buffer limit', () => {
  test('is not repeated, but sent', () => {
    const world = new HttpWorld({ log, routes: repeating });
    const client = connectWithLimit(world, 8);
    client.receive(posting(12) + 'eight...');
    world.accept();
    client.receive('more');
    expect(bodyOf(world.upstream.take())).toBe('eight...more');
    expect(world.stat('cluster.c.retry_or_shadow_abandoned')).toBe(1);
    world.upstream.receive(response(503));
    expect(statusOf(client.take())).toBe(503);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(0);
    expect(world.logged).toEqual(['503 - via_upstream']);
  });

  test('at the limit it still is', () => {
    const world = new HttpWorld({ routes: repeating });
    const client = connectWithLimit(world, 8);
    client.receive(posting(8) + 'eight...');
    world.upstream.receive(response(503));
    world.advance(longestMs);
    expect(bodyOf(world.upstream.take())).toBe('eight...');
    expect(client.written).toBe('');
  });

  test('request_body_buffer_limit of the route counts instead', () => {
    const routes = repeating.replace('route:', 'request_body_buffer_limit: 4, route:');
    const world = new HttpWorld({ routes });
    const client = connectWithLimit(world, 100);
    client.receive(posting(8) + 'four');
    world.accept();
    client.receive('more');
    world.upstream.receive(response(503));
    expect(statusOf(client.take())).toBe(503);
  });

  test('makes the client wait while the connection is being opened', () => {
    const world = new HttpWorld();
    const client = connectWithLimit(world, 8);
    client.receive(posting(16) + 'eight...');
    expect(client.pauses).toBe(0);
    client.receive('mo');
    expect(client.pauses).toBe(1);
    // It was on its way already.
    client.receive('re');
    expect(client.pauses).toBe(1);
    world.accept();
    expect(client.pauses).toBe(0);
    client.receive('last');
    expect(bodyOf(world.upstream.take())).toBe('eight...morelast');
  });

  // The client stays paused for good.
  test('…also where the route would repeat: that is given up', () => {
    const world = new HttpWorld({ routes: repeating });
    const client = connectWithLimit(world, 8);
    client.receive(posting(16) + 'eight...');
    client.receive('more');
    expect(client.pauses).toBe(1);
    world.accept();
    expect(client.pauses).toBe(0);
    client.receive('last');
    expect(bodyOf(world.upstream.take())).toBe('eight...morelast');
    expect(world.stat('cluster.c.retry_or_shadow_abandoned')).toBe(1);
  });

  // Envoy: 507 `exceeded request buffer limit while retrying upstream`.
  test('during the back-off is refused', () => {
    const world = new HttpWorld({ log, routes: repeating });
    const client = connectWithLimit(world, 8);
    client.receive(posting(16) + 'eight...');
    world.upstream.receive(response(503));
    client.receive('more');
    expect(statusOf(client.written)).toBe(507);
    expect(bodyOf(client.take())).toBe('exceeded request buffer limit while retrying upstream');
    expect(world.logged).toEqual(['507 - request_payload_exceeded_retry_buffer_limit']);
    expect(world.stat('cluster.c.retry_or_shadow_abandoned')).toBe(1);
  });
});

test('without a retry policy nothing is kept once the upstream takes it', () => {
  const world = new HttpWorld();
  const client = connectWithLimit(world, 4);
  client.receive(posting(100));
  world.accept();
  for (let i = 0; i < 10; i++) client.receive('0123456789');
  expect(client.pauses).toBe(0);
  expect(bodyOf(world.upstream.take())).toBe('0123456789'.repeat(10));
  expect(world.stat('cluster.c.retry_or_shadow_abandoned')).toBe(0);
});
