import { dump } from 'js-yaml';
import { cluster, router, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const type = 'envoy.config.listener.v3.Listener';

/** A chain that answers `body`, or goes to the origin `one` where it is `one`. */
function chain(body: string, match: Yaml | null = null): Yaml {
  const action = body === 'one' ? { route: { cluster: 'one' } } : direct(body);
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'ingress',
    route_config: {
      name: 'local',
      virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, ...action }] }],
    },
    http_filters: [router()],
  };
  return {
    ...(match !== null && { filter_chain_match: match }),
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
  };
}

function direct(body: string): Yaml {
  return { direct_response: { status: 200, body: { inline_string: body } } };
}

function listener(name: string, chains: readonly Yaml[], more: Yaml = {}, port = 'listen'): Yaml {
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: `{{${port}}}` } },
    filter_chains: chains,
    ...more,
  };
}

const config = (statics: readonly Yaml[] = []) =>
  dump(
    {
      node,
      admin: { address: { socket_address: { address: '127.0.0.1', port_value: '{{admin}}' } } },
      dynamic_resources: { lds_config: fromFile('lds.yaml') },
      static_resources: { listeners: statics, clusters: [cluster('one', ['one'])] },
    },
    { lineWidth: -1 },
  ).replaceAll(/'(\{\{\w+\}\})'/g, '$1');

const stats = /^listener_manager\.|^http\.ingress\.downstream_cx_total/;

const updated = (name: string, count: number, file: string, more: Partial<Row> = {}): Row => ({
  name,
  files: { 'lds.yaml': file },
  awaits: { 'listener_manager.lds.update_success': count, 'listener_manager.total_listeners_warming': 0 },
  ignores,
  ...more,
});

const refused = (name: string, count: number, file: string): Row => ({
  name: `refused: ${name}`,
  files: { 'lds.yaml': file },
  awaits: { 'listener_manager.lds.update_rejected': count },
  ignores,
});

const changed: Group = {
  name: 'LDS: listeners come, change and go',
  config: config(),
  files: { 'lds.yaml': response('1', type, listener('a', [chain('first')])) },
  stats,
  rows: [
    { name: 'the first', request: [{ path: '/1' }, { path: '/2' }], ignores },
    updated('another chain', 2, response('2', type, listener('a', [chain('second')]))),
    updated('the same under another version', 3, response('3', type, listener('a', [chain('second')]))),
    updated(
      'more than its chains',
      4,
      response('4', type, listener('a', [chain('third')], { per_connection_buffer_limit_bytes: 4096 })),
    ),
    { name: 'what is dumped', admin: '/config_dump?resource=dynamic_listeners', ignores: dumpIgnores },
    updated(
      'another listener beside it',
      5,
      response(
        '5',
        type,
        listener('a', [chain('third')], { per_connection_buffer_limit_bytes: 4096 }),
        listener('b', [chain('b')], {}, 'listen2'),
      ),
    ),
    { name: '/listeners', admin: '/listeners' },
    refused(
      'an address that is taken',
      1,
      response(
        '6',
        type,
        listener('a', [chain('third')], { per_connection_buffer_limit_bytes: 4096 }),
        listener('c', [chain('c')]),
      ),
    ),
    refused('no filter chains', 2, response('7', type, listener('a', []))),
    refused('a name twice', 3, response('8', type, listener('a', [chain('8')]), listener('a', [chain('9')]))),
    updated('none is left', 6, response('9', type)),
  ],
};

const statics: Group = {
  name: 'LDS: beside a listener of the configuration',
  config: config([listener('static', [chain('static')])]),
  files: { 'lds.yaml': response('1', type, listener('static', [chain('dynamic')], {}, 'listen2')) },
  stats,
  rows: [
    { name: 'its name is not taken', ignores },
    refused('its address is not taken', 1, response('2', type, listener('other', [chain('other')]))),
    { name: 'what is dumped', admin: '/config_dump?resource=dynamic_listeners', ignores: dumpIgnores },
    updated('nothing takes it away', 2, response('3', type)),
  ],
};

export const discoveredListeners: readonly Group[] = [changed, statics];
