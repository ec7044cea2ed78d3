import { http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { downstreamOperators, serverTls } from '../../tls/config.ts';

const group = (name: string, transport: Yaml, rows: readonly Row[]): Group => ({
  name: `TLS: ${name}`,
  config: http({ transport, listenerLog: downstreamOperators, hcm: '{ access_log: [] }' }),
  rows,
});

const asking: readonly Row[] = [
  { name: 'a client that asks', tls: { asksForStaple: true } },
  { name: 'one that asks, TLS 1.2', tls: { asksForStaple: true, maxVersion: 'TLSv1.2' } },
  { name: 'one that does not', tls: {} },
];

/** The server's certificate with an OCSP response: `good`, `stale` or none. */
function stapled(policy: string, response: 'good' | 'stale' | null): Yaml {
  const certificate = {
    certificate_chain: { filename: '{{server_pem}}' },
    private_key: { filename: '{{server_key}}' },
    ...(response === null ? {} : { ocsp_staple: { filename: `{{server_ocsp_${response}}}` } }),
  };
  return serverTls([], { tls_certificates: [certificate] }, `{ ocsp_staple_policy: ${policy} }`);
}

const staples = (
  [
    ['LENIENT_STAPLING', 'good'],
    ['LENIENT_STAPLING', 'stale'],
    ['LENIENT_STAPLING', null],
    ['STRICT_STAPLING', 'good'],
    ['STRICT_STAPLING', 'stale'],
    ['STRICT_STAPLING', null],
    ['MUST_STAPLE', 'good'],
    ['MUST_STAPLE', 'stale'],
  ] as const
).map(([policy, response]) => group(`${policy}, ${response ?? 'no'} response`, stapled(policy, response), asking));

const locked = serverTls([], {
  tls_certificates: [
    {
      certificate_chain: { filename: '{{server_rsa_pem}}' },
      private_key: { filename: '{{server_rsa_locked_key}}' },
      password: { inline_string: 'secret' },
    },
  ],
});

const packed = (file: string, password?: string): Yaml =>
  serverTls([], {
    tls_certificates: [
      {
        pkcs12: { filename: `{{${file}}}` },
        ...(password === undefined ? {} : { password: { inline_string: password } }),
      },
    ],
  });

const key = (letter: string): Yaml => ({ inline_bytes: Buffer.alloc(80, letter).toString('base64') });

/** The first of them makes tickets. */
const tickets = (...letters: string[]): Yaml =>
  serverTls(['server'], {}, JSON.stringify({ session_ticket_keys: { keys: letters.map(key) } }));

const resuming: readonly Row[] = [
  { name: 'TLS 1.3', tls: { minVersion: 'TLSv1.3', resumes: true } },
  { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2', resumes: true } },
];

const spiffe: Yaml = serverTls(
  ['server'],
  {
    validation_context: {
      custom_validator_config: {
        name: 'envoy.tls.cert_validator.spiffe',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
          trust_domains: [
            { name: 'peers.test', trust_bundle: { filename: '{{ca_pem}}' } },
            { name: 'alien.test', trust_bundle: { filename: '{{alien_pem}}' } },
          ],
        },
      },
    },
  },
  '{ require_client_certificate: true }',
);

const revoking = serverTls(
  ['server'],
  {
    validation_context: {
      custom_validator_config: {
        name: 'envoy.tls.cert_validator.spiffe',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
          trust_domains: [
            { name: 'peers.test', trust_bundle: { filename: '{{ca_crl_pem}}' } },
            { name: 'alien.test', trust_bundle: { filename: '{{alien_pem}}' } },
          ],
        },
      },
    },
  },
  '{ require_client_certificate: true }',
);

/** Of a handshake without a cipher in common: what had been chosen by then. */
const howFar = /DOWNSTREAM_(LOCAL|TLS_VERSION|TRANSPORT_FAILURE_REASON)/;

const fips = (names: readonly string[]): Yaml =>
  serverTls([...names], {
    tls_params: { compliance_policies: ['FIPS_202205'], ecdh_curves: ['X25519'], cipher_suites: ['AES128-SHA'] },
  });

const crossed = serverTls(
  ['server'],
  {
    validation_context: {
      custom_validator_config: {
        name: 'envoy.tls.cert_validator.spiffe',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
          trust_domains: [{ name: 'peers.test', trust_bundle: { filename: '{{alien_pem}}' } }],
        },
      },
    },
  },
  '{ require_client_certificate: true }',
);

const client = (certificate: string, isRefused = false): Row => ({
  name: certificate,
  tls: { certificate },
  ...(isRefused ? { until: 'closed' } : {}),
});

/** Groups about single settings. */
export const tlsSettings: readonly Group[] = [
  ...staples,
  group('a key with a password', locked, [{ name: 'a request', tls: {} }]),
  group('PKCS#12', packed('server_p12'), [
    { name: 'a request', tls: {} },
    { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2' } },
  ]),
  group('PKCS#12 with a chain and a password', packed('server_deep_locked_p12', 'secret'), [
    {
      name: 'a request',
      tls: {},
      differs: { 'client[0].tls.peer': 'chains out of PKCS#12 are sent in their order' },
    },
  ]),
  group('a ticket key of our own', tickets('a'), resuming),
  group('two ticket keys', tickets('b', 'a'), resuming),
  group('SPIFFE trust domains', spiffe, [
    client('client_rsa'),
    client('client_deep'),
    client('client_alien'),
    client('client'),
    client('client_nameless', true),
    { name: 'none', tls: {}, until: 'closed' },
  ]),
  group('a SPIFFE trust domain that revokes', revoking, [
    client('client_rsa'),
    client('client_alien'),
    client('client_revoked', true),
    // Its intermediate authorities have no list.
    client('client_deep', true),
  ]),
  group('FIPS_202205', fips(['server', 'server_rsa']), [
    { name: 'TLS 1.3', tls: { groups: 'P-256', ciphers: 'TLS_AES_128_GCM_SHA256' } },
    { name: 'TLS 1.3, P-384 and AES-256', tls: { groups: 'P-384', ciphers: 'TLS_AES_256_GCM_SHA384' } },
    { name: 'TLS 1.3, both groups', tls: { groups: 'P-384:P-256', ciphers: 'TLS_AES_128_GCM_SHA256' } },
    { name: 'X25519 alone', tls: { groups: 'X25519' }, until: 'closed' },
    {
      name: 'ChaCha alone',
      tls: { ciphers: 'TLS_CHACHA20_POLY1305_SHA256', minVersion: 'TLSv1.3' },
      until: 'closed',
      ignores: howFar,
    },
    { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2', groups: 'P-256' } },
    {
      name: 'TLS 1.2 with RSA',
      tls: { maxVersion: 'TLSv1.2', groups: 'P-384', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' },
    },
    {
      name: 'TLS 1.2 with ChaCha alone',
      tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
      until: 'closed',
      ignores: howFar,
    },
  ]),
  group('a SPIFFE trust domain with the bundle of another', crossed, [client('client_rsa', true)]),
  group('the ciphers of the client count', serverTls(['server'], {}, '{ prefer_client_ciphers: true }'), [
    {
      name: 'AES-256 first, TLS 1.2',
      tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256' },
    },
    {
      name: 'ChaCha first, TLS 1.2',
      tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256' },
    },
  ]),
  group(
    'signature algorithms',
    serverTls(['server_rsa'], { tls_params: { signature_algorithms: ['rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha256'] } }),
    [
      { name: 'the listener prefers', tls: { minVersion: 'TLSv1.3' } },
      { name: 'one in common', tls: { minVersion: 'TLSv1.3', signatureAlgorithms: 'rsa_pss_rsae_sha256' } },
      { name: 'none in common', tls: { signatureAlgorithms: 'rsa_pss_rsae_sha512' }, until: 'closed' },
    ],
  ),
  group('TLS 1.3 alone', serverTls(['server'], { tls_params: { tls_minimum_protocol_version: 'TLSv1_3' } }), [
    { name: 'TLS 1.3', tls: {} },
    { name: 'TLS 1.2', tls: { maxVersion: 'TLSv1.2' }, until: 'closed' },
  ]),
  group('TLS 1.2 alone', serverTls(['server'], { tls_params: { tls_maximum_protocol_version: 'TLSv1_2' } }), [
    { name: 'both', tls: {} },
    { name: 'TLS 1.3', tls: { minVersion: 'TLSv1.3' }, until: 'closed' },
  ]),
];
