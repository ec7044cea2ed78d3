// Clusters on demand are not here: of a file Envoy 1.39.3 does not survive them.
import { http, type Yaml } from '../../config.ts';
import type { Group, Request } from '../../row.ts';
import { fromFile, ignoredStats as ignores, node, response } from './files.ts';

const bootstrap = JSON.stringify({ node });
const scopeType = 'envoy.config.route.v3.ScopedRouteConfiguration';
const routeType = 'envoy.config.route.v3.RouteConfiguration';

const filter: Yaml = {
  name: 'envoy.filters.http.on_demand',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.OnDemand' },
};
const tells = "[{ header: { key: passed, value: '%REQ(passed)%' } }]";
const scope = (name: string, key: string, isOnDemand: boolean): string =>
  `{ name: ${name}, on_demand: ${isOnDemand}, route_configuration_name: lazy, key: { fragments: [{ string_key: ${key} }] } }`;
const routes = (status: number): string =>
  `{ name: lazy, response_headers_to_add: ${tells}, virtual_hosts: [{ name: all, domains: ['a.test'], routes: [{ match: { prefix: / }, direct_response: { status: ${status} } }] }] }`;
const marks: Yaml = {
  name: 'marks',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
    mutations: {
      request_mutations: [
        {
          append: {
            header: { key: 'passed', value: '%REQ(passed)%x' },
            append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
          },
        },
      ],
    },
  },
};
const of = (key: string, more: Partial<Request> = {}): Request => ({
  host: 'a.test',
  headers: [['scope', key]],
  ...more,
});
const counted = 'http.ingress.scoped_rds.scopes';

const scopes: Group = {
  name: 'scopes on demand from a file',
  config: http({
    bootstrap,
    filters: JSON.stringify([marks, filter]),
    scoped: JSON.stringify({
      name: 'scopes',
      scope_key_builder: {
        fragments: [{ header_value_extractor: { name: 'scope', index: 0, element_separator: '' } }],
      },
      rds_config_source: fromFile('rds.yaml'),
      scoped_rds: { scoped_rds_config_source: fromFile('srds.yaml') },
    }),
  }),
  files: {
    'srds.yaml': response('1', scopeType, scope('one', 'a', true)),
    'rds.yaml': response('1', routeType, routes(201)),
  },
  stats:
    /^http\.ingress\.(?:downstream_rq_(?:\dxx|total)|no_route|scoped_rds\.scopes\.(?:all|active|on_demand)_scopes)/,
  rows: [
    { name: 'of no scope', ignores },
    { name: 'of a scope that there is none of', request: of('none'), ignores },
    { name: 'the first of its scope', request: of('a'), logLines: 2, ignores },
    { name: 'the next', request: of('a'), ignores },
    { name: 'of a host that it has none of', request: of('a', { host: 'b.test' }), ignores },
    {
      name: 'a scope that has become another',
      files: { 'srds.yaml': response('2', scopeType, scope('one', 'b', true)) },
      awaits: { [`${counted}.active_scopes`]: 0 },
      request: of('b', { body: 'with a body' }),
      logLines: 2,
      ignores,
    },
    { name: 'the key that it had', request: of('a'), ignores },
    {
      name: 'a scope that is not on demand any more',
      files: { 'srds.yaml': response('3', scopeType, scope('one', 'c', false)) },
      awaits: { [`${counted}.on_demand_scopes`]: 0 },
      request: of('c'),
      ignores,
    },
  ],
};

export const onDemand: readonly Group[] = [scopes];
