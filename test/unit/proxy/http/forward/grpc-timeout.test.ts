import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../../../../../src/core/head.ts';
import {
  grpcTimeoutMs,
  grpcTimeoutText,
  takeStreamDuration,
} from '../../../../../src/proxy/http/forward/grpc-timeout.ts';
import { anyHost, forwardOf, tableFrom } from '../../../route/fixture.ts';
import { requestHead } from '../hcm-fixture.ts';

function call(timeout: string | null, type = 'application/grpc'): RequestHead {
  const asked: [string, string][] = timeout === null ? [] : [['grpc-timeout', timeout]];
  return requestHead([['content-type', type], ...asked]);
}

// Observed on Envoy 1.39.3.
describe('grpc-timeout', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['0m', 0],
    // Rounded up: less than a millisecond is not nothing.
    ['5u', 1],
    ['1001u', 2],
    ['1n', 1],
    ['99999999H', 359_999_996_400_000],
    ['000000100m', 100],
    ['+100m', 100],
    ['100 m', 100],
  ])('%s is %s ms', (text, expected) => {
    expect(grpcTimeoutMs(call(text))).toBe(expected);
  });

  test.each(['', 'S', '3', '3s', '3h', '-3S', '1.5S', '0x3S', '123456789S', 'soon'])('%j is none', (text) => {
    expect(grpcTimeoutMs(call(text))).toBe(-1);
  });

  test('is none where there is none', () => {
    expect(grpcTimeoutMs(call(null))).toBe(-1);
  });

  test.each([
    [0, '0m'],
    [1500, '1500m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [99_999_999_000, '99999999S'],
    [5_999_999_940_000, '99999999M'],
    [359_999_996_400_000, '99999999H'],
    [1e18, '99999999H'],
  ])('%d ms is written %s', (ms, text) => {
    expect(grpcTimeoutText(ms)).toBe(text);
  });
});

describe('how long a stream may last', () => {
  function take(settings: string, head: RequestHead, managerMs = 0): [number, string | undefined] {
    const route = `{ match: { prefix: / }, route: { cluster: c, max_stream_duration: { ${settings} } } }`;
    const action = forwardOf(tableFrom(anyHost(route)).match(head, { random: 0 }));
    const ms = takeStreamDuration(head, action, managerMs);
    return [ms, head.headers.get('grpc-timeout')];
  }

  // Observed on Envoy 1.39.3.
  test.each<[string, string, string | null, number, string | undefined]>([
    ['asked for', 'grpc_timeout_header_max: 3s', '1S', 1000, '1000m'],
    ['more than allowed', 'grpc_timeout_header_max: 3s', '1H', 3000, '3000m'],
    ['all is allowed', 'grpc_timeout_header_max: 0s', '1H', 3_600_000, '3600000m'],
    ['at once', 'grpc_timeout_header_max: 3s', '0S', 0, '0m'],
    ['a little less', 'grpc_timeout_header_max: 3s, grpc_timeout_header_offset: 0.2s', '1S', 800, '800m'],
    ['less than nothing', 'grpc_timeout_header_max: 3s, grpc_timeout_header_offset: 2s', '1S', 0, '0m'],
    ['not asked for', 'grpc_timeout_header_max: 3s', null, -1, undefined],
    ['not asked for in earnest', 'grpc_timeout_header_max: 3s', 'soon', -1, 'soon'],
    ['the route says', 'max_stream_duration: 2s', null, 2000, '2000m'],
    ['the route says, and does not ask', 'max_stream_duration: 2s', '1S', 2000, '2000m'],
    ['the route says, unless it is asked', 'max_stream_duration: 2s, grpc_timeout_header_max: 0s', '1S', 1000, '1000m'],
    ['the route says: endless', 'max_stream_duration: 0s', '1S', -1, '1S'],
  ])('%s', (_, settings, timeout, ms, told) => {
    expect(take(settings, call(timeout))).toEqual([ms, told]);
  });

  test('of a request that is not gRPC: the same, but nobody is told', () => {
    expect(take('grpc_timeout_header_max: 3s', call('10S', 'text/plain'))).toEqual([3000, '10S']);
    expect(take('max_stream_duration: 2s', call(null, 'text/plain'))).toEqual([2000, undefined]);
  });

  test('the connection manager says, where the route does not', () => {
    expect(take('grpc_timeout_header_max: 3s', call(null), 500)).toEqual([500, '500m']);
    expect(take('max_stream_duration: 0s', call('1S'), 500)).toEqual([-1, undefined]);
  });
});
