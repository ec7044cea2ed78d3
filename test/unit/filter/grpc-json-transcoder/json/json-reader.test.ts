import { describe, expect, test } from 'vitest';
import { JsonReader } from '../../../../../src/filter/grpc-json-transcoder/json/json-reader.ts';
import { JsonObject, type JsonValue } from '../../../../../src/filter/grpc-json-transcoder/json/json-value.ts';

function read(text: string, isStream = false): { values: unknown[]; error: string } {
  const reader = new JsonReader(isStream);
  reader.push(text);
  reader.finish();
  return { values: reader.values.map(plain), error: reader.error || reader.misfit };
}

/** Objects as lists of pairs, so that order and repeats show. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonObject) return value.names.map((name, i) => [name, plain(value.values[i])]);
  return Array.isArray(value) ? value.map(plain) : value;
}

test('order and repeated names survive', () => {
  expect(read('{"b":1,"a":2,"b":[null,true,{}]}').values).toEqual([
    [
      ['b', 1],
      ['a', 2],
      ['b', [null, true, []]],
    ],
  ]);
});

test.each([
  ["{'a':'b\"'}", [['a', 'b"']]],
  ['{a:1,$b_2:2}', [['a', 1], ['$b_2', 2]]], // prettier-ignore
  ['{"a":[1,],}', [['a', [1]]]], // prettier-ignore
  ['{"\\u00e9\\ud83d\\ude00":"\\q"}', [['é😀', 'q']]],
])('liberties: %s', (text, value) => {
  expect(read(text)).toEqual({ values: [value], error: '' });
});

test.each([
  ['123456789012345', 123456789012345],
  ['9007199254740993', 9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', 18446744073709551616],
  ['-9223372036854775808', -9223372036854775808n],
  ['-0', 0],
  ['-0.0', -0],
  ['01.5', 1.5],
])('numbers are exact as far as 64 bits go: %s', (text, value) => {
  expect(read(`[${text}]`).values).toEqual([[value]]);
});

describe('a stream', () => {
  test('gives its elements one by one', () => {
    const reader = new JsonReader(true);
    reader.push('[{"a":1}, [2');
    expect(reader.values.splice(0).map(plain)).toEqual([[['a', 1]]]);
    reader.push('],3,"x"');
    expect(reader.values.splice(0).map(plain)).toEqual([[2], 3, 'x']);
    reader.push(']');
    reader.finish();
    expect(reader.error).toBe('');
  });

  test.each([
    ['{}', 'Expected an array instead of an object'],
    ['"a"', 'Expected an array instead of a scalar value.'],
    ['{"a"', 'Unexpected end of string. Expected : between key:value pair.\n\n^'],
  ])('is an array: %s', (text, error) => {
    expect(read(text, true).error).toBe(error);
  });
});

test('a long string in many pieces is read once', () => {
  const reader = new JsonReader(false);
  reader.push('"');
  for (let i = 0; i < 50_000; i++) reader.push('ab\\n');
  expect(reader.heldSize).toBe(150_000);
  reader.push('"');
  expect(reader.values).toEqual(['ab\n'.repeat(50_000)]);
});

test.each([
  ['a number', '{"a":', '1', 'Unable to parse number.'],
  ['a name without quotes', '{', 'a', 'Invalid key or variable name.'],
])('%s has a limit', (_what, before, letter, error) => {
  const reader = new JsonReader(false);
  reader.push(before);
  for (let i = 0; i < 5000 && reader.error === ''; i++) reader.push(letter);
  expect(reader.error).toContain(error);
});

test('what begins nothing is refused at once', () => {
  const reader = new JsonReader(false);
  reader.push('{"a":/');
  expect(reader.error).toBe('Expected a value.\n/\n^');
});
