import { http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { downstreamOperators, serverTls, trusting } from '../../tls/config.ts';

const everything = 'subject: true, cert: true, chain: true, dns: true, uri: true';

function group(
  mode: string,
  details: string,
  rows: readonly Row[],
  transport: Yaml = serverTls(['server_two'], trusting()),
): Group {
  const set = details === '' ? '' : `, set_current_client_cert_details: { ${details} }`;
  return {
    name: `x-forwarded-client-cert: ${mode}${details === '' ? '' : `, ${details}`}`,
    config: http({ transport, hcm: `{ forward_client_cert_details: ${mode}${set} }`, log: downstreamOperators }),
    tls: { certificate: 'client_chain' },
    rows,
  };
}

const earlier = 'By=spiffe://a/b;Hash=00;URI=spiffe://c/d';
const said = (value: string) => ({ headers: [['x-forwarded-client-cert', value]] }) as const;

const rows: readonly Row[] = [
  { name: 'with a certificate' },
  { name: 'with a certificate and the header', request: said(earlier) },
  { name: 'with a certificate and an empty header', request: said('') },
  {
    name: 'with a certificate and two headers',
    request: { headers: [...said(earlier).headers, ['a', 'b'], ...said('Hash=1').headers] },
  },
  { name: 'with the header alone', tls: {}, request: said(earlier) },
  { name: 'without either', tls: {} },
  { name: 'TLS 1.2', tls: { certificate: 'client_chain', maxVersion: 'TLSv1.2' } },
  { name: 'HTTP/2, several requests', over: 'h2', request: [{}, said(earlier), {}] },
];

const few: readonly Row[] = [
  { name: 'with every name' },
  { name: 'without a name', tls: { certificate: 'client_nameless' } },
  { name: 'of a resumed session', tls: { certificate: 'client', resumes: true } },
];

const json: readonly Row[] = [
  ...few,
  { name: 'behind text', request: said(earlier) },
  { name: 'behind JSON', request: said('[{"by":["a"]}]') },
  { name: 'behind broken JSON', request: said('[{"by":["a"') },
  { name: 'behind an empty list', request: said('[]') },
];

const values = `{ request_headers_to_add: [
  { header: { key: x-uri, value: '%DOWNSTREAM_PEER_URI_SAN%' } },
  { header: { key: x-subject, value: '[%DOWNSTREAM_PEER_SUBJECT%]' } },
  { header: { key: x-cert, value: '%DOWNSTREAM_PEER_CERT%' } },
  { header: { key: x-tls, value: '%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER% by %DOWNSTREAM_LOCAL_SUBJECT%' } },
  { header: { key: x-validity, value: '%DOWNSTREAM_PEER_CERT_V_START% to %DOWNSTREAM_PEER_CERT_V_END(%s)%' } },
  { header: { key: x-hash, value: '%DOWNSTREAM_PEER_FINGERPRINT_256%' } },
  { header: { key: x-sni, value: '%REQUESTED_SERVER_NAME%' } }
], response_headers_to_add: [{ header: { key: x-serial, value: '%DOWNSTREAM_PEER_SERIAL%' } }] }`;

const inHeaders: Group = {
  name: 'what TLS says, in header values',
  config: http({ transport: serverTls(['server'], trusting()), virtualHost: values }),
  tls: { certificate: 'client_chain' },
  rows: [{ name: 'with a certificate' }, { name: 'without', tls: {} }],
};

const byContext = (condition: string, status: number) =>
  `{ match: { prefix: /, tls_context: ${condition} }, direct_response: { status: ${status} } }`;

const routes: Group = {
  name: 'routes by tls_context',
  config: http({
    transport: serverTls(['server'], trusting('{ trust_chain_verification: ACCEPT_UNTRUSTED }')),
    routes: `[
  ${byContext('{ presented: true, validated: true }', 201)},
  ${byContext('{ presented: true, validated: false }', 202)},
  ${byContext('{ presented: false }', 203)},
  { match: { prefix: / }, route: { cluster: one } }
]`,
  }),
  rows: [
    { name: 'validated', tls: { certificate: 'client' } },
    { name: 'presented', tls: { certificate: 'client_alien' } },
    { name: 'neither', tls: {} },
    { name: 'validated, resumed', tls: { certificate: 'client', resumes: true } },
  ],
};

const unvalidated: Group = {
  ...routes,
  name: 'routes by tls_context where nothing is validated',
  config: http({
    transport: serverTls(['server'], { validation_context: { trust_chain_verification: 'VERIFY_TRUST_CHAIN' } }),
    routes: `[${byContext('{ validated: false }', 202)}, { match: { prefix: / }, route: { cluster: one } }]`,
  }),
  rows: [{ name: 'a client with a certificate', tls: { certificate: 'client' } }],
};

const redirects: Group = {
  name: 'require_tls over TLS',
  config: http({ transport: serverTls(), virtualHost: '{ require_tls: ALL }' }),
  tls: {},
  rows: [
    { name: 'https' },
    { name: 'x-forwarded-proto: http is believed', request: { headers: [['x-forwarded-proto', 'http']] } },
    { name: 'HTTP/2', over: 'h2' },
  ],
};

/** Groups about what is said of a client's certificate, and done by it. */
export const tlsIdentity: readonly Group[] = [
  group('SANITIZE', everything, rows),
  group('FORWARD_ONLY', everything, rows),
  group('APPEND_FORWARD', everything, rows),
  group('SANITIZE_SET', '', rows),
  group('ALWAYS_FORWARD_ONLY', everything, rows),
  group('SANITIZE_SET', 'uri: true', few),
  group('SANITIZE_SET', 'subject: true, dns: true, uri: true', few, serverTls(['server_rsa'], trusting())),
  group('APPEND_FORWARD', 'subject: true, dns: true, uri: true, format: JSON', json),
  group('SANITIZE_SET', `${everything}, format: JSON`, few),
  inHeaders,
  routes,
  unvalidated,
  redirects,
];
