import { http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const type = 'envoy.config.core.v3.TypedExtensionConfig';
const typeUrl = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;
const rbac = typeUrl('network.rbac.v3.RBAC');
const direct = typeUrl('network.direct_response.v3.Config');
const echo = typeUrl('network.echo.v3.Echo');
const proxyProtocol = typeUrl('listener.proxy_protocol.v3.ProxyProtocol');
const httpInspector = typeUrl('listener.http_inspector.v3.HttpInspector');

const one = (kind: string, config: Yaml = {}, name = 'changing'): Yaml => ({
  name,
  typed_config: { '@type': kind, ...config },
});
const guards = (action: string): Yaml => {
  const policy = { permissions: [{ any: true }], principals: [{ any: true }] };
  return one(rbac, { stat_prefix: 'guard', rules: { action, policies: { all: policy } } });
};
const says = (text: string): Yaml => one(direct, { response: { inline_string: text } });

const discovery = (kinds: readonly string[], more: Yaml = {}): Yaml => ({
  name: 'changing',
  config_discovery: { config_source: fromFile('ecds.yaml'), type_urls: kinds, ...more },
});
const bootstrap = JSON.stringify({ node });

/** In front of a connection manager. */
const inFront = (kinds: readonly string[], more: Yaml = {}): string =>
  http({ bootstrap, chains: (filters) => [{ filters: [discovery(kinds, more), ...filters] }] });
const last = (kinds: readonly string[], more: Yaml = {}): string =>
  http({ bootstrap, chains: () => [{ filters: [discovery(kinds, more)] }] });
const ofListener = (kinds: readonly string[], more: Yaml = {}): string =>
  http({ bootstrap, listener: JSON.stringify({ listener_filters: [discovery(kinds, more)] }) });

const stats =
  /^extension_config_discovery\.|extension_config_missing$|^http\.ingress\.downstream_rq_\dxx|^listener\.[^.]*\.downstream_(?:pre_)?cx_|^guard\.rbac/;

/** How a row learns that the proxy has the file, and what it then sends. */
const rowsOf = (kind: string) => {
  const counts = `extension_config_discovery.${kind}.changing`;
  return {
    updated: (name: string, count: number, file: string, more: Partial<Row> = {}): Row => ({
      name,
      files: { 'ecds.yaml': file },
      awaits: { [`${counts}.update_success`]: count },
      ignores,
      ...more,
    }),
    refused: (name: string, count: number, file: string, more: Partial<Row> = {}): Row => ({
      name: `refused: ${name}`,
      files: { 'ecds.yaml': file },
      awaits: { [`${counts}.update_rejected`]: count },
      ignores,
      ...more,
    }),
  };
};

const network = rowsOf('network_filter');
const listener = rowsOf('tcp_listener_filter');
const dump: Row = { name: 'what is dumped', admin: '/config_dump?resource=ecds_filters', ignores: dumpIgnores };
const closed: Partial<Row> = { raw: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', until: 'closed', logLines: 0 };
const spoken: Partial<Row> = { raw: 'hello', until: 'closed', logLines: 0 };

const swapped: Group = {
  name: 'ECDS: a network filter is swapped',
  config: inFront([rbac, echo]),
  files: { 'ecds.yaml': response('1', type, guards('ALLOW')) },
  stats,
  rows: [
    { name: 'the first', ignores },
    dump,
    network.updated('another', 2, response('2', type, guards('DENY')), closed),
    network.updated('the same under another version', 3, response('3', type, guards('DENY')), closed),
    network.refused('none', 1, response('4', type), closed),
    network.refused('two', 2, response('5', type, guards('ALLOW'), says('b')), closed),
    network.refused('another name', 3, response('6', type, one(rbac, { stat_prefix: 'guard' }, 'other')), closed),
    network.refused('another type', 4, response('7', type, says('no')), closed),
    network.refused('a terminal one in front', 5, response('8', type, one(echo)), closed),
    network.updated('again', 4, response('9', type, guards('ALLOW'))),
  ],
};

const terminal: Group = {
  name: 'ECDS: a terminal network filter is swapped',
  config: last([direct, echo, rbac]),
  files: { 'ecds.yaml': response('1', type, says('first')) },
  stats,
  rows: [
    { name: 'the first', ...spoken, ignores },
    network.updated('another', 2, response('2', type, says('second')), spoken),
    network.refused('one that is not terminal', 1, response('3', type, guards('ALLOW')), spoken),
    network.updated('of another type', 3, response('4', type, one(echo)), {
      raw: ['hello', 50, 'end'],
      until: 'closed',
      logLines: 0,
    }),
  ],
};

const manager = (status: number): Yaml =>
  one(typeUrl('network.http_connection_manager.v3.HttpConnectionManager'), {
    stat_prefix: 'ingress',
    route_config: {
      name: 'local',
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status } }] },
      ],
    },
    http_filters: [
      {
        name: 'fault',
        typed_config: {
          '@type': typeUrl('http.fault.v3.HTTPFault'),
          abort: { header_abort: {}, percentage: { numerator: 100 } },
          max_active_faults: 1,
        },
      },
      { name: 'router', typed_config: { '@type': typeUrl('http.router.v3.Router') } },
    ],
  });

const managers: Group = {
  name: 'ECDS: a connection manager',
  config: last([typeUrl('network.http_connection_manager.v3.HttpConnectionManager')]),
  files: { 'ecds.yaml': response('1', type, manager(201)) },
  stats,
  rows: [
    { name: 'the first', logLines: 0, ignores },
    network.updated('another', 2, response('2', type, manager(202)), { logLines: 0 }),
    {
      name: 'its filters',
      request: { headers: [['x-envoy-fault-abort-request', '418']] },
      logLines: 0,
      ignores,
    },
  ],
};

const missing: Group = {
  name: 'ECDS: no network filter comes',
  config: inFront([rbac]),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'every connection is closed', ...closed, ignores },
    network.updated('until it comes', 1, response('2', type, guards('ALLOW'))),
  ],
};

const byDefault: Group = {
  name: 'ECDS: a default network filter until one comes',
  config: last([direct], {
    default_config: { '@type': direct, response: { inline_string: 'default' } },
    apply_default_config_without_warming: true,
  }),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'the default', ...spoken, ignores },
    network.updated('then what came', 1, response('2', type, says('came')), spoken),
  ],
};

const known = 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n';

const listening: Group = {
  name: 'ECDS: a listener filter is swapped',
  config: ofListener([proxyProtocol, httpInspector]),
  files: { 'ecds.yaml': response('1', type, one(proxyProtocol)) },
  stats,
  rows: [
    { name: 'the first', raw: known, ignores },
    { name: 'what it does not know', ...closed, ignores },
    dump,
    listener.updated('another', 2, response('2', type, one(httpInspector))),
    listener.refused('none', 1, response('3', type)),
    listener.refused('another type', 2, response('4', type, one(typeUrl('listener.original_dst.v3.OriginalDst')))),
    listener.updated('again', 3, response('5', type, one(proxyProtocol)), { raw: known }),
  ],
};

const noneListens: Group = {
  name: 'ECDS: no listener filter comes',
  config: ofListener([httpInspector]),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'every connection is closed', ...closed, ignores },
    listener.updated('until it comes', 1, response('2', type, one(httpInspector))),
  ],
};

const defaultListens: Group = {
  name: 'ECDS: a default listener filter until one comes',
  config: ofListener([proxyProtocol, httpInspector], {
    default_config: { '@type': httpInspector },
    apply_default_config_without_warming: true,
  }),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'the default', ignores },
    listener.updated('then what came', 1, response('2', type, one(proxyProtocol)), { raw: known }),
  ],
};

export const discoveredConnectionFilters: readonly Group[] = [
  swapped,
  terminal,
  managers,
  missing,
  byDefault,
  listening,
  noneListens,
  defaultListens,
];
