import { expect, test } from 'vitest';
import { Headers } from '../../../src/core/headers.ts';

test('a field is found whatever came and went before it', () => {
  const headers = new Headers();
  expect(headers.has('accept')).toBe(false);
  headers.add('cookie', '1');
  expect(headers.has('accept')).toBe(false);
  headers.add('accept', '2');
  expect(headers.get('accept')).toBe('2');
  headers.removeAt(1);
  expect(headers.has('accept')).toBe(false);
  headers.set('accept', '3');
  expect(headers.get('accept')).toBe('3');
  expect(headers.remove('cookie')).toBe(true);
  headers.names.length = 0;
  headers.values.length = 0;
  headers.add('x'.repeat(38), '4');
  expect(headers.get('x'.repeat(38))).toBe('4');
  expect(headers.has('accept')).toBe(false);
});

test('a copy finds what the original finds', () => {
  const copy = Headers.of(['a', '1'], ['bc', '2'], ['a', '3']).clone();
  expect(copy.getAll('a')).toEqual(['1', '3']);
  expect(copy.get('bc')).toBe('2');
  copy.set('a', '4');
  expect(copy.names).toEqual(['a', 'bc']);
});
