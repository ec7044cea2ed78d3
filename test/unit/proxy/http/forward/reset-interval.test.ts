import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../../src/core/head.ts';
import { Headers } from '../../../../../src/core/headers.ts';
import { resetIntervalMs } from '../../../../../src/proxy/http/forward/reset-interval.ts';
import { HttpWorld, request, response, statusOf } from '../world.ts';

const seconds = { name: 'retry-after', isTimestamp: false };
const stamp = { name: 'x-reset', isTimestamp: true };

test.each<[string, readonly [string, string][], number]>([
  ['seconds', [['retry-after', '2']], 2000],
  ['a moment', [['x-reset', '103']], 3000],
  [
    'the first that says something',
    [
      ['retry-after', 'x'],
      ['x-reset', '101'],
    ],
    1000,
  ],
  ['none', [], 0],
  ['a moment that has passed', [['x-reset', '99']], 0],
  ['more than allowed', [['retry-after', '11']], 0],
  ['a date', [['retry-after', 'Wed, 21 Oct 2015 07:28:00 GMT']], 0],
])('%s', (_what, fields, expected) => {
  const head = new ResponseHead(429, Headers.of(...fields));
  const backOff = { maxIntervalMs: 10_000, resetHeaders: [seconds, stamp] };
  expect(resetIntervalMs(head, backOff, 100_500)).toBe(expected);
});

describe('a retry', () => {
  const routes =
    '- { match: { prefix: / }, route: { cluster: c, timeout: 0s, retry_policy: { retry_on: 5xx, num_retries: 2, rate_limited_retry_back_off: { reset_headers: [{ name: Retry-After }] } } } }';

  test('waits as long as it was asked to, and up to half as much again; the next one does not', () => {
    const world = new HttpWorld({ routes });
    const client = world.send(request());
    world.accept().receive(response(503, '', ['retry-after: 10']));
    world.upstream.take();
    world.advance(9_999);
    expect(world.upstream.take()).toBe('');
    world.advance(5_001);
    expect(world.stat('cluster.c.upstream_rq_retry_backoff_ratelimited')).toBe(1);
    world.upstream.receive(response(503, ''));
    world.advance(250);
    expect(world.stat('cluster.c.upstream_rq_retry_backoff_exponential')).toBe(1);
    world.upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });
});
