import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { HeaderMatcherSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatcher } from '../../../../src/route/match/decode.ts';
import { allMatch, anyMatches, HeaderMatcher } from '../../../../src/route/match/header-matcher.ts';
import { request } from '../fixture.ts';

function matcher(yaml: string): HeaderMatcher {
  return new HeaderMatcher(decodeHeaderMatcher(fromJson(HeaderMatcherSchema, load(yaml) as JsonValue), new Reasons()));
}

// Every verdict is that of Envoy 1.39.3. Fields of a request | verdict.
const table: Record<string, [string[], boolean][]> = {
  '{name: x, string_match: {exact: a}}': [
    [['x: a', 'x: b'], true],
    [['x: b', 'x: a'], true],
    [['x: a,b'], false],
    [['x: A'], false],
    [[], false],
  ],
  '{name: x, string_match: {exact: a}, invert_match: true}': [
    [['x: a', 'x: b'], false],
    [['x: b', 'x: a'], false],
    [['x: b', 'x: c'], true],
    [['x: a,b'], true],
    [[], false],
  ],
  "{name: x, string_match: {exact: 'a,b'}}": [
    [['x: a', 'x: b'], false],
    [['x: a,b'], true],
  ],
  "{name: x, string_match: {safe_regex: {regex: 'a|b'}}}": [
    [['x: a', 'x: c'], true],
    [['x: ab'], false],
  ],
  "{name: x, string_match: {exact: ''}}": [
    [['x: '], true],
    [['x: a'], false],
    [[], false],
  ],
  "{name: x, exact_match: ''}": [
    [['x: a'], true],
    [[], false],
  ],
  '{name: x, exact_match: a}': [
    [['x: b', 'x: a'], true],
    [['x: A'], false],
  ],
  '{name: x, prefix_match: ab}': [[['x: abc'], true]],
  '{name: x, suffix_match: bc}': [[['x: abc'], true]],
  '{name: x, contains_match: b}': [[['x: abc'], true]],
  '{name: x, safe_regex_match: {regex: a+}}': [[['x: aa'], true]],
  "{name: x, string_match: {exact: ''}, treat_missing_header_as_empty: true}": [
    [['x: a'], false],
    [[], true],
  ],
  '{name: x, string_match: {exact: a}, treat_missing_header_as_empty: true, invert_match: true}': [
    [['x: a'], false],
    [[], true],
  ],
  '{name: x}': [
    [['x: '], true],
    [[], false],
  ],
  '{name: x, present_match: true, invert_match: true}': [
    [['x: a'], false],
    [[], true],
  ],
  '{name: x, present_match: false}': [
    [['x: a'], false],
    [[], true],
  ],
  '{name: x, present_match: false, invert_match: true}': [
    [['x: a'], true],
    [[], false],
  ],
  '{name: x, present_match: true, treat_missing_header_as_empty: true}': [[[], true]],
  '{name: x, range_match: {start: -5, end: 10}}': [
    [['x: -5'], true],
    [['x: 10'], false],
    [['x: +9'], true],
    [['x: 9.0'], false],
    [['x: 99', 'x: 9'], true],
    [['x: 99999999999999999999'], false],
    [['x: 0x1'], false],
    [['x: '], false],
    [['x: - 1'], false],
  ],
  '{name: x, range_match: {start: -5, end: 10}, invert_match: true}': [
    [['x: 3'], false],
    [['x: a'], true],
    [[], false],
  ],
  "{name: x, range_match: {start: '9007199254740993', end: '9007199254740995'}}": [
    [['x: 9007199254740992'], false],
    [['x: 9007199254740993'], true],
    [['x: 9007199254740995'], false],
  ],
  '{name: x, string_match: {contains: aB, ignore_case: true}}': [
    [['x: xAbx'], true],
    [['x: a'], false],
  ],
  '{name: x, string_match: {suffix: aB, ignore_case: true}}': [[['x: xAb'], true]],
  '{name: x, string_match: {prefix: é, ignore_case: true}}': [
    [['x: \xc3\xa9x'], true],
    [['x: \xe3\xa9'], false],
  ],
  '{name: Host, string_match: {exact: h.test}}': [[[], true]],
  "{name: ':authority', string_match: {exact: h.test}}": [[[], true]],
  "{name: ':method', string_match: {exact: GET}}": [[[], true]],
  "{name: ':scheme', string_match: {exact: http}}": [[[], true]],
  "{name: ':path', string_match: {exact: '/?q'}}": [[[], true]],
  "{name: ':protocol', present_match: true, invert_match: true}": [[[], true]],
};

describe.each(Object.entries(table))('%s', (yaml, rows) => {
  test.each(rows)('%j: %s', (fields, expected) => {
    expect(matcher(yaml).matches(request('/?q', ...fields))).toBe(expected);
  });
});

test('a response is matched by its status and fields', () => {
  const head = new ResponseHead(503, Headers.of(['x', 'a']));
  expect(matcher("{name: ':status', string_match: {prefix: '5'}}").matches(head)).toBe(true);
  expect(matcher('{name: x, string_match: {exact: a}}').matches(head)).toBe(true);
});

test('of several, all or any are asked', () => {
  const head = request('/', 'x: 1');
  const matchers = [matcher('{name: x}'), matcher('{name: y}')];
  expect(allMatch(matchers, head)).toBe(false);
  expect(anyMatches(matchers, head)).toBe(true);
  expect(allMatch([], head)).toBe(true);
  expect(anyMatches([], head)).toBe(false);
});
