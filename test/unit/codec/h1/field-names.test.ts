import { expect, test } from 'vitest';
import { FieldName, fieldNames, findFieldName, isNameAt, steeringNames } from '../../../../src/codec/h1/field-names.ts';

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

function isAt(name: number, text: string): boolean {
  const bytes = Uint8Array.from(`..${text}..`, (c) => c.charCodeAt(0));
  return isNameAt(name, new DataView(bytes.buffer), 2);
}

test('a name that is expected is recognised in any case', () => {
  fieldNames.forEach((name, i) => {
    expect(isAt(i, name)).toBe(name.length >= 4);
    expect(isAt(i, name.toUpperCase())).toBe(name.length >= 4);
  });
});

test.each(fieldNames.filter((name) => name.length >= 4))('nothing is taken for %s', (name) => {
  const found: string[] = [];
  for (let i = 0; i < name.length * 256; i++) {
    const at = i >> 8;
    const text = name.slice(0, at) + String.fromCharCode(i & 255) + name.slice(at + 1);
    if (text.toLowerCase() !== name && isAt(fieldNames.indexOf(name), text)) found.push(text);
  }
  expect(found).toEqual([]);
});
