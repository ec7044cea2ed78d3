import { describe, expect, test } from 'vitest';
import { grpcTimeoutMs } from '../../../../src/proxy/http/grpc-timeout.ts';
import { requestHead } from './hcm-fixture.ts';

describe('grpc-timeout', () => {
  const asked = (timeout: string): number =>
    grpcTimeoutMs(
      requestHead([
        ['content-type', 'application/grpc'],
        ['grpc-timeout', timeout],
      ]),
    );

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
  ])('%s is %s ms', (text, expected) => {
    expect(asked(text)).toBe(expected);
  });

  test.each(['', 'S', '3', '3s', '3h', ' 3S', '3 S', '-3S', '+3S', '1.5S', '0x3S', '123456789S'])(
    '%j is none',
    (text) => {
      expect(asked(text)).toBe(-1);
    },
  );

  test('of a request that is not gRPC is none', () => {
    expect(grpcTimeoutMs(requestHead([['grpc-timeout', '3S']]))).toBe(-1);
  });
});
