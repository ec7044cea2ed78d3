import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const inputs = 'type.googleapis.com/envoy.type.matcher.v3';
const filters = 'type.googleapis.com/envoy.extensions.filters.http';
const skip = `{ action: { name: skip, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter } } }`;
const input = (of: string, name: string): string =>
  `{ name: h, typed_config: { '@type': ${inputs}.Http${of}HeaderMatchInput, header_name: '${name}' } }`;
const test = (of: string, name: string, value = 'on'): string =>
  `{ single_predicate: { input: ${input(of, name)}, value_match: { exact: '${value}' } } }`;
const list = (predicate: string): string =>
  `{ matcher_list: { matchers: [{ predicate: ${predicate}, on_match: ${skip} }] } }`;

/** A filter of its own name, behind a matcher. */
const behind = (name: string, matcher: string, config: string): string => `
- name: ${name}
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher
    extension_config: { name: inner, typed_config: ${config} }
    ${matcher === '' ? '' : `xds_matcher: ${matcher}`}`;

const fault = `{ '@type': ${filters}.fault.v3.HTTPFault, delay: { fixed_delay: 0.01s, percentage: { numerator: 100 } }, abort: { http_status: 418, percentage: { numerator: 100 } } }`;
const mutation = `{ '@type': ${filters}.header_mutation.v3.HeaderMutation, mutations: { request_mutations: [{ append: { header: { key: x-in, value: seen } } }], response_mutations: [{ append: { header: { key: x-out, value: seen } } }] } }`;
const buffer = `{ '@type': ${filters}.buffer.v3.Buffer, max_request_bytes: 4 }`;

const get = (...headers: [string, string][]) => ({ path: '/', headers });
const on: [string, string] = ['x-skip', 'on'];

function group(name: string, chain: string, rows: readonly Row[], routes?: string): Group {
  return {
    name: `match delegate: ${name}`,
    config: http({ filters: chain, ...(routes !== undefined && { routes }) }),
    stats: /fault|buffer|downstream_rq_[1-5]xx/,
    rows,
  };
}

const either = `{ or_matcher: { predicate: [${test('Request', 'x-skip')}, ${test('Response', 'x-skip')}] } }`;
const both = `{ and_matcher: { predicate: [${test('Request', 'x-skip')}, ${test('Response', 'x-skip')}] } }`;

export const matchDelegates: readonly Group[] = [
  group('a fault', behind('faulty', list(test('Request', 'x-skip')), fault), [
    { name: 'is made', request: get() },
    { name: 'is skipped', request: get(on) },
    { name: 'of another value', request: get(['x-skip', 'off']) },
    { name: 'of several values', request: get(on, on) },
    { name: 'by a pseudo header', request: { path: '/on', method: 'POST', body: 'x' } },
  ]),
  group('without a matcher', behind('faulty', '', fault), [{ name: 'is skipped', request: get() }]),
  group('otherwise', behind('faulty', `{ on_no_match: ${skip} }`, fault), [{ name: 'is skipped', request: get() }]),
  group(
    'a map',
    behind(
      'faulty',
      `{ matcher_tree: { input: ${input('Request', ':path')}, prefix_match_map: { map: { /skip: ${skip} } } } }`,
      fault,
    ),
    [
      { name: 'is made', request: get() },
      { name: 'is skipped', request: { path: '/skip/x' } },
    ],
  ),
  ...(
    [
      ['of the response', test('Response', 'x-skip')],
      ['of either', either],
      ['of both', both],
    ] as const
  ).map(([name, predicate]) =>
    group(name, behind('changing', list(predicate), mutation), [
      { name: 'neither', request: get() },
      { name: 'the request', request: get(on) },
      { name: 'the response', request: get(), upstream: [{ headers: [['x-skip', 'on']] }] },
      { name: 'both', request: get(on), upstream: [{ headers: [['x-skip', 'on']] }] },
    ]),
  ),
  group('a body', behind('limited', list(test('Request', 'x-skip')), buffer), [
    { name: 'is not looked at', request: { path: '/', method: 'POST', body: 'hello', headers: [on] } },
    { name: 'is small', request: { path: '/', method: 'POST', body: 'hell' } },
  ]),
];
