import { expect, test } from 'vitest';
import { FieldName, fieldNames, findFieldName, steeringNames } from '../../../../src/codec/h1/field-names.ts';

function find(name: string): number {
  const bytes = Buffer.from(`..${name}..`, 'latin1');
  return findFieldName(bytes, 2, bytes.length - 2);
}

test('every well-known name is found, in any case', () => {
  fieldNames.forEach((name, i) => {
    expect(find(name)).toBe(i);
    expect(find(name.toUpperCase())).toBe(i);
    expect(find(name.replace(/^./, (c) => c.toUpperCase()))).toBe(i);
  });
});

test('names are distinct and in lower case', () => {
  expect(new Set(fieldNames).size).toBe(fieldNames.length);
  for (const name of fieldNames) expect(name).toMatch(/^[a-z0-9-]+$/);
});

test('the steering names are the first', () => {
  expect(Object.values(FieldName).map((i) => fieldNames[i])).toEqual([
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'upgrade',
    'proxy-connection',
  ]);
  expect(steeringNames).toBe(Object.keys(FieldName).length);
});

test('a name that differs in one byte is another', () => {
  for (const name of fieldNames) {
    for (let i = 0; i < name.length; i++) {
      const other = `${name.slice(0, i)}${name[i] === 'x' ? 'y' : 'x'}${name.slice(i + 1)}`;
      const found = find(other);
      expect(found < 0 || fieldNames[found] === other).toBe(true);
    }
  }
  // `_` becomes DEL and `@` a backquote by the bit of lower case: neither may pass for a letter or a hyphen.
  expect(find('content_length')).toBe(-1);
  expect(find('Host@')).toBe(-1);
  expect(find('')).toBe(-1);
  expect(find('x')).toBe(-1);
});
