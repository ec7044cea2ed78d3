import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { clientTls, serverTls } from '../../tls/config.ts';

const overGrpc = (timeout: string) => ({
  resource_api_version: 'V3',
  initial_fetch_timeout: timeout,
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds' } }],
  },
});

const named = (name: string, timeout = '0s') => ({ name, sds_config: overGrpc(timeout) });

const http2 =
  '{ typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http2_protocol_options: {} } } } }';

const node = '{ node: { id: peers, cluster: peers } }';

const pair = (chain: string, key = chain) =>
  `{ tls_certificate: { certificate_chain: { filename: "{{${chain}_pem}}" }, private_key: { filename: "{{${key}_key}}" } } }`;

const trusts = (bundle: string) => `{ validation_context: { trusted_ca: { filename: "{{${bundle}_pem}}" } } }`;

/** Which of them serves, and what became of the handshake. */
const log = ['DOWNSTREAM_LOCAL_SUBJECT', 'DOWNSTREAM_PEER_SUBJECT', 'DOWNSTREAM_TRANSPORT_FAILURE_REASON'];

/** In TLS 1.3 each proxy has a preference of its own. */
const ciphers = 'TLS_AES_128_GCM_SHA256';

/** Of every subscription, and of what is made of it. */
const stats = /^sds\.|ssl_context_update_by_sds|secrets_not_ready|^(listener|cluster)\..*\.ssl\./;

/** Instants, versions that the control plane counts, and when a stream happens to be open. */
const ignores = /update_time|\.version$|update_duration/;

const row = (one: Row): Row => ({ ...one, ignores });

const refusals: readonly (readonly [name: string, secret: string])[] = [
  ['a key of another certificate', pair('server', 'server_two')],
  ['no key', '{ tls_certificate: { certificate_chain: { filename: "{{server_pem}}" } } }'],
  ['no PEM', '{ tls_certificate: { certificate_chain: { inline_string: a }, private_key: { inline_string: b } } }'],
  [
    'a file that is not there',
    '{ tls_certificate: { certificate_chain: { filename: /none }, private_key: { filename: /none } } }',
  ],
  ['another kind', trusts('ca')],
  ['nothing at all', '{}'],
];

const rotation: Group = {
  name: 'SDS: a certificate comes, changes and is refused',
  config: http({
    transport: serverTls([], { tls_certificate_sds_secret_configs: [named('server')] }),
    clusters: JSON.stringify([cluster('sds', ['sds'], http2)]),
    bootstrap: node,
    log,
  }),
  tls: { ciphers },
  stats,
  secrets: { server: pair('server') },
  rows: [
    row({ name: 'the first' }),
    row({ name: 'another', secrets: { server: pair('server_two') } }),
    row({ name: 'the same again', secrets: { server: pair('server_two') } }),
    row({ name: 'one with an RSA key', secrets: { server: pair('server_rsa') } }),
    ...refusals.map(([name, secret]) => row({ name: `refused: ${name}`, secrets: { server: secret } })),
    row({ name: 'and a good one after all', secrets: { server: pair('server') } }),
    { name: '/ready', admin: '/ready' },
    { name: '/certs', admin: '/certs' },
    {
      name: '/config_dump',
      admin: '/config_dump?resource=dynamic_active_secrets',
      ignores: /last_updated/,
    },
  ],
};

const clients: Group = {
  name: 'SDS: whose certificates are taken',
  config: http({
    transport: serverTls(
      ['server'],
      {
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: 'spiffe://peers.test/' } }],
          },
          validation_context_sds_secret_config: named('clients'),
        },
      },
      '{ require_client_certificate: true }',
    ),
    clusters: JSON.stringify([cluster('sds', ['sds'], http2)]),
    bootstrap: node,
    log,
  }),
  tls: { ciphers, certificate: 'client' },
  stats,
  secrets: { clients: trusts('ca') },
  rows: [
    row({ name: 'one of them' }),
    row({ name: 'a stranger', tls: { ciphers, certificate: 'client_alien' }, logLines: 0, until: 'closed' }),
    row({ name: 'they are others now', secrets: { clients: trusts('alien') }, logLines: 0, until: 'closed' }),
    row({ name: 'both', secrets: { clients: trusts('both') } }),
    row({
      name: 'refused: no PEM',
      secrets: { clients: '{ validation_context: { trusted_ca: { inline_string: a } } }' },
    }),
    { name: '/certs', admin: '/certs' },
  ],
};

const late: Group = {
  name: 'SDS: a certificate that is late',
  config: http({
    transport: serverTls([], { tls_certificate_sds_secret_configs: [named('server', '0.1s')] }),
    clusters: JSON.stringify([
      cluster('sds', ['sds'], http2),
      {
        ...cluster('secured', ['one']),
        transport_socket: clientTls([], { tls_certificate_sds_secret_configs: [named('client', '0.1s')] }),
      },
    ]),
    bootstrap: node,
    log,
  }),
  tls: { ciphers },
  stats,
  secrets: {},
  rows: [
    row({ name: 'nobody is served', logLines: 0, until: 'closed' }),
    { name: 'nothing is shown', admin: '/certs' },
    {
      name: 'what is waited for',
      admin: '/config_dump?resource=dynamic_warming_secrets',
      // In what order two of them are shown, chance decides.
      ignores: /last_updated|configs\.\d\.(secret\.)?name/,
    },
    row({ name: 'it comes', secrets: { server: pair('server') } }),
  ],
};

const upstream: Group = {
  name: 'SDS: what a cluster shows and trusts',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: secured } }]',
    clusters: JSON.stringify([
      cluster('sds', ['sds'], http2),
      {
        ...cluster('secured', ['origin']),
        transport_socket: clientTls(
          [],
          {
            tls_certificate_sds_secret_configs: [named('client', '0.1s')],
            validation_context_sds_secret_config: named('root', '0.1s'),
          },
          '{ sni: server.test, max_session_keys: 0 }',
        ),
      },
    ]),
    bootstrap: node,
  }),
  stats,
  origins: { origin: { certificate: 'server' } },
  secrets: {},
  rows: [
    row({ name: 'neither has come' }),
    // Envoy may count the first update before it is asked what it has counted, or after.
    {
      name: 'one of them is not enough',
      secrets: { client: pair('client') },
      ignores: /update_time|\.version$|update_duration|update_by_sds/,
    },
    row({ name: 'both', secrets: { root: trusts('ca') } }),
    row({ name: 'the origin is a stranger now', secrets: { root: trusts('alien') } }),
    row({ name: 'and no more', secrets: { root: trusts('both') } }),
  ],
};

const inFile = (name: string, file: string) => ({
  name,
  sds_config: { resource_api_version: 'V3', path_config_source: { path: `{{directory}}/${file}` } },
});

const response = (name: string, secret: string) =>
  `{ version_info: "7", resources: [{ "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret, name: ${name}, ${secret.slice(1)}] }`;

/** One that can be read and one that cannot: what serves, what is counted, what is shown. */
const inFiles: Group = {
  name: 'SDS: secrets in files',
  config: http({
    transport: serverTls([], { tls_certificate_sds_secret_configs: [inFile('server', 'server.yaml')] }),
    clusters: JSON.stringify([
      {
        ...cluster('secured', ['one']),
        transport_socket: clientTls([], { tls_certificate_sds_secret_configs: [inFile('a:b://c', 'client.yaml')] }),
      },
      {
        ...cluster('other', ['one']),
        transport_socket: clientTls([], { validation_context_sds_secret_config: inFile('root', 'root.yaml') }),
      },
    ]),
    bootstrap: node,
    log,
  }),
  tls: { ciphers },
  stats,
  files: {
    'server.yaml': response('server', pair('server')),
    'client.yaml': response('"a:b://c"', pair('server', 'server_two')),
    'root.yaml': response('another', trusts('ca')),
  },
  rows: [
    row({ name: 'it is there from the start' }),
    {
      name: '/stats of what was read',
      admin: '/stats?filter=^sds\\.(server|a_b_c|root)\\.',
      ignores: /update_time|update_duration|\.version:/,
    },
    { name: '/certs', admin: '/certs' },
    {
      name: '/config_dump',
      admin: '/config_dump?resource=dynamic_active_secrets',
      ignores: /last_updated/,
      differs: { 'admin.configs': 'a secret that is refused is not shown as one in force' },
    },
    { name: '/init_dump', admin: '/init_dump' },
  ],
};

/** Secrets that a control plane brings: when they come, when they change and when they are refused. */
export const tlsSecrets: readonly Group[] = [rotation, clients, late, upstream, inFiles];
