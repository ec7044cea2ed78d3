import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../../../../../src/core/head.ts';
import type { RouterData } from '../../../../../src/filter/router/router-data.ts';
import { takeRouteTimeouts, type RouteTimeouts } from '../../../../../src/proxy/http/forward/route-timeouts.ts';
import { anyHost, forwardOf, tableFrom } from '../../../route/fixture.ts';
import { lines, requestHead } from '../hcm-fixture.ts';

const router: RouterData = {
  dynamicStats: true,
  suppressEnvoyHeaders: false,
  respectExpectedRqTimeout: false,
  suppressGrpcRequestFailureCodeStats: false,
  strictCheckHeaders: [],
};

/** Timeouts of a request to a route with `more` settings. */
function timeouts(more: string, head: RequestHead = requestHead(), change: Partial<RouterData> = {}): RouteTimeouts {
  const table = tableFrom(anyHost(`{ match: { prefix: / }, route: { cluster: c${more === '' ? '' : `, ${more}`} } }`));
  const action = forwardOf(table.match(head, { random: 0 }));
  return takeRouteTimeouts(head, action, { ...router, ...change });
}

const perTry = 'retry_policy: { retry_on: 5xx, per_try_timeout: 2s, per_try_idle_timeout: 1s }';

describe('of the route', () => {
  test('15 s for all tries together', () => {
    expect(timeouts('')).toEqual({
      responseMs: 15_000,
      perTryMs: 0,
      perTryIdleMs: 0,
      expectedMs: 15_000,
      tryDurationMs: 0,
      tellsGrpc: false,
      hedges: false,
      emptyReplyOnTimeout: false,
    });
  });

  test('none: nothing is expected', () => {
    expect(timeouts('timeout: 0s')).toMatchObject({ responseMs: 0, expectedMs: 0 });
  });

  test('of each try', () => {
    expect(timeouts(perTry)).toMatchObject({
      responseMs: 15_000,
      perTryMs: 2000,
      perTryIdleMs: 1000,
      expectedMs: 2000,
    });
  });

  test('of each try, where the whole has none', () => {
    expect(timeouts(`timeout: 0s, ${perTry}`)).toMatchObject({ responseMs: 0, perTryMs: 2000, expectedMs: 2000 });
  });

  test.each(['2s', '1s'])('of each try no shorter than the whole %s: it does not count', (whole) => {
    expect(timeouts(`timeout: ${whole}, ${perTry}`)).toMatchObject({ perTryMs: 0, expectedMs: parseInt(whole) * 1000 });
  });
});

describe('of the request', () => {
  test('win, and are taken out', () => {
    const head = requestHead([
      ['x-envoy-upstream-rq-timeout-ms', '700'],
      ['x-envoy-upstream-rq-per-try-timeout-ms', '300'],
      ['x-envoy-upstream-rq-timeout-alt-response', 'true'],
      ['x-kept', '1'],
    ]);
    expect(timeouts(perTry, head)).toEqual({
      responseMs: 700,
      perTryMs: 300,
      perTryIdleMs: 1000,
      expectedMs: 300,
      tryDurationMs: 0,
      tellsGrpc: false,
      hedges: false,
      emptyReplyOnTimeout: true,
    });
    expect(lines(head.headers)).toEqual(['x-kept: 1']);
  });

  test.each([
    ['hedge_policy: { hedge_on_per_try_timeout: true }, ', undefined, true],
    ['hedge_policy: { hedge_on_per_try_timeout: true }, ', 'false', false],
    ['hedge_policy: { hedge_on_per_try_timeout: true }, ', 'no', true],
    ['', 'true', true],
    ['', '1', false],
  ])('hedges: the route says %j, the request %j', (policy, asked, hedges) => {
    const head = requestHead(asked === undefined ? [] : [['x-envoy-hedge-on-per-try-timeout', asked]]);
    expect(timeouts(policy + perTry, head)).toMatchObject({ hedges, expectedMs: hedges ? 15_000 : 2000 });
    expect(head.headers.length).toBe(0);
  });

  test('its own time upstream', () => {
    const head = requestHead([['x-envoy-upstream-stream-duration-ms', '200']]);
    expect(timeouts('', head)).toMatchObject({ tryDurationMs: 200, responseMs: 15_000 });
    expect(head.headers.length).toBe(0);
  });

  test('0 is no timeout', () => {
    expect(timeouts('', requestHead([['x-envoy-upstream-rq-timeout-ms', '0']]))).toMatchObject({ responseMs: 0 });
  });

  test.each(['', 'soon', '-5', '1.5', '0x10', '1e3', '9'.repeat(20)])('%j is no number and does not count', (text) => {
    const head = requestHead([['x-envoy-upstream-rq-timeout-ms', text]]);
    expect(timeouts('', head)).toMatchObject({ responseMs: 15_000 });
    expect(head.headers.length).toBe(0);
  });

  const expecting = (): RequestHead =>
    requestHead([
      ['x-envoy-expected-rq-timeout-ms', '400'],
      ['x-envoy-upstream-rq-timeout-ms', '700'],
    ]);

  test('what another proxy expects counts only where the router respects it', () => {
    expect(timeouts('', expecting())).toMatchObject({ responseMs: 700 });
    expect(timeouts('', expecting(), { respectExpectedRqTimeout: true })).toMatchObject({ responseMs: 400 });
  });
});

describe('the deprecated max_grpc_timeout', () => {
  const call = (...timeout: string[]): RequestHead =>
    requestHead([['content-type', 'application/grpc'], ...timeout.map((text) => ['grpc-timeout', text] as const)]);

  test.each([
    ['shorter than the maximum', 'max_grpc_timeout: 5s', call('3S'), 3000],
    ['longer than it', 'max_grpc_timeout: 5s', call('1M'), 5000],
    ['none asked for', 'max_grpc_timeout: 5s', call(), 5000],
    ['without end, as asked', 'max_grpc_timeout: 0s', call('1M'), 60_000],
    ['without end', 'max_grpc_timeout: 0s', call(), 0],
    ['less the offset', 'max_grpc_timeout: 5s, grpc_timeout_offset: 1s', call('3S'), 2000],
    ['an offset that leaves nothing', 'max_grpc_timeout: 5s, grpc_timeout_offset: 3s', call('3S'), 3000],
    ['not gRPC', 'max_grpc_timeout: 5s', requestHead([['grpc-timeout', '3S']]), 15_000],
  ])('%s', (_, more, head, expected) => {
    expect(timeouts(more, head).responseMs).toBe(expected);
  });

  test('tells the upstream what is left of the client’s deadline', () => {
    const head = call('1M');
    timeouts('max_grpc_timeout: 5s', head);
    expect(head.headers.get('grpc-timeout')).toBe('5000m');
    const untouched = call('1M');
    timeouts('', untouched);
    expect(untouched.headers.get('grpc-timeout')).toBe('1M');
  });
});
