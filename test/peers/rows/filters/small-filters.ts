import { http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const kinds = 'type.googleapis.com/envoy.extensions.filters.http';
const always = '{ default_value: { numerator: 100 } }';

function filtered(filter: string, settings: string, rows: readonly Row[], parts: HttpParts = {}, name = filter): Group {
  return {
    name: `filter: ${name}`,
    config: http({ filters: `[{ name: own, typed_config: { '@type': ${kinds}.${settings} } }]`, ...parts }),
    rows,
  };
}

/** Routes of which `/route` has its own configuration. */
const routes = (settings: string): string => `
- { match: { prefix: /route }, route: { cluster: one }, typed_per_filter_config: { own: { '@type': ${kinds}.${settings} } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const allRead = 'all of the request has been read when it is refused, so its connection is in step and stays open';

const post = (path: string, ...headers: [string, string][]) => ({ path, method: 'POST', host: 'a.test:8080', headers });

export const smallFilters: readonly Group[] = [
  filtered(
    'csrf',
    `csrf.v3.CsrfPolicy, filter_enabled: ${always}, additional_origins: [{ suffix: .friend.test }]`,
    [
      { name: 'reading needs no origin', request: { path: '/' } },
      { name: 'no origin', request: post('/') },
      { name: 'the same origin', request: post('/', ['origin', 'http://a.test:8080']) },
      { name: 'another scheme is the same', request: post('/', ['origin', 'https://a.test:8080']) },
      { name: 'another port', request: post('/', ['origin', 'http://a.test']) },
      { name: 'another host', request: post('/', ['origin', 'http://evil.test']) },
      { name: 'a friend', request: post('/', ['origin', 'http://b.friend.test']) },
      { name: 'a referer', request: post('/', ['referer', 'http://a.test:8080/x/y?z#w']) },
      {
        name: 'the origin counts before the referer',
        request: post('/', ['origin', 'null'], ['referer', 'http://a.test:8080/']),
      },
      { name: 'a bare host', request: post('/', ['origin', 'a.test:8080']) },
      { name: 'DELETE', request: { ...post('/'), method: 'DELETE' } },
      { name: 'OPTIONS', request: { ...post('/'), method: 'OPTIONS' } },
      { name: 'only watched on this route', request: post('/route', ['origin', 'http://evil.test']) },
    ],
    { routes: routes(`csrf.v3.CsrfPolicy, filter_enabled: { default_value: {} }, shadow_enabled: ${always}`) },
  ),
  filtered(
    'buffer',
    'buffer.v3.Buffer, max_request_bytes: 10',
    [
      { name: 'without a body', request: { path: '/' } },
      { name: 'small, with a length', request: { path: '/', body: 'hello' } },
      { name: 'chunks become a length', request: { path: '/', chunks: ['he', 'llo'] } },
      { name: 'chunks with trailers', request: { path: '/', chunks: ['he', 'llo'], trailers: [['x-t', '1']] } },
      {
        name: 'too large, and all of it has come',
        request: { path: '/', body: 'hello hello' },
        differs: { 'client[0]': allRead, stats: allRead },
      },
      {
        name: 'too large, and more is to come',
        raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello', 50, 'hello hello'],
        logLines: 1,
      },
      { name: 'chunks too large', request: { path: '/', chunks: ['hello', ' hello'] } },
      { name: 'over HTTP/2', over: 'h2', request: { path: '/', chunks: ['he', 'llo'] } },
      { name: 'more on this route', request: { path: '/route', body: 'hello hello' } },
    ],
    { routes: routes('buffer.v3.BufferPerRoute, buffer: { max_request_bytes: 20 }') },
  ),
  filtered(
    'buffer',
    'buffer.v3.Buffer, max_request_bytes: 1',
    [{ name: 'off here', request: { path: '/route', chunks: ['ab', 'c'] } }],
    { routes: routes('buffer.v3.BufferPerRoute, disabled: true') },
    'buffer is off',
  ),
  filtered(
    'buffer',
    'buffer.v3.Buffer, max_request_bytes: 20',
    [{ name: 'more than the connection may hold', ignores: /^stats/, request: { path: '/', body: 'hello hello' } }],
    { listener: 'per_connection_buffer_limit_bytes: 5' },
    'buffer is larger',
  ),
  filtered(
    'set_metadata',
    `set_metadata.v3.Config, metadata: [
      { metadata_namespace: a, value: { x: 1, l: [1], s: { y: true } } },
      { metadata_namespace: a, value: { z: 2 } },
      { metadata_namespace: a, allow_overwrite: true, value: { x: two, l: [2], s: { w: null } } },
      { metadata_namespace: b }]`,
    [{ name: 'merged where it may be', request: { path: '/' } }],
    { log: ['DYNAMIC_METADATA(a)', 'DYNAMIC_METADATA(b)', 'DYNAMIC_METADATA(a:s)'] },
  ),
  filtered(
    'set_metadata',
    `set_metadata.v3.Config, metadata: [
      { metadata_namespace: a, typed_value: { '@type': ${kinds}.buffer.v3.Buffer, max_request_bytes: 1 } },
      { metadata_namespace: a, typed_value: { '@type': ${kinds}.buffer.v3.Buffer, max_request_bytes: 2 } },
      { metadata_namespace: a, allow_overwrite: true, typed_value: { '@type': ${kinds}.buffer.v3.Buffer, max_request_bytes: 3 } },
      { metadata_namespace: a, value: { x: 1 }, typed_value: { '@type': ${kinds}.buffer.v3.Buffer, max_request_bytes: 4 } },
      { metadata_namespace: b, value: { x: 1 } }]`,
    [{ name: 'messages', request: { path: '/' } }],
    { log: ['DYNAMIC_METADATA(a)', 'DYNAMIC_METADATA(b)'] },
    'set_metadata with messages',
  ),
  filtered(
    'set_metadata',
    `set_metadata.v3.Config, metadata_namespace: a, value: { x: 1 }`,
    [{ name: 'as it was once said', request: { path: '/' } }],
    { log: ['DYNAMIC_METADATA(a)'] },
    'set_metadata of old',
  ),
  filtered(
    'set_filter_state',
    `set_filter_state.v3.Config, clear_route_cache: true, on_request_headers: [
      { object_key: envoy.string, format_string: { text_format_source: { inline_string: 'path %REQ(:PATH)%' } } },
      { object_key: own, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(X-A)%' }, omit_empty_values: true }, skip_if_empty: true },
      { object_key: own, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(X-B)%' }, omit_empty_values: true }, skip_if_empty: true }]`,
    [
      { name: 'nothing to be set', request: { path: '/' } },
      { name: 'a header', request: { path: '/', headers: [['x-a', '1']] } },
      {
        name: 'set twice',
        request: {
          path: '/',
          headers: [
            ['x-a', '1'],
            ['x-b', '2'],
          ],
        },
      },
    ],
    { log: ['FILTER_STATE(envoy.string:PLAIN)', 'FILTER_STATE(own:PLAIN)', 'FILTER_STATE(own)'] },
  ),
  filtered(
    'set_filter_state of addresses',
    `set_filter_state.v3.Config, on_request_headers: [
      ${['envoy.network.transport_socket.original_dst_address', 'envoy.filters.listener.original_dst.local_ip', 'envoy.filters.listener.original_dst.remote_ip, shared_with_upstream: ONCE'].map((key) => `{ object_key: ${key}, format_string: { text_format_source: { inline_string: '%REQ(X-A)%' } } }`).join(', ')}]`,
    [
      '192.0.2.1:5',
      '192.0.2.1:050',
      '[2001:DB8:0::1]:80',
      '[::ffff:192.0.2.1]:80',
      '192.0.2.1',
      '192.0.2.1:70000',
      '0192.0.2.1:80',
      '[192.0.2.1]:80',
      '2001:db8::1:80',
      'nowhere:80',
    ].map((text) => ({ name: text, request: { path: '/', headers: [['x-a', text]] } })),
    {
      log: [
        'network.transport_socket.original_dst_address',
        'filters.listener.original_dst.local_ip',
        'filters.listener.original_dst.remote_ip',
      ].flatMap((key) => [`FILTER_STATE(envoy.${key}:PLAIN)`, `FILTER_STATE(envoy.${key})`]),
    },
  ),
  filtered(
    'header_to_metadata',
    `header_to_metadata.v3.Config,
    request_rules: [
      { header: x-a, on_header_present: { key: a }, on_header_missing: { key: a, value: none }, remove: true },
      { header: x-n, on_header_present: { metadata_namespace: n, key: n, type: NUMBER } },
      { header: x-b, on_header_present: { key: b, encode: BASE64 } },
      { header: x-r, on_header_present: { key: r, regex_value_rewrite: { pattern: { regex: '^/(\\w+)/.*' }, substitution: 'to \\1' } } },
      { header: ':path', on_header_present: { key: path } },
      { cookie: c, on_header_present: { key: c }, on_header_missing: { key: c, value: no cookie } }],
    response_rules: [{ header: x-up, on_header_present: { metadata_namespace: up, key: up, value: seen } }]`,
    [
      { name: 'nothing is there', request: { path: '/' } },
      { name: 'a header, and it does not go on', request: { path: '/', headers: [['x-a', '1']] } },
      {
        name: 'several values',
        request: {
          path: '/',
          headers: [
            ['x-a', '1'],
            ['x-a', '2'],
          ],
        },
      },
      { name: 'a number', request: { path: '/', headers: [['x-n', '1.5']] } },
      { name: 'no number', request: { path: '/', headers: [['x-n', 'one']] } },
      { name: 'base64', request: { path: '/', headers: [['x-b', 'aGVsbG8=']] } },
      { name: 'no base64', request: { path: '/', headers: [['x-b', '*']] } },
      { name: 'rewritten', request: { path: '/', headers: [['x-r', '/one/two']] } },
      { name: 'a cookie', request: { path: '/', headers: [['cookie', 'a=b; c=d']] } },
      { name: 'of the response', request: { path: '/' }, upstream: [{ headers: [['x-up', '1']] }] },
      {
        name: 'on a route',
        request: {
          path: '/route',
          headers: [
            ['x-a', '1'],
            ['x-z', '2'],
          ],
        },
      },
    ],
    {
      routes: routes('header_to_metadata.v3.Config, request_rules: [{ header: x-z, on_header_present: { key: z } }]'),
      log: ['DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)', 'DYNAMIC_METADATA(n)', 'DYNAMIC_METADATA(up)'],
    },
  ),
];
