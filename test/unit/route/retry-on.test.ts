import { expect, test } from 'vitest';
import { parseRetryOn, RetryOn } from '../../../src/route/retry-on.ts';

test.each([
  ['5xx', RetryOn.FiveXx],
  ['gateway-error, reset ,connect-failure', RetryOn.GatewayError | RetryOn.Reset | RetryOn.ConnectFailure],
  ['cancelled,unavailable,5xx', RetryOn.Cancelled | RetryOn.Unavailable | RetryOn.FiveXx],
  ['no-such-token,retriable-4xx', RetryOn.Retriable4xx],
  ['', 0],
])('%s', (text, bits) => {
  expect(parseRetryOn(text)).toBe(bits);
});

test('of one header, names of the other do not count', () => {
  expect(parseRetryOn('5xx,unavailable', RetryOn.AnyGrpc)).toBe(RetryOn.Unavailable);
  expect(parseRetryOn('5xx,unavailable', RetryOn.AnyHttp)).toBe(RetryOn.FiveXx);
});

test('each condition has a bit of its own', () => {
  const { AnyGrpc, AnyHttp, ...single } = RetryOn;
  expect(new Set(Object.values(single)).size).toBe(Object.keys(single).length);
  expect(parseRetryOn('cancelled,deadline-exceeded,internal,resource-exhausted,unavailable')).toBe(AnyGrpc);
  expect(AnyHttp & AnyGrpc).toBe(0);
});
