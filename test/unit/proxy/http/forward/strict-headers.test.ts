import { describe, expect, test } from 'vitest';
import { checkStrictly } from '../../../../../src/proxy/http/forward/strict-headers.ts';
import { requestHead } from '../hcm-fixture.ts';
import { bodyOf, HttpWorld, request, statusOf, trusted } from '../world.ts';

describe('strict_check_headers', () => {
  const isGood = (name: string, value: string): boolean => checkStrictly(requestHead([[name, value]]), [name]) === null;

  test.each([
    ['x-envoy-upstream-rq-timeout-ms', '100', true],
    ['x-envoy-upstream-rq-timeout-ms', '0', true],
    ['x-envoy-upstream-rq-timeout-ms', 'soon', false],
    ['x-envoy-upstream-rq-timeout-ms', '-1', false],
    ['x-envoy-upstream-rq-timeout-ms', '1.5', false],
    ['x-envoy-upstream-rq-per-try-timeout-ms', '10', true],
    ['x-envoy-upstream-rq-per-try-timeout-ms', '10ms', false],
    ['x-envoy-max-retries', '3', true],
    ['x-envoy-max-retries', 'many', false],
    ['x-envoy-retry-on', '5xx,reset', true],
    ['x-envoy-retry-on', '5xx, reset', true],
    ['x-envoy-retry-on', '5xx,whenever', false],
    ['x-envoy-retry-grpc-on', 'unavailable', true],
    ['x-envoy-retry-grpc-on', '14', false],
  ])('%s: %s', (name, value, expected) => {
    expect(isGood(name, value)).toBe(expected);
  });

  test('an absent header is good, and one that is not asked about, too', () => {
    expect(checkStrictly(requestHead(), ['x-envoy-max-retries'])).toBeNull();
    expect(checkStrictly(requestHead([['x-envoy-max-retries', 'many']]), ['x-envoy-retry-on'])).toBeNull();
  });

  test('the first bad one is answered', () => {
    const world = new HttpWorld({
      hcm: trusted,
      router: { strictCheckHeaders: ['x-envoy-retry-on', 'x-envoy-max-retries'] },
      log: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%',
    });
    const client = world.send(request('GET /', ['x-envoy-max-retries: many', 'x-envoy-retry-on: 5xx']));
    expect(statusOf(client.written)).toBe(400);
    expect(bodyOf(client.take())).toBe("invalid header 'x-envoy-max-retries' with value 'many'");
    expect(world.logged).toEqual(['400 IH request_headers_failed_strict_check']);
    expect(world.dials).toBe(0);
  });
});
