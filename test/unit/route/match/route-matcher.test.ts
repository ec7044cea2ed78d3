import { createRegistry, fromJson } from '@bufbuild/protobuf';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { Reasons, type Reason } from '../../../../src/core/rejection.ts';
import { RouteListSchema, RouteSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../../../src/proto/envoy/config/route/v3/route_pb.js';
import {
  FilterStateInputSchema,
  SourceIPInputSchema,
} from '../../../../src/proto/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../../../../src/proto/envoy/type/matcher/v3/http_inputs_pb.js';
import { buildRouteTable } from '../../../../src/route/build.ts';
import { decodeRouteConfiguration } from '../../../../src/route/decode.ts';
import type { RouteConfigurationData } from '../../../../src/route/route-data.ts';
import { buildContext, extensions, outcomeOf, request } from '../fixture.ts';

const registry = createRegistry(
  RouteSchema,
  RouteListSchema,
  HttpRequestHeaderMatchInputSchema,
  FilterStateInputSchema,
  SourceIPInputSchema,
);

const packed = (type: string, fields: string): string => `{ '@type': type.googleapis.com/${type}, ${fields} }`;
const header = (name: string): string =>
  `{ name: i, typed_config: ${packed('envoy.type.matcher.v3.HttpRequestHeaderMatchInput', `header_name: '${name}'`)} }`;
const action = (fields: string, type = 'envoy.config.route.v3.Route'): string =>
  `{ action: { name: route, typed_config: ${packed(type, fields)} } }`;
const to = (name: string, path = 'prefix: /'): string =>
  action(`name: ${name}, match: { ${path} }, direct_response: { status: 200 }`);

function decode(matcher: string, host = ''): { data: RouteConfigurationData | null; reasons: readonly Reason[] } {
  const yaml = `{ name: r, virtual_hosts: [{ name: v, domains: ['*'], matcher: { ${matcher} }, ${host} }] }`;
  const reasons = new Reasons();
  const message = fromJson(RouteConfigurationSchema, load(yaml) as object as never, { registry });
  return { data: decodeRouteConfiguration(message, reasons, extensions), reasons: reasons.list };
}

/** Name of the route that is found; `-`: none is. */
function found(matcher: string, path: string, ...fields: readonly string[]): string {
  const { data, reasons } = decode(matcher);
  if (data === null) throw new Error(JSON.stringify(reasons));
  const head = request(path, ...fields);
  const outcome = outcomeOf(head);
  outcome.filterState = new Map([['key', 'kept']]);
  return buildRouteTable(structuredClone(data), buildContext()).match(head, { random: 0, outcome })?.name ?? '-';
}

describe('a tree of routes', () => {
  const map = `matcher_tree: { input: ${header('X-Way')}, exact_match_map: { map: { a: ${to('a')}, 'a,b': ${to('both')}, narrow: ${to('n', 'path: /n')} } } }, on_no_match: ${to('other')}`;

  test.each([
    ['by a header', '/', ['x-way: a'], 'a'],
    ['of several fields', '/', ['x-way: a', 'x-way: b'], 'both'],
    ['which is missing', '/', [], 'other'],
    ['whose route matches', '/n', ['x-way: narrow'], 'n'],
    ['whose route does not match: no other is asked', '/m', ['x-way: narrow'], '-'],
  ])('%s', (_, path, fields, name) => {
    expect(found(map, path, ...fields)).toBe(name);
  });

  test('by what a filter has noted', () => {
    const input = `{ name: s, typed_config: ${packed('envoy.extensions.matching.common_inputs.network.v3.FilterStateInput', 'key: key')} }`;
    expect(found(`matcher_tree: { input: ${input}, exact_match_map: { map: { kept: ${to('a')} } } }`, '/')).toBe('a');
    expect(
      found(
        `matcher_tree: { input: ${input.replace('key: key', 'key: k')}, exact_match_map: { map: { kept: ${to('a')} } } }`,
        '/',
      ),
    ).toBe('-');
  });

  test('ends in a list, whose first match counts', () => {
    const one = (name: string, prefix: string): string =>
      `{ name: ${name}, match: { prefix: ${prefix} }, direct_response: { status: 200 } }`;
    const list = action(
      `routes: [${one('a', '/a')}, ${one('ab', '/ab')}, ${one('b', '/b')}]`,
      'envoy.config.route.v3.RouteList',
    );
    const matcher = `matcher_tree: { input: ${header(':path')}, prefix_match_map: { map: { /: ${list} } } }`;
    expect(['/abc', '/b', '/c'].map((path) => found(matcher, path))).toEqual(['a', 'b', '-']);
  });
});

test('whoever goes through the routes of a virtual host finds those of its matcher', () => {
  const { data } = decode(
    `matcher_tree: { input: ${header('a')}, exact_match_map: { map: { x: ${to('one')}, y: ${to('two')} } } }`,
  );
  expect(data!.virtualHosts[0].routes.map(({ name }) => name)).toEqual(['one', 'two']);
});

describe('is refused', () => {
  const ending = (on: string): string =>
    `matcher_tree: { input: ${header('a')}, exact_match_map: { map: { x: ${on} } } }`;
  const sourceIp = packed('envoy.extensions.matching.common_inputs.network.v3.SourceIPInput', '');

  test.each([
    [
      'beside routes',
      ending(to('a')),
      'routes: [{ match: { prefix: / }, direct_response: { status: 200 } }]',
      'cannot set both matcher and routes',
    ],
    [
      'with another input',
      ending(to('a')).replace(/typed_config: \{[^}]*HttpRequestHeader[^}]*\}/, `typed_config: ${sourceIp}`),
      '',
      'Route table can only match on request headers',
    ],
    [
      'with another action',
      ending(`{ action: { name: x, typed_config: ${sourceIp} } }`),
      '',
      "Didn't find a registered implementation for 'x'",
    ],
    ['with a route without match', ending(action('direct_response: { status: 200 }')), '', 'a route needs a match'],
  ])('%s', (_, matcher, host, reason) => {
    const { data, reasons } = decode(matcher, host);
    expect(data).toBeNull();
    expect(reasons.map(({ message }) => message).join('\n')).toContain(reason);
  });
});
