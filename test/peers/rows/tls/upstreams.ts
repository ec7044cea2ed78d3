import { cluster, http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { clientTls, trusting, upstreamOperators } from '../../tls/config.ts';
import type { TlsOrigin } from '../../tls/origin.ts';

const overH2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** One origin, and how the cluster speaks to it. */
function group(name: string, origin: TlsOrigin, transport: Yaml, rows: readonly Row[], more: Yaml = {}): Group {
  const secure = { ...cluster('secure', ['secure']), connect_timeout: '1s', transport_socket: transport, ...more };
  return {
    name: `upstream TLS: ${name}`,
    config: http({ routes: '[{ match: { prefix: / }, route: { cluster: secure } }]', log: upstreamOperators }, [
      secure,
    ]),
    origins: { secure: origin },
    rows,
  };
}

const plain: Row = { name: 'a request' };
const twice: Row = { name: 'two requests', request: [{}, { path: '/b' }] };
const [v13, both] = ['TLSv1_3', 'TLSv1_3'].map((version, i) => ({
  tls_params: { tls_maximum_protocol_version: version, ...(i === 0 ? { tls_minimum_protocol_version: version } : {}) },
}));
const v12 = { tls_params: { tls_maximum_protocol_version: 'TLSv1_2' } };
const sni = '{ sni: server.test }';

/** Envoy takes the cluster's certificate and names up to TLS 1.2 unless told. */
const successes: readonly Group[] = [
  group('as it is', { certificate: 'server' }, clientTls(), [plain, twice]),
  group('SNI', { certificate: 'server' }, clientTls([], trusting(), sni), [plain]),
  group('TLS 1.3', { certificate: 'server' }, clientTls([], { ...v13, ...trusting() }, sni), [plain, twice]),
  group('TLS 1.3 allowed, 1.2 spoken', { certificate: 'server', maxVersion: 'TLSv1.2' }, clientTls([], both), [plain]),
  group('h2', { certificate: 'server' }, clientTls([], { alpn_protocols: ['h2'] }), [plain, twice], overH2),
  group(
    'ALPN that the origin does not speak',
    { certificate: 'server', alpn: ['http/1.1'] },
    clientTls([], { alpn_protocols: ['h2', 'istio'] }),
    [plain],
  ),
  group(
    'a certificate of its own',
    { certificate: 'server_rsa', clientCertificate: 'require' },
    clientTls(['client_chain'], trusting()),
    [plain],
  ),
  group(
    'a certificate of its own, TLS 1.3',
    { certificate: 'server_chain', clientCertificate: 'require' },
    clientTls(['client_rsa'], { ...v13, ...trusting() }),
    [plain],
  ),
  group('no session is kept', { certificate: 'server' }, clientTls([], {}, '{ max_session_keys: 0 }'), [
    { name: 'two connections', request: [{}, {}], upstream: [{ headers: [['connection', 'close']] }, {}] },
  ]),
  group('a session is taken up', { certificate: 'server', maxVersion: 'TLSv1.2' }, clientTls(), [
    { name: 'two connections', request: [{}, {}], upstream: [{ headers: [['connection', 'close']] }, {}] },
  ]),
];

/** In both versions, by default: the second and third connection are short ones. */
const resumed: readonly Group[] = ([v13, v12] as const).map((params, i) =>
  group(`sessions, TLS 1.${3 - i}`, { certificate: 'server' }, clientTls([], { ...params, ...trusting() }, sni), [
    {
      name: 'three connections',
      request: [{}, {}, {}],
      upstream: [{ headers: [['connection', 'close']] }, { headers: [['connection', 'close']] }, {}],
    },
  ]),
);

const failures: readonly Group[] = [
  group('an unknown authority', { certificate: 'server_alien' }, clientTls([], trusting()), [
    plain,
    { name: 'h2', over: 'h2' },
  ]),
  group('an unknown authority, TLS 1.3', { certificate: 'server_alien' }, clientTls([], { ...v13, ...trusting() }), [
    plain,
  ]),
  group('an expired certificate', { certificate: 'server_expired' }, clientTls([], trusting()), [plain]),
  group(
    'another name',
    { certificate: 'server' },
    clientTls([], trusting('{ match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: other.test } }] }')),
    [plain],
  ),
  group(
    'a name of SNI that is not there',
    { certificate: 'server' },
    clientTls([], trusting(), '{ sni: other.test, auto_sni_san_validation: true }'),
    [plain],
  ),
  group(
    'a name of SNI that is there',
    { certificate: 'server' },
    clientTls([], trusting(), '{ sni: a.wild.test, auto_sni_san_validation: true }'),
    [plain],
  ),
  group(
    'a pin',
    { certificate: 'server' },
    clientTls([], { validation_context: { verify_certificate_hash: ['{{client_sha256}}'] } }),
    [plain],
  ),
  group('a certificate that the origin wants', { certificate: 'server', clientCertificate: 'require' }, clientTls(), [
    plain,
  ]),
  group(
    'a certificate that the origin does not know',
    { certificate: 'server', clientCertificate: 'require' },
    clientTls(['client_alien']),
    [plain],
  ),
  group('nothing in common: versions', { certificate: 'server', maxVersion: 'TLSv1.2' }, clientTls([], v13), [plain]),
  group(
    'nothing in common: ciphers',
    { certificate: 'server', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    clientTls([], { tls_params: { cipher_suites: ['ECDHE-ECDSA-AES128-GCM-SHA256'] } }),
    [plain],
  ),
];

const toPlain: Group = {
  name: 'upstream TLS: an origin that speaks none',
  config: http({ routes: '[{ match: { prefix: / }, route: { cluster: one } }]', log: upstreamOperators }, [
    { ...cluster('one', ['one']), transport_socket: clientTls() },
    cluster('two', ['two']),
  ]),
  rows: [plain],
};

const fromPlain: Group = {
  name: 'upstream TLS: a plain cluster and an origin that speaks it',
  config: http({ routes: '[{ match: { prefix: / }, route: { cluster: secure } }]', log: upstreamOperators }, [
    cluster('secure', ['secure']),
  ]),
  origins: { secure: { certificate: 'server' } },
  rows: [plain],
};

const toNobody: Group = {
  name: 'upstream TLS: who does not answer',
  config: http(
    {
      routes:
        '[{ match: { prefix: /mute }, route: { cluster: mute } }, { match: { prefix: /bye }, route: { cluster: bye } }, { match: { prefix: /slam }, route: { cluster: slam } }, { match: { prefix: / }, route: { cluster: dead } }]',
      log: upstreamOperators,
    },
    ['mute', 'bye', 'slam', 'dead'].map((name) => ({ ...cluster(name, [name]), transport_socket: clientTls() })),
  ),
  rows: [
    { name: 'refused' },
    { name: 'silent', request: { path: '/mute' } },
    { name: 'another protocol', request: { path: '/bye' } },
    { name: 'a reset', request: { path: '/slam' } },
  ],
};

/** Groups about TLS towards origins. */
export const tlsUpstreams: readonly Group[] = [...successes, ...resumed, ...failures, toPlain, fromPlain, toNobody];
