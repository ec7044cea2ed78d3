import { expect, it } from 'vitest';
import { re2 } from '../../../src/core/re2.ts';

it('is RE2, and the same one each time', () => {
  expect(re2().RE2JS.compile('(a+)+b').matches('a'.repeat(40))).toBe(false);
  expect(() => re2().RE2JS.compile('(?=a)')).toThrow(re2().RE2JSException);
});
