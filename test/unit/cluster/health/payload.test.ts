import { expect, it } from 'vitest';
import { holdsAll } from '../../../../src/cluster/health/payload.ts';
import { decodeIsServing, encodeHealthRequest } from '../../../../src/cluster/health/probe/grpc-messages.ts';

it.each([
  ['abc', [], true],
  ['abc', ['b'], true],
  ['abcabc', ['c', 'a'], true],
  ['abc', ['c', 'a'], false],
  ['aab', ['ab'], true],
  ['aa', ['aaa'], false],
  ['', ['a'], false],
])('%j holds %j: %s', (text, expected, holds) => {
  expect(
    holdsAll(
      Buffer.from(text),
      expected.map((segment) => Buffer.from(segment)),
    ),
  ).toBe(holds);
});

it('writes the name of a service', () => {
  expect(encodeHealthRequest('')).toHaveLength(0);
  expect(Buffer.from(encodeHealthRequest('a.b')).toString('hex')).toBe('0a03612e62');
  expect(Buffer.from(encodeHealthRequest('x'.repeat(200)).subarray(0, 3)).toString('hex')).toBe('0ac801');
});

it.each([
  ['', false],
  ['0801', true],
  ['0802', false],
  ['08020801', true],
  ['12036162630801', true],
  ['1901020304050607080801', true],
  ['15010203040801', true],
  ['08', null],
  ['0880', null],
  ['120561', null],
  ['0b', null],
])('reads %s as %s', (hex, isServing) => {
  expect(decodeIsServing(Buffer.from(hex, 'hex'))).toBe(isServing);
});
