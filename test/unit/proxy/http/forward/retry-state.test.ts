import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ConnectionTimeout,
  LocalConnectionFailure,
  RemoteConnectionFailure,
} from '../../../../../src/core/failures.ts';
import { hostData, runtimeOf } from '../../../cluster/cluster-fixture.ts';
import { limited } from '../../../cluster/pool/http-bench.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, trusted } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';

function routesWith(policy: string, more = ''): string {
  return `- { match: { prefix: / }, route: { cluster: c, ${more} retry_policy: { ${policy} } } }`;
}

/** Longer than any back-off of the default policy. */
const longestMs = 250;

/** How the first try goes. */
type Mishap = (world: HttpWorld) => void;
const answers =
  (status: number, headers: readonly string[] = []): Mishap =>
  (world) =>
    world.accept().receive(response(status, 'first', headers));
const closes: Mishap = (world) => world.accept().peerEnded();
const refuses: Mishap = (world) => world.refuse(RemoteConnectionFailure);
const timesOut: Mishap = (world) => world.refuse(ConnectionTimeout);
const cannotDial: Mishap = (world) => world.refuse(LocalConnectionFailure);
const babbles: Mishap = (world) => world.accept().receive('SSH-2.0\r\n\r\n');

test('an answer that is whole leaves its connection to the repeat', () => {
  const world = new HttpWorld({ routes: routesWith('retry_on: unavailable') });
  world.send(request());
  world.accept().receive(response(200, '', ['grpc-status: 14']));
  world.advance(longestMs);
  expect(world.dials).toBe(1);
  expect(world.upstream.take()).toMatch(/^GET .*^GET /ms);
});

describe('retry_on', () => {
  const cases: readonly [string, string, Mishap, boolean][] = [
    ['5xx: 500', '5xx', answers(500), true],
    ['5xx: 599', '5xx', answers(599), true],
    ['5xx: 404', '5xx', answers(404), false],
    ['5xx: a close', '5xx', closes, true],
    ['5xx: refused', '5xx', refuses, true],
    ['5xx: bad HTTP', '5xx', babbles, true],
    ['gateway-error: 500', 'gateway-error', answers(500), false],
    ['gateway-error: 501', 'gateway-error', answers(501), false],
    ['gateway-error: 502', 'gateway-error', answers(502), true],
    ['gateway-error: 503', 'gateway-error', answers(503), true],
    ['gateway-error: 504', 'gateway-error', answers(504), true],
    ['gateway-error: 505', 'gateway-error', answers(505), false],
    ['gateway-error: a close', 'gateway-error', closes, true],
    ['reset: a close', 'reset', closes, true],
    ['reset: refused', 'reset', refuses, true],
    ['reset: 503', 'reset', answers(503), false],
    ['connect-failure: refused', 'connect-failure', refuses, true],
    ['connect-failure: a timeout', 'connect-failure', timesOut, true],
    ['connect-failure: no socket', 'connect-failure', cannotDial, true],
    ['connect-failure: a close', 'connect-failure', closes, false],
    ['connect-failure: 503', 'connect-failure', answers(503), false],
    ['refused-stream: a close', 'refused-stream', closes, false],
    ['reset-before-request: refused', 'reset-before-request', refuses, true],
    ['reset-before-request: a close', 'reset-before-request', closes, false],
    ['retriable-4xx: 409', 'retriable-4xx', answers(409), true],
    ['retriable-4xx: 408', 'retriable-4xx', answers(408), false],
    ['envoy-ratelimited', 'envoy-ratelimited', answers(429, ['x-envoy-ratelimited: true']), true],
    ['envoy-ratelimited: 429 alone', 'envoy-ratelimited', answers(429), false],
    ['5xx: ratelimited comes first', '5xx', answers(503, ['x-envoy-ratelimited: true']), false],
    ['cancelled', 'cancelled', answers(200, ['grpc-status: 1']), true],
    ['cancelled: another', 'cancelled', answers(200, ['grpc-status: 14']), false],
    ['deadline-exceeded', 'deadline-exceeded', answers(200, ['grpc-status: 4']), true],
    ['internal', 'internal', answers(200, ['grpc-status: 13']), true],
    ['resource-exhausted', 'resource-exhausted', answers(200, ['grpc-status: 8']), true],
    ['unavailable', 'unavailable', answers(200, ['grpc-status: 14']), true],
    ['unavailable: with a zero in front', 'unavailable', answers(200, ['grpc-status: 014']), true],
    ['unavailable: no number', 'unavailable', answers(200, ['grpc-status: 0xe']), false],
    ['unavailable: success', 'unavailable', answers(200, ['grpc-status: 0']), false],
    ['several tokens', 'retriable-4xx,unavailable', answers(409), true],
    ['an unknown token', 'whenever', answers(503), false],
  ];

  test.each(cases)('%s', (_, retryOn, mishap, isRepeated) => {
    const world = new HttpWorld({ routes: routesWith(`retry_on: "${retryOn}"`) });
    const client = world.send(request());
    mishap(world);
    world.advance(longestMs);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(isRepeated ? 1 : 0);
    expect(client.written === '').toBe(isRepeated);
    if (!isRepeated) return;
    world.upstream.receive(response(200, 'second'));
    expect(bodyOf(client.take())).toBe('second');
    expect(world.stat('cluster.c.upstream_rq_retry_success')).toBe(1);
  });

  test('retriable-status-codes', () => {
    const world = new HttpWorld({
      routes: routesWith('retry_on: retriable-status-codes, retriable_status_codes: [418]'),
    });
    const client = world.send(request());
    world.upstream.receive(response(418));
    expect(client.written).toBe('');
    world.advance(longestMs);
    world.upstream.receive(response(429));
    expect(statusOf(client.take())).toBe(429);
  });

  test('retriable-headers', () => {
    const world = new HttpWorld({
      routes: routesWith(
        'num_retries: 5, retry_on: retriable-headers, retriable_headers: [{ name: x-again, string_match: { exact: "yes" } }]',
      ),
    });
    const client = world.send(request());
    world.upstream.receive(response(200, '', ['x-again: yes']));
    expect(client.written).toBe('');
    world.advance(longestMs);
    world.upstream.receive(response(200, '', ['x-again: no']));
    expect(statusOf(client.take())).toBe(200);
  });

  test('retriable_request_headers: only such requests', () => {
    const routes = routesWith('retry_on: 5xx, retriable_request_headers: [{ name: x-safe, present_match: true }]');
    const world = new HttpWorld({ routes });
    const client = world.send(request());
    world.accept().receive(response(503));
    expect(statusOf(client.take())).toBe(503);
    client.receive(request('GET /', ['x-safe: 1']));
    world.upstream.receive(response(503));
    expect(client.take()).toBe('');
  });
});

describe('control headers of internal requests', () => {
  const ask = (headers: readonly string[], routes = '- { match: { prefix: / }, route: { cluster: c } }'): HttpWorld => {
    const world = new HttpWorld({ hcm: trusted, routes });
    world.send(request('GET /', headers));
    return world;
  };
  const repeats = (world: HttpWorld, status: number, headers: readonly string[] = []): boolean => {
    world.upstream.receive(response(status, '', headers));
    world.advance(longestMs);
    return world.stat('cluster.c.upstream_rq_retry') > 0;
  };

  test('x-envoy-retry-on', () => {
    expect(repeats(ask(['x-envoy-retry-on: 5xx']), 503)).toBe(true);
    expect(repeats(ask(['x-envoy-retry-on: reset']), 503)).toBe(false);
  });

  test('x-envoy-retry-grpc-on', () => {
    expect(repeats(ask(['x-envoy-retry-grpc-on: unavailable']), 200, ['grpc-status: 14'])).toBe(true);
    expect(repeats(ask(['x-envoy-retry-grpc-on: unavailable']), 200, ['grpc-status: 4'])).toBe(false);
  });

  test('are added to what the route says', () => {
    const routes = routesWith('retry_on: retriable-4xx');
    expect(repeats(ask(['x-envoy-retry-on: 5xx'], routes), 503)).toBe(true);
    expect(repeats(ask(['x-envoy-retry-on: 5xx'], routes), 409)).toBe(true);
  });

  test('x-envoy-retriable-status-codes and -header-names', () => {
    expect(
      repeats(ask(['x-envoy-retry-on: retriable-status-codes', 'x-envoy-retriable-status-codes: 404,418']), 418),
    ).toBe(true);
    const names = ['x-envoy-retry-on: retriable-headers', 'x-envoy-retriable-header-names: X-Upstream-Retry, x-b'];
    expect(repeats(ask(names), 200, ['x-upstream-retry: 1'])).toBe(true);
    expect(repeats(ask(names), 200, ['x-other: 1'])).toBe(false);
  });

  test('x-envoy-max-retries wins over the route', () => {
    const world = ask(['x-envoy-max-retries: 2'], routesWith('retry_on: 5xx, num_retries: 1'));
    for (let i = 0; i < 3; i++) {
      world.upstream.receive(response(503));
      world.advance(longestMs);
    }
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(2);
    expect(repeats(ask(['x-envoy-max-retries: 0'], routesWith('retry_on: 5xx')), 503)).toBe(false);
  });

  test('do not reach the upstream', () => {
    const world = ask(['x-envoy-retry-on: 5xx', 'x-envoy-max-retries: 3', 'x-envoy-retry-grpc-on: internal']);
    expect(world.upstream.take()).not.toMatch(/x-envoy-(retry|max)/);
  });

  test('of external requests do not count', () => {
    const world = new HttpWorld();
    world.send(request('GET /', ['x-envoy-retry-on: 5xx']));
    expect(repeats(world, 503)).toBe(false);
  });
});

describe('limits', () => {
  test('num_retries is 1 unless told', () => {
    const world = new HttpWorld({ log, routes: routesWith('retry_on: 5xx') });
    const client = world.send(request());
    world.upstream.receive(response(503, 'one'));
    world.advance(longestMs);
    world.upstream.receive(response(503, 'two'));
    expect(bodyOf(client.take())).toBe('two');
    expect(world.logged).toEqual(['503 URX via_upstream']);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(1);
    expect(world.stat('cluster.c.upstream_rq_retry_limit_exceeded')).toBe(1);
    expect(world.stat('cluster.c.upstream_rq_retry_success')).toBe(0);
    expect(world.stat('cluster.c.retry.upstream_rq_503')).toBe(1);
    expect(world.stat('cluster.c.upstream_rq_503')).toBe(1);
  });

  test('the last failure is what the client learns', () => {
    const world = new HttpWorld({ log, routes: routesWith('retry_on: 5xx') });
    const client = world.send(request());
    world.upstream.receive(response(503));
    world.advance(longestMs);
    world.upstream.peerEnded();
    expect(bodyOf(client.take())).toBe(
      'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection termination',
    );
    expect(world.logged).toEqual(['503 URX,UC upstream_reset_before_response_started{connection_termination}']);
  });

  test('the retry breaker', () => {
    const world = new HttpWorld({
      log,
      routes: routesWith('retry_on: 5xx'),
      clusters: { c: limited({ maxRetries: 1 }) },
    });
    const waiting = world.send(request());
    world.upstream.receive(response(503));
    const refused = world.send(request());
    world.upstream.receive(response(503, 'refused'));
    expect(bodyOf(refused.take())).toBe('refused');
    expect(world.logged).toEqual(['503 UO via_upstream']);
    expect(world.stat('cluster.c.upstream_rq_retry_overflow')).toBe(1);
    world.advance(longestMs);
    world.upstream.receive(response(200, 'waited'));
    expect(bodyOf(waiting.take())).toBe('waited');
  });

  test('a breaker that is full for requests is no reason to repeat', () => {
    const world = new HttpWorld({
      log,
      routes: routesWith('retry_on: "5xx,reset,connect-failure,gateway-error"'),
      clusters: { c: limited({ maxPendingRequests: 0 }) },
    });
    expect(statusOf(world.send(request()).take())).toBe(503);
    expect(world.logged).toEqual(['503 UO upstream_reset_before_response_started{overflow}']);
  });

  test('a client that leaves during the back-off gives its place free', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx'), clusters: { c: limited({ maxRetries: 1 }) } });
    const first = world.send(request());
    world.upstream.receive(response(503));
    first.leave();
    world.advance(longestMs);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(0);
    world.send(request());
    world.upstream.receive(response(503));
    world.advance(longestMs);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(1);
  });

  test('a repeat that is on its way counts for the breaker, until its head has come', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx'), clusters: { c: limited({ maxRetries: 1 }) } });
    world.send(request());
    world.accept().receive(response(503));
    world.advance(longestMs);
    const repeat = world.accept();
    const second = world.send(request());
    world.accept().receive(response(503, 'refused'));
    expect(bodyOf(second.take())).toBe('refused');
    repeat.receive('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n');
    const third = world.send(request());
    world.upstream.receive(response(503));
    expect(third.take()).toBe('');
  });

  test('an interim answer ends the tries', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx'), hcm: { proxy100Continue: true } });
    const client = world.send(request());
    world.upstream.receive('HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n' + response(503, 'late'));
    expect(client.take()).toMatch(/^HTTP\/1\.1 103 [^]*HTTP\/1\.1 503 [^]*late$/);
  });

  test('the route’s timeout ends the tries', () => {
    const world = new HttpWorld({ log, routes: routesWith('retry_on: 5xx, num_retries: 100', 'timeout: 1s,') });
    const client = world.send(request());
    for (let i = 0; i < 3; i++) {
      world.upstream.receive(response(503));
      world.advance(longestMs);
    }
    world.advance(1000);
    expect(statusOf(client.written)).toBe(504);
    expect(bodyOf(client.take())).toBe('upstream request timeout');
    expect(world.logged).toEqual(['504 UT response_timeout']);
  });
});

describe('back-off', () => {
  afterEach(() => void vi.restoreAllMocks());

  const moments = (policy: string): number[] => {
    const world = new HttpWorld({ routes: routesWith(`retry_on: 5xx, num_retries: 6, ${policy}`, 'timeout: 0s,') });
    world.send(request());
    const waited: number[] = [];
    vi.spyOn(Math, 'random').mockReturnValue(1 - 2 ** -53);
    for (let i = 0; i < 6; i++) {
      world.upstream.receive(response(503));
      let ms = 0;
      while (world.stat('cluster.c.upstream_rq_retry') === i && ms < 2000) {
        world.advance(1);
        ms++;
      }
      waited.push(ms);
    }
    return waited;
  };

  test('is below 25 ms, then 50, 100, 200, and 250 from there on', () => {
    expect(moments('')).toEqual([25, 50, 100, 200, 250, 250]);
  });

  test('has a base and a maximum of its own', () => {
    expect(moments('retry_back_off: { base_interval: 0.010s, max_interval: 0.030s }')).toEqual([
      10, 20, 30, 30, 30, 30,
    ]);
    expect(moments('retry_back_off: { base_interval: 0.002s }')).toEqual([2, 4, 8, 16, 20, 20]);
  });

  test('begins at 0', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx') });
    world.send(request());
    vi.spyOn(Math, 'random').mockReturnValue(0);
    world.upstream.receive(response(503));
    world.advance(0);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(1);
  });
});

describe('tries', () => {
  test('count in x-envoy-attempt-count, both ways', () => {
    const world = new HttpWorld({
      routes: routesWith('retry_on: 5xx, num_retries: 2'),
      virtualHost: { includeRequestAttemptCount: true, includeAttemptCountInResponse: true },
    });
    const client = world.send(request());
    expect(fieldOf(world.upstream.written, 'x-envoy-attempt-count')).toBe('1');
    world.upstream.receive(response(503));
    world.advance(longestMs);
    expect(fieldOf(world.upstream.written, 'x-envoy-attempt-count')).toBe('2');
    world.upstream.receive(response());
    expect(fieldOf(client.take(), 'x-envoy-attempt-count')).toBe('2');
  });

  test('have less time each: x-envoy-expected-rq-timeout-ms says how much', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx, num_retries: 2', 'timeout: 10s,') });
    world.send(request());
    expect(fieldOf(world.upstream.written, 'x-envoy-expected-rq-timeout-ms')).toBe('10000');
    world.advance(1000);
    world.upstream.receive(response(503));
    world.advance(longestMs);
    expect(fieldOf(world.upstream.written, 'x-envoy-expected-rq-timeout-ms')).toBe('8750');
  });

  test('avoid the hosts that failed, with previous_hosts', () => {
    const predicate = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';
    const world = new HttpWorld({
      routes: routesWith(
        `retry_on: 5xx, num_retries: 2, host_selection_retry_max_attempts: 8, retry_host_predicate: [{ name: p, typed_config: { "@type": type.googleapis.com/${predicate} } }]`,
      ),
      clusters: { c: { hosts: [hostData('10.0.0.1'), hostData('10.0.0.2')] } },
    });
    world.send(request());
    const first = world.upstream;
    // Round robin: this one has the other host, so that it would be the first one's turn again.
    world.send(request());
    first.receive(response(503));
    world.advance(longestMs);
    const [tried, other, repeated] = world.around.network.dials.map(({ address }) => address.host);
    expect(tried).not.toBe(other);
    expect(repeated).toBe(other);
  });

  test('are told apart from the response that was given up: nothing of it reaches the client', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx') });
    const client = world.send(request());
    const first = world.upstream;
    first.receive('HTTP/1.1 503 X\r\ncontent-length: 10\r\n\r\nhalf');
    expect(first.isOpen).toBe(false);
    world.advance(longestMs);
    world.upstream.receive(response(200, 'whole'));
    expect(bodyOf(client.take())).toBe('whole');
  });
});

describe('runtime keys', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('upstream.use_retry switches repeats off', () => {
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx') });
    world.around.runtime.update(runtimeOf({ 'upstream.use_retry': '0' }));
    const client = world.send(request());
    world.accept().receive(response(503));
    expect(statusOf(client.take())).toBe(503);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(0);
  });

  test('upstream.base_retry_backoff_ms is the pause where the route names none', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx') });
    world.around.runtime.update(runtimeOf({ 'upstream.base_retry_backoff_ms': '1000' }));
    world.send(request());
    world.accept().receive(response(503));
    world.advance(499);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(0);
    world.advance(1);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(1);
  });

  test('and not where it names one', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const world = new HttpWorld({ routes: routesWith('retry_on: 5xx, retry_back_off: { base_interval: 0.010s }') });
    world.around.runtime.update(runtimeOf({ 'upstream.base_retry_backoff_ms': '1000' }));
    world.send(request());
    world.accept().receive(response(503));
    world.advance(5);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(1);
  });
});

test('a repeat says whether a timeout made it', () => {
  const world = new HttpWorld({
    routes: routesWith('retry_on: 5xx, num_retries: 2, per_try_timeout: 1s'),
    virtualHost: { includeIsTimeoutRetryHeader: true },
  });
  world.send(request());
  expect(fieldOf(world.accept().take(), 'x-envoy-is-timeout-retry')).toBeUndefined();
  world.advance(1000);
  world.advance(longestMs);
  const upstream = world.accept();
  expect(fieldOf(upstream.take(), 'x-envoy-is-timeout-retry')).toBe('true');
  upstream.receive(response(503, ''));
  world.advance(longestMs);
  expect(fieldOf(upstream.take(), 'x-envoy-is-timeout-retry')).toBe('false');
});
