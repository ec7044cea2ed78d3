import { cluster, endpoint, http, tcp, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';
import { clientTls, trusting, upstreamOperators } from '../../tls/config.ts';
import type { TlsOrigin } from '../../tls/origin.ts';

const optionsType = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const sockets = 'type.googleapis.com/envoy.extensions.transport_sockets';

const httpOptions = (fields: Yaml): Yaml => ({
  typed_extension_protocol_options: {
    [optionsType]: { '@type': `type.googleapis.com/${optionsType}`, ...fields },
  },
});

const overHttp1 = { explicit_http_config: { http_protocol_options: {} } };
const byNames = (names: Yaml): Yaml => httpOptions({ ...overHttp1, upstream_http_protocol_options: names });
const rawBuffer = {
  name: 'envoy.transport_sockets.raw_buffer',
  typed_config: { '@type': `${sockets}.raw_buffer.v3.RawBuffer` },
};

/** An origin that speaks TLS, and what a cluster says besides its transport socket. */
function group(name: string, origin: TlsOrigin, more: Yaml, rows: readonly Row[], transport = trusted): Group {
  const secure = { ...cluster('secure', ['secure']), connect_timeout: '1s', transport_socket: transport, ...more };
  return {
    name: `upstream transports: ${name}`,
    config: http({ routes, log: upstreamOperators }, [secure]),
    origins: { secure: origin },
    rows,
  };
}

const routes =
  '[{ match: { prefix: /literal }, route: { cluster: secure, host_rewrite_literal: a.wild.test } }, { match: { prefix: /auto }, route: { cluster: secure, auto_host_rewrite: true } }, { match: { prefix: / }, route: { cluster: secure } }]';
/** Whose sessions are taken up by whom is for rows about sessions. */
const withoutSessions = (context: string, common: Yaml = trusting()): Yaml =>
  clientTls([], common, context.replace('{', '{ max_session_keys: 0,'));
const trusted = withoutSessions('{}');
const asked = (host: string, more: Request = {}): Row => ({ name: host, request: { host, ...more } });
const origin: TlsOrigin = { certificate: 'server' };
const named = (hostname: string): Yaml => {
  const { endpoint: inner } = endpoint('secure') as { endpoint: Yaml };
  const lb_endpoints = [{ endpoint: { ...inner, hostname } }];
  return { load_assignment: { cluster_name: 'secure', endpoints: [{ lb_endpoints }] } };
};

const hosts: readonly Row[] = [
  asked('server.test'),
  asked('SERVER.test:8443'),
  asked('a.wild.test'),
  asked('other.test'),
  asked('10.0.0.1:80'),
  asked('[::1]:80'),
  { name: 'a host that a route writes', request: { path: '/literal', host: 'other.test' } },
  { name: 'the endpoint’s host', request: { path: '/auto', host: 'server.test' } },
  {
    name: 'connections of their own',
    request: [{ host: 'server.test' }, { host: 'a.wild.test' }, { host: 'server.test' }],
  },
];

const names: readonly Group[] = [
  group(
    'SNI of the request',
    origin,
    byNames({ auto_sni: true }),
    hosts,
    withoutSessions('{ sni: configured.test }', {}),
  ),
  group('SNI and SANs of the request', origin, byNames({ auto_sni: true, auto_san_validation: true }), hosts),
  group('SANs of the request', origin, byNames({ auto_san_validation: true }), hosts),
  group('names of a header', origin, byNames({ auto_sni: true, override_auto_sni_header: 'X-Sni' }), [
    asked('server.test'),
    asked('server.test', { headers: [['x-sni', 'header.test:80']] }),
    asked('server.test', { headers: [['x-sni', '']] }),
    {
      name: 'two of them',
      request: {
        host: 'server.test',
        headers: [
          ['x-sni', 'a.test'],
          ['x-sni', 'b.test'],
        ],
      },
    },
  ]),
  group(
    'SNI of the endpoint',
    origin,
    named('host.wild.test'),
    [asked('other.test')],
    withoutSessions('{ sni: other.test, auto_host_sni: true }'),
  ),
  group(
    'SNI of the endpoint, checked',
    origin,
    named('host.wild.test'),
    [asked('other.test')],
    withoutSessions('{ auto_host_sni: true, auto_sni_san_validation: true }'),
  ),
  group(
    'SNI of an endpoint without a name',
    origin,
    {},
    [asked('other.test')],
    withoutSessions('{ sni: server.test, auto_host_sni: true }'),
  ),
  group(
    'SNI of both',
    origin,
    { ...named('host.wild.test'), ...byNames({ auto_sni: true }) },
    [asked('server.test'), asked('10.0.0.1')],
    withoutSessions('{ auto_host_sni: true }'),
  ),
];

const either: readonly Row[] = [{ name: 'h1' }, { name: 'h2', over: 'h2' }];
const differs = {
  'stats.cluster.secure.upstream_cx_total':
    'Envoy counts a connection whose protocol ALPN chooses once before and once after its handshake',
};
/** The first row opens the connection, unless the second is asked by itself. */
const chosen: readonly Row[] = [
  { name: 'h1', differs },
  { name: 'h2', over: 'h2', ignores: /\.upstream_cx_total$/ },
];
const auto = httpOptions({ auto_config: {} });
const followed = httpOptions({
  use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
});

const protocols: readonly Group[] = [
  group('ALPN chooses, of both', origin, auto, chosen),
  group('ALPN chooses, of HTTP/1.1', { ...origin, alpn: ['http/1.1'] }, auto, chosen),
  group('ALPN has nothing to choose', { ...origin, alpn: ['istio'] }, auto, either),
  group('ALPN of the client’s protocol', origin, followed, either),
  group(
    'ALPN that is configured',
    origin,
    auto,
    chosen,
    withoutSessions('{}', { ...trusting(), alpn_protocols: ['http/1.1'] }),
  ),
  group(
    'HTTP/1.1 over ALPN’s h2',
    origin,
    {},
    [{ name: 'h1' }],
    withoutSessions('{}', { ...trusting(), alpn_protocols: ['h2'] }),
  ),
];

const overHttp2 = httpOptions({ explicit_http_config: { http2_protocol_options: {} } });
const apart: readonly Group[] = [
  group('TLS 1.2 unless told, to one that speaks 1.3', { ...origin, minVersion: 'TLSv1.3' }, {}, [{ name: 'h1' }]),
  group('HTTP/2 to one that takes HTTP/1.1', { ...origin, alpn: ['http/1.1'] }, overHttp2, either),
  group('HTTP/2 to one that takes both', origin, overHttp2, either),
  group('HTTP/1.1 to one that takes HTTP/2', { ...origin, alpn: ['h2'] }, {}, either),
];

const metadata = (fields: Yaml): Yaml => ({
  metadata: { filter_metadata: { 'envoy.transport_socket_match': fields } },
});
const istio = metadata({ tlsMode: 'istio' });
const matches = {
  transport_socket_matches: [
    {
      name: 'both',
      match: { tlsMode: 'istio', version: 2 },
      transport_socket: withoutSessions('{ sni: both.test }'),
    },
    { name: 'istio', match: { tlsMode: 'istio' }, transport_socket: withoutSessions('{ sni: istio.test }') },
    { name: 'plain', match: { tlsMode: 'disabled' }, transport_socket: rawBuffer },
  ],
};

function matched(name: string, port: string, ofEndpoint: Yaml, ofLocality: Yaml = {}): Group {
  const load_assignment = {
    cluster_name: 'secure',
    endpoints: [{ lb_endpoints: [{ ...endpoint(port), ...ofEndpoint }], ...ofLocality }],
  };
  return group(
    `matched, ${name}`,
    origin,
    { ...matches, load_assignment },
    [{ name: 'a request' }],
    withoutSessions('{ sni: default.test }'),
  );
}

const matching: readonly Group[] = [
  matched('one field', 'secure', istio),
  matched('two fields', 'secure', metadata({ tlsMode: 'istio', version: 2 })),
  matched('a plain one', 'one', metadata({ tlsMode: 'disabled' })),
  matched('no such value', 'secure', metadata({ tlsMode: 'other' })),
  matched('nothing said', 'secure', {}),
  matched('by the locality', 'one', {}, metadata({ tlsMode: 'disabled' })),
  matched('by the endpoint before the locality', 'secure', istio, metadata({ tlsMode: 'disabled' })),
];

const choosers = 'type.googleapis.com/envoy.extensions.matching.common_inputs.transport_socket.v3';
const use = (name: string): Yaml => ({
  action: { name: 'by name', typed_config: { '@type': `${choosers}.TransportSocketNameAction`, name } },
});

/** By `transport_socket_matcher`, whatever each transport socket matches. */
function byMatcher(name: string, of: 'Endpoint' | 'Locality', value: string, action: string): Group {
  const input = { '@type': `${choosers}.${of}MetadataInput`, filter: 'envoy.transport_socket_match' };
  const transport_socket_matcher = {
    matcher_tree: {
      input: { name: 'metadata', typed_config: { ...input, path: [{ key: 'tlsMode' }] } },
      exact_match_map: { map: { [value]: use(action) } },
    },
  };
  const lb_endpoints = [{ ...endpoint('secure'), ...metadata({ tlsMode: 'of the endpoint' }) }];
  const endpoints = [{ lb_endpoints, ...metadata({ tlsMode: 'of the locality' }) }];
  const more = { ...matches, transport_socket_matcher, load_assignment: { cluster_name: 'secure', endpoints } };
  const rows = [{ name: 'a request' }];
  return group(`chosen, ${name}`, origin, more, rows, withoutSessions('{ sni: default.test }'));
}

const choosing: readonly Group[] = [
  byMatcher('by the endpoint', 'Endpoint', 'of the endpoint', 'istio'),
  byMatcher('by the locality', 'Locality', 'of the locality', 'both'),
  byMatcher('of nothing', 'Endpoint', 'other', 'istio'),
  byMatcher('a name that there is not', 'Endpoint', 'of the endpoint', 'nobody'),
];

const proxyProtocol = (config: Yaml, inner: Yaml = rawBuffer): Yaml => ({
  name: 'envoy.transport_sockets.upstream_proxy_protocol',
  typed_config: {
    '@type': `${sockets}.proxy_protocol.v3.ProxyProtocolUpstreamTransport`,
    config,
    transport_socket: inner,
  },
});

/** What tcp_proxy's origin gets of a client that says `hello`: so many bytes. */
const counted: readonly Row[] = [
  { name: 'bytes', raw: ['hello', 50, 'end'], until: 'closed', answers: 0, waitMs: 1500, logLines: 1 },
];

function announced(name: string, config: Yaml, rows = counted, upstream = 'count'): Group {
  return {
    name: `upstream transports: PROXY protocol, ${name}`,
    config: tcp(`cluster: ${upstream}`, [
      { ...cluster(upstream, [upstream]), transport_socket: proxyProtocol(config) },
    ]),
    rows,
  };
}

const headers: readonly Group[] = [
  announced('version 1', { version: 'V1' }),
  announced('version 2', { version: 'V2' }),
  announced('TLVs', {
    version: 'V2',
    pass_through_tlvs: {},
    added_tlvs: [
      { type: 5, value: 'aGk=' },
      { type: 5, value: 'aGk=' },
    ],
  }),
  announced('before anything else', { version: 'V2' }, [{ ...counted[0], name: 'nothing', raw: [100, 'end'] }]),
  announced('to nobody', { version: 'V1' }, [{ ...counted[0], ignores: /\.end$/ }], 'dead'),
  {
    name: 'upstream transports: PROXY protocol, of requests',
    config: http({ routes: '[{ match: { prefix: / }, route: { cluster: echo } }]' }, [
      { ...cluster('echo', ['echo']), transport_socket: proxyProtocol({ version: 'V2' }) },
    ]),
    rows: [{ name: 'that come back' }],
  },
  group(
    'PROXY protocol, in front of TLS',
    origin,
    {},
    [{ name: 'which does not expect it' }],
    proxyProtocol({ version: 'V1' }, trusted),
  ),
];

/** Plain connections, and those of CONNECT, that leave with TLS. */
function joined(name: string, settings: string, transport: Yaml, certificate = 'server'): Group {
  const request = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
  return {
    name: `upstream transports: tcp_proxy, ${name}`,
    config: tcp(
      `cluster: secure\n${settings}`,
      [{ ...cluster('secure', ['secure']), connect_timeout: '1s', transport_socket: transport }],
      { log: upstreamOperators },
    ),
    origins: { secure: { certificate } },
    rows: [
      { name: 'a request', raw: [request], until: 'closed', answers: 1, waitMs: 1500, logLines: 1, ignores: /\.end$/ },
    ],
  };
}

const plainly: readonly Group[] = [
  joined('TLS', '', trusted),
  joined('TLS with a name', '', withoutSessions('{ sni: server.test, auto_sni_san_validation: true }')),
  joined('an unknown authority', '', trusted, 'server_alien'),
  joined('an unknown authority, three times', 'max_connect_attempts: 3', trusted, 'server_alien'),
];

/** Groups about what a cluster's connections are, and who decides. */
export const tlsTransports: readonly Group[] = [
  ...names,
  ...protocols,
  ...apart,
  ...matching,
  ...choosing,
  ...headers,
  ...plainly,
];
