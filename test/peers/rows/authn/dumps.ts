import { createHash } from 'node:crypto';
import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { serverTls } from '../../tls/config.ts';
import { jwks, keys } from './tokens.ts';

const type = 'type.googleapis.com/envoy.extensions';
const users = (name: string): string =>
  `{ inline_string: '${name}:{SHA}${createHash('sha1').update('secret').digest('base64')}' }`;

const filters = `
- name: envoy.filters.http.basic_auth
  typed_config: { '@type': ${type}.filters.http.basic_auth.v3.BasicAuth, users: ${users('alice')}, allow_missing: true }
- name: envoy.filters.http.jwt_authn
  typed_config:
    '@type': ${type}.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      inline: { issuer: a, local_jwks: { inline_string: '${jwks(keys.hs256, keys.rs256)}' } }
    rules: [{ match: { prefix: /token }, requires: { provider_name: inline } }]
- name: envoy.filters.http.ext_authz
  disabled: true
  typed_config:
    '@type': ${type}.filters.http.ext_authz.v3.ExtAuthz
    transport_api_version: V3
    grpc_service: { envoy_grpc: { cluster_name: one }, initial_metadata: [{ key: authorization, value: Bearer token }] }`;

const routes = `
- match: { prefix: /own }
  route: { cluster: one }
  request_headers_to_add: [{ header: { key: authorization, value: Bearer token } }]
  typed_per_filter_config:
    envoy.filters.http.basic_auth: { '@type': ${type}.filters.http.basic_auth.v3.BasicAuthPerRoute, users: ${users('zoe')} }
- match: { prefix: / }
  route: { cluster: one }`;

const secrets = `
static_resources:
  secrets:
  - { name: generic, generic_secret: { secret: { inline_string: hush } } }
  - { name: several, generic_secret: { secrets: { one: { inline_string: hush }, two: { inline_bytes: aHVzaA== } } } }
  - { name: tickets, session_ticket_keys: { keys: [{ inline_bytes: ${Buffer.alloc(80, 'k').toString('base64')} }] } }
  - { name: pair, tls_certificate: { certificate_chain: { filename: '{{server_pem}}' }, private_key: { filename: '{{server_key}}' } } }`;

const whole = http({ filters, routes, transport: serverTls(['server']) });

const dump = (resource: string, name = '.*'): Row => ({
  name: `${resource} ${name}`,
  admin: `/config_dump?resource=${resource}&name_regex=${name}`,
  ignores: /last_updated/,
});

/** What `/config_dump` tells of passwords, keys and tokens. */
export const dumpGroups: readonly Group[] = [
  {
    name: 'config_dump: secrets',
    config: whole.replace(/^static_resources:/m, secrets.trimStart()),
    rows: [
      dump('static_listeners'),
      dump('static_route_configs'),
      // One at a time: Envoy's are in no order.
      ...['generic', 'several', 'tickets', 'pair'].map((name) => dump('static_secrets', name)),
    ],
  },
];
