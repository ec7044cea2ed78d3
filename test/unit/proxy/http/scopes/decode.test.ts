import { expect, test } from 'vitest';
import type { Extensions } from '../../../../../src/core/extension.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { ScopedRoutesSchema } from '../../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { ScopedRouteConfigurationSchema } from '../../../../../src/proto/envoy/config/route/v3/scoped_route_pb.js';
import { fromJson } from '../../../../../src/proto/protobuf.js';
import { decodeScopedRoutes } from '../../../../../src/proxy/http/scopes/decode.ts';
import { decodeScope, scopeConflict } from '../../../../../src/proxy/http/scopes/scope-decode.ts';
import { ScopeSources } from '../../../../../src/proxy/http/scopes/scope-sources.ts';

const noExtensions = (scopes: ScopeSources | null): Extensions => ({
  ...(scopes !== null && { scopes }),
  open: () => null,
});

const builder = (extractor: object): object => ({
  scope_key_builder: { fragments: [{ header_value_extractor: { name: 'X-Scope', ...extractor } }] },
});

function decode(json: object, sources: ScopeSources | null = new ScopeSources()) {
  const reasons = new Reasons();
  const message = fromJson(ScopedRoutesSchema, { name: 's', ...json });
  const data = decodeScopedRoutes(message, 'in', reasons, noExtensions(sources));
  return {
    data,
    needed: sources?.take() ?? [],
    reasons: reasons.list.map(({ path, message: said }) => `${path}: ${said}`),
  };
}

const list = (...scopes: object[]): object => ({
  scoped_route_configurations_list: { scoped_route_configurations: scopes },
});
const srds = { scoped_rds: { scoped_rds_config_source: { ads: {} } }, rds_config_source: { ads: {} } };
const scope = (name: string, key: string): object => ({
  name,
  key: { fragments: [{ string_key: key }] },
  route_configuration: { name: `routes-${name}` },
});

test('scopes that are written out, and how keys are made', () => {
  const { data } = decode({
    ...builder({ element_separator: ';', element: { key: 'k', separator: '=' } }),
    ...list(scope('a', '1'), scope('b', '2')),
  });
  expect(data!.fragments).toEqual([
    { header: 'x-scope', separator: ';', index: 0, element: { key: 'k', separator: '=' } },
  ]);
  expect(data!.scopes.map(({ key, routes, rds }) => [key, routes?.name, rds])).toEqual([
    ['1', 'routes-a', ''],
    ['2', 'routes-b', ''],
  ]);
});

test('scopes by SRDS are needed under a key', () => {
  const { data, needed } = decode({ ...builder({ index: 0 }), ...srds });
  expect(data!.discovery).toBe(needed[0].key);
  expect(needed[0]).toMatchObject({ name: 's', statPrefix: 'in' });
});

test.each<[object, string]>([
  [{ ...builder({ index: 1 }), ...srds }, 'Index > 0 for empty string element separator.'],
  [{ ...builder({}), ...srds }, 'HeaderValueExtractor extract_type not set'],
  [
    { ...builder({ index: 0 }), ...list({ name: 'a', route_configuration_name: 'r' }) },
    'Fetching routes via RDS (route_configuration_name) is not supported with inline scoped routes.',
  ],
  [
    { ...builder({ index: 0 }), ...list(scope('a', '1'), scope('b', '1')) },
    "scope key conflict found, first scope is 'a', second scope is 'b'",
  ],
])('%j is refused', (json, said) => {
  const { data, reasons } = decode(json);
  expect(data).toBeNull();
  expect(reasons.join()).toContain(said);
});

test('where nothing may come later SRDS is refused', () => {
  expect(decode({ ...builder({ index: 0 }), ...srds }, null).reasons).toEqual([
    'scoped_rds: scopes by SRDS are not supported by sekisho here',
  ]);
});

test.each<[object, string]>([
  [{}, ': needs route_configuration or route_configuration_name'],
  [
    { route_configuration_name: 'r', route_configuration: { name: 'x' } },
    ': both route_configuration and route_configuration_name are set',
  ],
])('a scope of %j is refused', (json, said) => {
  const reasons = new Reasons();
  const message = fromJson(ScopedRouteConfigurationSchema, { name: 'a', ...json });
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
  decodeScope(message, source, 'in', reasons, noExtensions(null));
  expect(reasons.list.map(({ path, message: what }) => `${path}: ${what}`)).toEqual([said]);
});

test('a name twice', () => {
  const twice = [
    { name: 'a', key: '1' },
    { name: 'a', key: '2' },
  ];
  expect(scopeConflict(twice)).toBe("duplicate scoped route configuration 'a' found");
});

test('a scope may be on demand', () => {
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
  const decoded = [true, false].map((on_demand) => {
    const json = { name: 'a', route_configuration_name: 'r', on_demand };
    const message = fromJson(ScopedRouteConfigurationSchema, json);
    return decodeScope(message, source, 'in', new Reasons(), noExtensions(null));
  });
  expect(decoded.map((one) => one?.isOnDemand)).toEqual([true, false]);
});
