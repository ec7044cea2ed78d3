import { expect, test } from 'vitest';
import { Alike } from '../../../src/route/alike.ts';

test('what is configured alike is one object', () => {
  const built: object[] = [];
  const alike = new Alike((data: unknown) => {
    const object = { data };
    built.push(object);
    return object;
  });
  const one = alike.of({ range: 1n, names: ['a'] });
  expect(alike.of({ range: 1n, names: ['a'] })).toBe(one);
  expect(alike.of({ range: 2n, names: ['a'] })).not.toBe(one);
  expect(alike.of({ range: '1', names: ['a'] })).not.toBe(one);
  expect(built).toHaveLength(3);
});
