import { load } from 'js-yaml';
import { http, tcp, type Yaml } from '../../config.ts';
import type { Group, Request } from '../../row.ts';

/** An ORIGINAL_DST cluster with these settings. */
function originalDst(name: string, asked = '{}', more = '{}'): Yaml {
  return {
    name,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: '5s',
    original_dst_lb_config: load(asked),
    ...(load(more) as Yaml),
  };
}

const membership =
  /membership_(total|healthy)|original_dst_host_invalid|upstream_(rq_(total|completed|[0-9]+)|cx_total|cx_none_healthy)/;

const asks = (path: string, address: string, header = 'x-envoy-original-dst-host'): Request => ({
  path,
  headers: [[header, address]],
});

const metadata = `
- name: state
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config
    on_request_headers:
    - object_key: envoy.network.transport_socket.original_dst_address
      skip_if_empty: true
      format_string: { omit_empty_values: true, text_format_source: { inline_string: '%REQ(x-state)%' } }
- name: metadata
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
    request_rules:
    - { header: x-where, on_header_present: { metadata_namespace: where, key: address } }
    - { header: x-number, on_header_present: { metadata_namespace: where, key: address, type: NUMBER } }`;

const byHeader: Group = {
  name: 'ORIGINAL_DST by what a request says',
  config: http(
    {
      filters: metadata,
      routes: `
- { match: { prefix: /header }, route: { cluster: header } }
- { match: { prefix: /other }, route: { cluster: other } }
- { match: { prefix: /port }, route: { cluster: port } }
- { match: { prefix: /metadata }, route: { cluster: metadata } }
- { match: { prefix: /nothing }, route: { cluster: nothing } }
- { match: { prefix: /state }, route: { cluster: metadata } }
- { match: { prefix: /rewritten }, route: { cluster: header, auto_host_rewrite: true } }
- { match: { prefix: /retried }, route: { cluster: header, retry_policy: { retry_on: 5xx, num_retries: 1 } } }`,
    },
    [
      originalDst('header', '{ use_http_header: true }'),
      originalDst('other', '{ use_http_header: true, http_header_name: X-Where-To }'),
      originalDst('port', "{ use_http_header: true, upstream_port_override: '{{two}}' }"),
      originalDst('metadata', '{ metadata_key: { key: where, path: [{ key: address }] }, use_http_header: true }'),
      originalDst('nothing'),
    ],
  ),
  stats: membership,
  rows: [
    { name: 'an address', request: asks('/header', '127.0.0.1:{{one}}') },
    { name: 'the same once more', request: asks('/header', '127.0.0.1:{{one}}') },
    { name: 'another', request: asks('/header', '127.0.0.1:{{two}}') },
    {
      name: 'two addresses in turn',
      request: [asks('/header', '127.0.0.1:{{one}}'), asks('/header', '127.0.0.1:{{three}}')],
    },
    { name: 'nobody is there', request: asks('/header', '127.0.0.1:{{dead}}') },
    { name: 'no header', request: { path: '/header' } },
    { name: 'a header without a value', request: asks('/header', '') },
    { name: 'a name is no address', request: asks('/header', 'localhost:{{one}}') },
    { name: 'an address without a port', request: asks('/header', '127.0.0.1') },
    { name: 'a port that is none', request: asks('/header', '127.0.0.1:70000') },
    { name: 'an IPv6 address without brackets', request: asks('/header', '::1:80') },
    {
      name: 'the first of two headers',
      request: {
        path: '/header',
        headers: [
          ['x-envoy-original-dst-host', '127.0.0.1:{{two}}'],
          ['x-envoy-original-dst-host', '127.0.0.1:{{one}}'],
        ],
      },
    },
    { name: 'a header of another name', request: asks('/other', '127.0.0.1:{{one}}', 'x-where-to') },
    { name: 'the usual header where another is meant', request: asks('/other', '127.0.0.1:{{one}}') },
    { name: 'another port', request: asks('/port', '127.0.0.1:{{one}}') },
    { name: 'metadata', request: asks('/metadata', '127.0.0.1:{{one}}', 'x-where') },
    {
      name: 'metadata before the header',
      request: {
        path: '/metadata',
        headers: [
          ['x-where', '127.0.0.1:{{one}}'],
          ['x-envoy-original-dst-host', '127.0.0.1:{{two}}'],
        ],
      },
    },
    {
      name: 'metadata that are no address: the header',
      request: {
        path: '/metadata',
        headers: [
          ['x-where', 'somewhere'],
          ['x-envoy-original-dst-host', '127.0.0.1:{{two}}'],
        ],
      },
    },
    { name: 'metadata that are a number', request: asks('/metadata', '7', 'x-number') },
    { name: 'filter state', request: asks('/state', '127.0.0.1:{{three}}', 'x-state') },
    {
      name: 'filter state before metadata and the header',
      request: {
        path: '/state',
        headers: [
          ['x-state', '127.0.0.1:{{three}}'],
          ['x-where', '127.0.0.1:{{one}}'],
          ['x-envoy-original-dst-host', '127.0.0.1:{{two}}'],
        ],
      },
    },
    {
      name: 'filter state that is no address: metadata',
      request: {
        path: '/state',
        headers: [
          ['x-state', 'somewhere'],
          ['x-where', '127.0.0.1:{{one}}'],
        ],
      },
    },
    { name: 'nobody has redirected the connection', request: { path: '/nothing' } },
    { name: 'its host rewritten', request: asks('/rewritten', '127.0.0.1:{{one}}') },
    {
      name: 'a retry goes to the same address',
      request: asks('/retried', '127.0.0.1:{{one}}'),
      upstream: [{ status: 503 }, {}],
    },
  ],
};

const proxied = (address: string): string => `PROXY TCP4 10.1.2.3 ${address}\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n`;

const proxyProtocol = `listener_filters: [{ name: p, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol } }]`;

const restored: Group = {
  name: 'ORIGINAL_DST of a restored address',
  config: http(
    {
      listener: proxyProtocol,
      routes: '[{ match: { prefix: / }, route: { cluster: pass } }]',
    },
    [originalDst('pass', "{ upstream_port_override: '{{one}}' }")],
  ),
  stats: membership,
  rows: [
    { name: 'an address', raw: proxied('127.0.0.1 1000 443') },
    { name: 'an address of loopback', raw: proxied('127.0.0.3 1000 443'), ignores: /upstream/ },
  ],
};

const restoredTcp: Group = {
  name: 'ORIGINAL_DST for tcp_proxy',
  config: tcp('{ cluster: pass }', [originalDst('pass', "{ upstream_port_override: '{{echo}}' }")], {
    listener: proxyProtocol,
  }),
  stats: membership,
  rows: [
    {
      name: 'an address',
      raw: ['PROXY TCP4 10.1.2.3 127.0.0.1 1000 443\r\nhello', 100, 'end'],
      until: 'closed',
      answers: 0,
      logLines: 1,
    },
    {
      name: 'nobody has redirected it',
      raw: ['PROXY UNKNOWN\r\n', 100, 'end'],
      until: 'closed',
      answers: 0,
      logLines: 1,
    },
  ],
};

const typed = (name: string, more: Yaml): Yaml => ({
  name,
  connect_timeout: '5s',
  cluster_type: { name: `envoy.cluster.${name}` },
  ...more,
});
const hosts = (name: string, address: string): Yaml => {
  const socket = { socket_address: { address, port_value: '{{one}}' } };
  return {
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: socket } }] }] },
  };
};
const names = ['static', 'strict_dns', 'logical_dns', 'original_dst'];

const byName: Group = {
  name: 'types of clusters by name',
  config: http(
    {
      routes: names.map((name) => `- { match: { prefix: /${name}/ }, route: { cluster: ${name} } }`).join('\n'),
    },
    [
      typed('static', { ...hosts('static', '127.0.0.1'), track_cluster_stats: { timeout_budgets: true } }),
      typed('strict_dns', { ...hosts('strict_dns', 'localhost'), dns_lookup_family: 'V4_ONLY' }),
      typed('logical_dns', { ...hosts('logical_dns', 'localhost'), dns_lookup_family: 'V4_ONLY' }),
      typed('original_dst', { lb_policy: 'CLUSTER_PROVIDED', original_dst_lb_config: { use_http_header: true } }),
    ],
  ),
  stats: membership,
  rows: names.map((name) => ({ name, request: asks(`/${name}/`, '127.0.0.1:{{two}}') })),
};

export const originalDestinations: readonly Group[] = [byHeader, restored, restoredTcp, byName];
