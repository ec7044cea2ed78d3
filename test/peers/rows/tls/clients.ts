import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { downstreamOperators, serverTls, trusting } from '../../tls/config.ts';

const required = '{ require_client_certificate: true }';

/** A listener that says of each connection what its log can tell, and nothing of requests. */
const strict = (validation: string, bundle = 'ca', context = required) =>
  http({
    transport: serverTls(['server'], trusting(validation, bundle), context),
    hcm: '{ access_log: [] }',
    listenerLog: downstreamOperators,
  });

const client = (certificate: string, more: Omit<Row, 'name' | 'tls'> = {}, name = certificate): Row => ({
  name,
  tls: { certificate },
  ...more,
});

const unnamed: Row = { name: 'none', tls: {}, until: 'closed' };
const refused = { until: 'closed' } as const;

const group = (name: string, config: string, rows: readonly Row[]): Group => ({
  name: `client certificates: ${name}`,
  config,
  rows,
});

const kinds = group('required', strict('{}'), [
  unnamed,
  { ...unnamed, name: 'none, TLS 1.2', tls: { maxVersion: 'TLSv1.2' } },
  client('client'),
  { ...client('client', {}, 'TLS 1.2'), tls: { certificate: 'client', maxVersion: 'TLSv1.2' } },
  client('client_rsa'),
  client('client_p384'),
  client('client_ed25519', refused),
  client('client_chain'),
  client('client_deep'),
  client('client_nameless'),
  client('client_alien', refused),
  {
    ...client('client_alien', refused, 'client_alien, TLS 1.2'),
    tls: { certificate: 'client_alien', maxVersion: 'TLSv1.2' },
  },
  client('client_self', refused),
  client('client_expired', refused),
  client('client_future', refused),
  client('client_server_only', refused),
  client('client_by_rsa', refused),
]);

const optional = group('asked for', strict('{}', 'ca', '{ require_client_certificate: false }'), [
  { name: 'none', tls: {} },
  client('client'),
  client('client_alien', refused),
]);

const unasked = group(
  'not asked for',
  http({ transport: serverTls(), listenerLog: downstreamOperators, hcm: '{ access_log: [] }' }),
  [{ ...unnamed, until: 'answered' }, client('client')],
);

const names = (matcher: string) => `{ match_typed_subject_alt_names: [${matcher}] }`;

/** Matcher, and which of two clients it lets in. */
const matchers: readonly (readonly [string, string, boolean, boolean])[] = [
  ['a DNS name, exactly', '{ san_type: DNS, matcher: { exact: client.test } }', true, false],
  ['a URI by prefix', '{ san_type: URI, matcher: { prefix: "spiffe://peers.test/" } }', true, true],
  ['an e-mail by suffix', '{ san_type: EMAIL, matcher: { suffix: "@PEERS.test", ignore_case: true } }', true, false],
  ['an address', '{ san_type: IP_ADDRESS, matcher: { exact: "::1" } }', true, false],
  ['another name', '{ san_type: OTHER_NAME, oid: 1.2.3.4, matcher: { exact: other } }', true, false],
  ['a URI by expression', '{ san_type: URI, matcher: { safe_regex: { regex: "spiffe://[a-z.]+/rsa" } } }', false, true],
  [
    'one of two',
    '{ san_type: DNS, matcher: { contains: nobody } }, { san_type: URI, matcher: { contains: two } }',
    true,
    false,
  ],
];

const sans = matchers.map(([name, matcher, isFull, isRsa]) =>
  group(`SAN, ${name}`, strict(names(matcher)), [
    client('client', isFull ? {} : refused),
    client('client_rsa', isRsa ? {} : refused),
    client('client_nameless', refused),
  ]),
);

// docs/differences.md
const mispinned = {
  ...refused,
  differs: { 'client[0].tls.failure': 'a wrong pin is told as bad_certificate' },
};

const pins: readonly Group[] = [
  group('a hash', strict('{ verify_certificate_hash: ["{{client_sha256}}"] }'), [
    client('client'),
    client('client_rsa', mispinned),
  ]),
  group('a key pin', strict('{ verify_certificate_spki: ["{{client_rsa_spki}}"] }'), [
    client('client', mispinned),
    client('client_rsa'),
  ]),
  group(
    'a hash or a key pin',
    strict('{ verify_certificate_hash: ["{{client_sha256}}"], verify_certificate_spki: ["{{client_rsa_spki}}"] }'),
    [client('client'), client('client_rsa'), client('client_p384', mispinned)],
  ),
  group('a hash of one that nobody trusts', strict('{ verify_certificate_hash: ["{{client_alien_sha256}}"] }'), [
    client('client_alien', refused),
    client('client', mispinned),
  ]),
];

const rules: readonly Group[] = [
  group('a revocation list', strict('{ crl: { filename: "{{crl_pem}}" } }'), [
    client('client'),
    client('client_revoked', refused),
    client('client_chain', refused),
  ]),
  group(
    'a revocation list for leaves',
    strict('{ crl: { filename: "{{crl_pem}}" }, only_verify_leaf_cert_crl: true }'),
    [client('client'), client('client_revoked', refused), client('client_chain', refused)],
  ),
  group('expired ones allowed', strict('{ allow_expired_certificate: true }'), [
    client('client_expired'),
    client('client_future'),
    client('client_alien', refused),
  ]),
  group('untrusted ones accepted', strict('{ trust_chain_verification: ACCEPT_UNTRUSTED }'), [
    client('client'),
    client('client_alien'),
    client('client_expired'),
    client('client_self'),
    unnamed,
  ]),
  group(
    'untrusted ones accepted by name',
    strict(
      `{ trust_chain_verification: ACCEPT_UNTRUSTED, match_typed_subject_alt_names: [{ san_type: URI, matcher: { prefix: "spiffe://" } }] }`,
    ),
    [client('client'), client('client_alien'), client('client_self')],
  ),
  group('a chain of one at most', strict('{ max_verify_depth: 1 }'), [
    client('client'),
    client('client_chain'),
    client('client_deep', refused),
  ]),
  group('no chain at all', strict('{ max_verify_depth: 0 }'), [client('client'), client('client_chain', refused)]),
  group('two roots', strict('{}', 'both'), [client('client'), client('client_alien'), client('client_self', refused)]),
  group('SNI required', strict('{}', 'ca', '{ require_client_certificate: true, require_sni: true }'), [
    client('client'),
    { name: 'no SNI', tls: { certificate: 'client', serverName: null } },
    {
      name: 'no SNI, TLS 1.2',
      tls: { certificate: 'client', serverName: null, maxVersion: 'TLSv1.2' },
    },
  ]),
];

/** Groups about what is asked of a client's certificate. */
export const tlsClients: readonly Group[] = [kinds, optional, unasked, ...sans, ...pins, ...rules];
