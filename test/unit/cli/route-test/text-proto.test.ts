import { expect, test } from 'vitest';
import { readTextProto, TextProtoError } from '../../../../src/cli/route-test/text-proto.ts';

test('messages, lists, wrappers, comments and every kind of value', () => {
  const text = `
    # the first
    tests { test_name: "a" "b" input: < ssl: true random_value: 7; authority: 'x\\'y' >, validate { cluster_name { value: "c" } } }
    tests: { test_name: "\\"q\\"\\n" validate: { path_redirect {} request_header_matches: [{ name: "n" }, { name: "m" }] } } # the last`;
  expect(readTextProto(text)).toEqual({
    tests: [
      { test_name: 'ab', input: { ssl: true, random_value: 7, authority: "x'y" }, validate: { cluster_name: 'c' } },
      {
        test_name: '"q"\n',
        validate: { path_redirect: '', request_header_matches: [{ name: 'n' }, { name: 'm' }] },
      },
    ],
  });
  expect(readTextProto(' # nothing\n')).toEqual({});
});

test.each([
  ['tests {', 6, 'ends in the middle'],
  ['tests { % }', 8, 'no text format'],
  ['tests { a: }', 11, 'no text format'],
  ['tests { a: "b }', 11, 'no text format'],
  ['a: 1 a: 2', 9, 'a is there twice'],
  ['a {'.repeat(200), 300, 'inside each other'],
])('%.20s', (text, offset, words) => {
  let problem: unknown = null;
  try {
    readTextProto(text);
  } catch (error) {
    problem = error;
  }
  expect(problem).toBeInstanceOf(TextProtoError);
  expect((problem as TextProtoError).message).toContain(words);
  expect((problem as TextProtoError).offset).toBe(offset);
});
