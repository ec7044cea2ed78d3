import { accessLog, cluster, http, router, tcp, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';
import { clientTls, serverTls, trusting } from '../../tls/config.ts';

export const types = 'type.googleapis.com/envoy.';

/** What a listener of either kind can tell of who connected to it. */
const told = {
  remote: '%DOWNSTREAM_REMOTE_ADDRESS%',
  local: '%DOWNSTREAM_LOCAL_ADDRESS%',
  direct: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
  host: '%DYNAMIC_METADATA(of_host)%',
  cluster: '%DYNAMIC_METADATA(of_cluster)%',
  once: '%FILTER_STATE(once:PLAIN)%',
  always: '%FILTER_STATE(always:PLAIN)%',
  always_typed: '%FILTER_STATE(always)%',
  own: '%FILTER_STATE(own:PLAIN)%',
};

/** What those with one upstream connection for each of theirs tell of it, too. */
const toldUpstream = {
  upstream: '%UPSTREAM_HOST%',
  upstream_local: '%UPSTREAM_LOCAL_ADDRESS%',
  upstream_remote: '%UPSTREAM_REMOTE_ADDRESS%',
};

export const internal = (name: string, filter: Yaml, more: Yaml = {}, chain: Yaml = {}): Yaml => ({
  name,
  internal_listener: {},
  filter_chains: [{ filters: [filter], ...chain }],
  ...more,
});

const log = (format: Yaml): Yaml => ({ access_log: [accessLog({ json_format: format })] });

export const tcpTo = (to: string, more: Yaml = {}): Yaml => ({
  name: 'tcp',
  typed_config: {
    '@type': `${types}extensions.filters.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: `to_${to}`,
    cluster: to,
    ...more,
  },
});

const httpTo = (to: string, more: Yaml = {}): Yaml => ({
  name: 'http',
  typed_config: {
    '@type': `${types}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: `to_${to}`,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { path: '/answer' }, direct_response: { status: 418, body: { inline_string: 'inside' } } },
            { match: { prefix: '/' }, route: { cluster: to } },
          ],
        },
      ],
    },
    http_filters: [router()],
    ...more,
  },
});

/** A cluster whose endpoint is an internal listener. */
function within(name: string, listener: string, more: Yaml = {}, endpointId?: string): Yaml {
  const address = {
    server_listener_name: listener,
    ...(endpointId === undefined ? {} : { endpoint_id: endpointId }),
  };
  const metadata = { filter_metadata: { of_host: { name: listener, deep: { list: [1, 'two'] } }, other: { a: 1 } } };
  return {
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { envoy_internal_address: address } }, metadata }] }],
    },
    metadata: { filter_metadata: { of_cluster: { cluster: name } } },
    ...more,
  };
}

export const raw: Yaml = {
  name: 'envoy.transport_sockets.raw_buffer',
  typed_config: { '@type': `${types}extensions.transport_sockets.raw_buffer.v3.RawBuffer` },
};

/** Tells metadata of both kinds, one of which is not there, and shared filter state. */
const telling = (inner: Yaml = raw): Yaml => ({
  transport_socket: {
    name: 'envoy.transport_sockets.internal_upstream',
    typed_config: {
      '@type': `${types}extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport`,
      passthrough_metadata: [
        { kind: { host: {} }, name: 'of_host' },
        { kind: { cluster: {} }, name: 'of_cluster' },
        { kind: { host: {} }, name: 'nowhere' },
      ],
      transport_socket: inner,
    },
  },
});

const http2: Yaml = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${types}extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

export const extension = (settings = '{}'): string => `
bootstrap_extensions:
- name: envoy.bootstrap.internal_listener
  typed_config: { "@type": ${types}extensions.bootstrap.internal_listener.v3.InternalListener, ${settings.slice(1)}
`;

const stats = /^(listener\.envoy_internal|cluster|http|tcp)\./;

/** Envoy holds what it has read for a while in gauges of its own. */
const row = (name: string, one: Omit<Row, 'name'> = {}): Row => ({ name, ...one });

const crossings = (name: string, to: Yaml): Group => ({
  name: `internal listeners: ${name}`,
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner, timeout: 3s } }]',
    clusters: JSON.stringify([to]),
    listeners: [internal('inside', httpTo('one', log(told)))],
    bootstrap: extension(),
    log: ['UPSTREAM_LOCAL_ADDRESS', 'UPSTREAM_REMOTE_ADDRESS'],
  }),
  stats,
  rows: [
    row('a request', { logLines: 2 }),
    row('several on one connection', { request: [{}, { path: '/b' }, { body: 'body' }], logLines: 6 }),
    row('large both ways', {
      request: { body: 'x'.repeat(300_000) },
      upstream: [{ body: 'y'.repeat(300_000) }],
      logLines: 2,
    }),
    row('answered inside', { request: { path: '/answer' }, logLines: 2 }),
    row('who speaks to whom', {
      request: { headers: [['x-forwarded-for', '192.0.2.1']] },
      logLines: 2,
    }),
    row('HEAD', { request: { method: 'HEAD' }, logLines: 2 }),
    row('over HTTP/2', { over: 'h2', request: [{}, { path: '/b' }], logLines: 4 }),
    row('the origin breaks off', { upstream: [{ raw: '', ending: 'reset' }], logLines: 2 }),
    row('the origin answers early', {
      request: { body: 'hello' },
      upstream: [{ status: 413, isEarly: true }],
      logLines: 2,
    }),
    row('interim answers', { upstream: [{ interim: [103] }], logLines: 2 }),
  ],
});

const overTcp: Group = {
  name: 'internal listeners: TCP in TCP',
  config: tcp(
    '{ cluster: inner, access_log: [] }',
    [within('inner', 'inside', telling(), 'one'), cluster('echo', ['echo'])],
    {
      listeners: [internal('inside', tcpTo('echo', log({ ...told, ...toldUpstream })))],
      bootstrap: extension(),
    },
  ),
  stats,
  rows: [
    row('there and back, and what was passed', { raw: ['hello', 30, 'end'], until: 'closed' }),
    row('much', { raw: ['z'.repeat(400_000), 'end'], until: 'closed', waitMs: 3000 }),
    row('twice', { raw: ['one', 20, ' two', 20, 'end'], until: 'closed' }),
  ],
};

const reset = 'a reset stays one across an internal listener';

const ends = (['count', 'slam', 'bye', 'greet'] as const).map((origin): Group => ({
  name: `internal listeners: an origin that does ${origin}`,
  config: tcp('{ cluster: inner }', [within('inner', 'inside', telling()), cluster('origin', [origin])], {
    listeners: [internal('inside', tcpTo('origin'))],
    bootstrap: extension('{ buffer_size_kb: 16 }'),
  }),
  stats,
  rows: [
    row('it ends', {
      raw: ['hello', 30, 'end'],
      until: 'closed',
      ...(origin === 'slam' && { differs: { 'client[0].end': reset, 'log[0].flags': reset } }),
    }),
  ],
}));

const state = (key: string, more: string): string =>
  `{ object_key: ${key}, factory_key: envoy.hashable_string, format_string: { text_format_source: { inline_string: "%REQ(x-a)%" } }, ${more} }`;

const shared: Group = {
  name: 'internal listeners: filter state over one and two of them',
  config: http({
    routes:
      '[{ match: { prefix: /one }, route: { cluster: near } }, { match: { prefix: / }, route: { cluster: far } }]',
    filters: `
- name: state
  typed_config:
    "@type": ${types}extensions.filters.http.set_filter_state.v3.Config
    on_request_headers: [${state('once', 'shared_with_upstream: ONCE')}, ${state('always', 'shared_with_upstream: TRANSITIVE')}, ${state('own', '')}]
`,
    clusters: JSON.stringify([
      within('near', 'inside', telling()),
      within('far', 'between', telling()),
      within('next', 'inside', telling()),
    ]),
    listeners: [internal('inside', httpTo('one', log(told))), internal('between', httpTo('next', log(told)))],
    bootstrap: extension(),
    log: ['FILTER_STATE(once:PLAIN)', 'FILTER_STATE(always)'],
  }),
  stats,
  rows: [
    row('one', { request: { path: '/one', headers: [['x-a', 'value']] }, logLines: 2 }),
    row('another text needs another connection', {
      request: [
        { path: '/one', headers: [['x-a', 'first']] },
        { path: '/one', headers: [['x-a', 'second']] },
        { path: '/one', headers: [['x-a', 'first']] },
      ],
      logLines: 6,
    }),
    row('two', { request: { path: '/two', headers: [['x-a', 'value']] }, logLines: 3 }),
  ],
};

export const address = (key: string, header: string): string =>
  `{ object_key: envoy.filters.listener.original_dst.${key}, format_string: { text_format_source: { inline_string: "%REQ(${header})%" } }, skip_if_empty: true, shared_with_upstream: ONCE }`;

export const originalDst: Yaml = {
  name: 'envoy.filters.listener.original_dst',
  typed_config: { '@type': `${types}extensions.filters.listener.original_dst.v3.OriginalDst` },
};

const to = (local: string, remote = ''): Request => ({
  headers: [['x-local', local], ...(remote === '' ? [] : [['x-remote', remote] as const])],
});

/** Where a connection goes is said by what comes with it: the first half of HBONE. */
const destinations = (name: string, metadata: Yaml): Group => ({
  name: `internal listeners: original destinations, ${name}`,
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner } }]',
    filters: `
- name: state
  typed_config:
    "@type": ${types}extensions.filters.http.set_filter_state.v3.Config
    on_request_headers: [${address('local_ip', 'x-local')}, ${address('remote_ip', 'x-remote')}]
`,
    clusters: JSON.stringify([
      {
        ...within('inner', 'inside'),
        transport_socket: {
          name: 'internal',
          typed_config: {
            '@type': `${types}extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport`,
            passthrough_metadata: [{ kind: { cluster: {} }, name: 'envoy.filters.listener.original_dst' }],
            transport_socket: raw,
          },
        },
        metadata: { filter_metadata: metadata },
      },
    ]),
    listeners: [internal('inside', httpTo('one', log(told)), { listener_filters: [originalDst] })],
    bootstrap: extension(),
  }),
  stats,
  rows: [
    row('said by nobody', { logLines: 2 }),
    row('an address of IPv4', { request: to('192.0.2.7:8080'), logLines: 2 }),
    row('both ends', { request: to('192.0.2.7:8080', '198.51.100.3:4000'), logLines: 2 }),
    row('of IPv6', { request: to('[2001:db8::1]:443', '[2001:DB8:0::2]:1'), logLines: 2 }),
    row('no address', { request: to('a.test:80'), logLines: 2 }),
    row('others have another connection', {
      request: [to('192.0.2.7:1'), to('192.0.2.7:2'), to('192.0.2.7:1')],
      logLines: 6,
    }),
  ],
});

const followed: Group = {
  name: 'internal listeners: an ORIGINAL_DST cluster behind one',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner } }]',
    filters: `
- name: state
  typed_config:
    "@type": ${types}extensions.filters.http.set_filter_state.v3.Config
    on_request_headers: [${address('local_ip', 'x-local')}]
`,
    clusters: JSON.stringify([
      within('inner', 'inside', telling()),
      { name: 'original', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '1s' },
    ]),
    listeners: [internal('inside', tcpTo('original'), { listener_filters: [originalDst] })],
    bootstrap: extension(),
  }),
  stats,
  rows: [
    row('to one', { request: to('127.0.0.1:{{one}}') }),
    row('to two', { request: to('127.0.0.1:{{two}}') }),
    row('to where nobody said', {}),
  ],
};

const nobody: Group = {
  name: 'internal listeners: nobody there',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner } }]',
    clusters: JSON.stringify([within('inner', 'nobody', telling(), 'x')]),
    bootstrap: extension(),
  }),
  stats,
  rows: [row('a request'), { name: '/clusters', admin: '/clusters?filter=inner' }],
};

const secured: Group = {
  name: 'internal listeners: TLS inside',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: inner } }]',
    clusters: JSON.stringify([
      within(
        'inner',
        'inside',
        telling(clientTls(['client'], trusting(), '{ sni: server.test, max_session_keys: 0 }')),
      ),
    ]),
    listeners: [
      internal(
        'inside',
        httpTo('one', log({ ...told, sni: '%REQUESTED_SERVER_NAME%', peer: '%DOWNSTREAM_PEER_SUBJECT%' })),
        {},
        { transport_socket: serverTls(['server'], trusting(), '{ require_client_certificate: true }') },
      ),
    ],
    bootstrap: extension(),
    log: ['UPSTREAM_PEER_SUBJECT'],
  }),
  stats,
  rows: [
    row('a request', { logLines: 2 }),
    row('large both ways', {
      request: { body: 'x'.repeat(300_000) },
      upstream: [{ body: 'y'.repeat(300_000) }],
      logLines: 2,
    }),
  ],
};

/** Listeners without a socket: what they serve, what they get to know, and who is told when nobody is there. */
export const internalListeners: readonly Group[] = [
  crossings('HTTP/1.1', within('inner', 'inside', telling())),
  crossings('HTTP/2', within('inner', 'inside', { ...telling(), ...http2 })),
  crossings('without a transport socket', within('inner', 'inside', {}, 'some')),
  overTcp,
  ...ends,
  shared,
  destinations('by filter state', {}),
  destinations('by metadata', { 'envoy.filters.listener.original_dst': { local: '203.0.113.9:99' } }),
  followed,
  nobody,
  secured,
];
