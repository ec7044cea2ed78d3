import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const type = 'envoy.config.route.v3.ScopedRouteConfiguration';
const routeType = 'envoy.config.route.v3.RouteConfiguration';

const answers = (body: string, name = body) => ({
  name,
  virtual_hosts: [
    {
      name: 'v',
      domains: ['*'],
      routes: [{ name: body, match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: body } } }],
    },
  ],
});

const scope = (name: string, key: string, routes = 'one') => ({
  name,
  route_configuration_name: routes,
  key: { fragments: [{ string_key: key }] },
});

const extractor = (more: object) => ({ header_value_extractor: { name: 'X-Scope', ...more } });

const asks = (name: string, value: string | null): Row => ({
  name,
  request: { headers: value === null ? [] : [['x-scope', value]] },
  ignores,
});

const stats = /^http\.ingress\.(scoped_rds|rds)\.|^http\.ingress\.downstream_rq_\dxx/;

const element = extractor({ element_separator: ';', element: { key: 'k', separator: '=' } });

const inline: Group = {
  name: 'scoped routes: of the configuration itself',
  config: http({
    scoped: JSON.stringify({
      name: 'scopes',
      scope_key_builder: { fragments: [element, extractor({ element_separator: ';', index: 1 })] },
      scoped_route_configurations_list: {
        scoped_route_configurations: [
          {
            name: 'a',
            key: { fragments: [{ string_key: 'a' }, { string_key: 'x' }] },
            route_configuration: answers('one'),
          },
          {
            name: 'b',
            key: { fragments: [{ string_key: '' }, { string_key: 'k' }] },
            route_configuration: answers('two'),
          },
        ],
      },
    }),
    bootstrap: JSON.stringify({ node }),
  }),
  stats,
  rows: [
    asks('the key of a scope', 'k=a;x'),
    asks('an element without a value', 'z;k'),
    asks('another key', 'k=b;x'),
    asks('too few elements', 'k=a'),
    asks('none of that name', 'z=a;x'),
    asks('no header', null),
    { name: 'what is dumped', admin: '/config_dump?resource=inline_scoped_route_configs', ignores: dumpIgnores },
  ],
};

const updated = (name: string, count: number, file: string, value: string): Row => ({
  ...asks(name, value),
  files: { 'srds.yaml': file },
  awaits: { 'http.ingress.scoped_rds.scopes.update_success': count },
});

const refused = (name: string, count: number, file: string, value: string): Row => ({
  ...asks(`refused: ${name}`, value),
  files: { 'srds.yaml': file },
  awaits: { 'http.ingress.scoped_rds.scopes.update_rejected': count },
});

const discovered: Group = {
  name: 'SRDS: scopes come and go',
  config: http({
    scoped: JSON.stringify({
      name: 'scopes',
      scope_key_builder: { fragments: [extractor({ index: 0 })] },
      rds_config_source: fromFile('rds.yaml'),
      scoped_rds: { scoped_rds_config_source: fromFile('srds.yaml') },
    }),
    bootstrap: JSON.stringify({ node }),
  }),
  files: {
    'rds.yaml': response('1', routeType, answers('one')),
    'srds.yaml': response('1', type, scope('first', 'a')),
  },
  stats,
  rows: [
    asks('the first', 'a'),
    asks('another key', 'b'),
    updated('a second', 2, response('2', type, scope('first', 'a'), scope('second', 'b')), 'b'),
    { name: 'what is dumped', admin: '/config_dump?resource=dynamic_scoped_route_configs', ignores: dumpIgnores },
    refused('a key twice', 1, response('3', type, scope('first', 'a'), scope('third', 'a')), 'a'),
    updated('the first is gone', 3, response('4', type, scope('second', 'b')), 'a'),
    asks('and the second is there', 'b'),
    {
      ...asks('its routes are swapped', 'b'),
      files: { 'rds.yaml': response('2', routeType, answers('two', 'one')) },
      awaits: { 'http.ingress.rds.one.update_success': 2 },
    },
  ],
};

export const scopedRoutes: readonly Group[] = [inline, discovered];
