import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { jwks, keys, token } from './tokens.ts';

const rbac = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';
const jwt = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** `/admin` is nobody's, `/private` needs a token and `x-role: owner` is for the host `inner.test` alone. */
const filters = `
- name: rbac
  typed_config:
    '@type': ${rbac}
    rules:
      action: DENY
      policies:
        admin: { permissions: [{ url_path: { path: { prefix: /admin } } }], principals: [{ any: true }] }
        role: { permissions: [{ and_rules: { rules: [{ header: { name: x-role, string_match: { exact: owner } } }, { not_rule: { header: { name: ':authority', string_match: { exact: inner.test } } } }] } }], principals: [{ any: true }] }
- name: jwt
  typed_config: { '@type': ${jwt}, providers: { a: { issuer: issuer-a, local_jwks: { inline_string: '${jwks(keys.es256)}' } } }, rules: [{ match: { path_separated_prefix: /private }, requires: { provider_name: a } }, { match: { prefix: /Exact, case_sensitive: false }, requires: { provider_name: a } }] }`;

const routes = `
- { match: { prefix: /admin }, direct_response: { status: 200, body: { inline_string: admin } } }
- { match: { prefix: /private }, direct_response: { status: 200, body: { inline_string: private } } }
- { match: { path: /exact }, direct_response: { status: 200, body: { inline_string: exact } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const targets = [
  '/admin',
  '/admin/',
  '/admin?x',
  '/admin#x',
  '/Admin',
  '/ADMIN',
  '//admin',
  '/./admin',
  '/x/../admin',
  '/x/..//admin',
  '/../admin',
  '/%61dmin',
  '/adm%69n',
  '/%2561dmin',
  '/%2fadmin',
  '/%2Fadmin',
  '/x%2f..%2fadmin',
  '/x/%2e%2e/admin',
  '/x/%2E%2E/admin',
  '/.%2fadmin',
  '/%5cadmin',
  '/\\admin',
  '/x/..\\admin',
  '/admin;a=b',
  '/;/admin',
  '/admin%00',
  '/admin%20',
  '/admin%0a',
  '/ädmin',
  '/%c0%afadmin',
  '/private',
  '/private/x',
  '/privateer',
  '/x/../private',
  '/private/../public',
  '/private/%2e%2e/public',
  '/public/..%2fprivate',
  '//private//x',
  '/private;x',
  '/exact',
  '/EXACT',
  '/exact/',
  '*',
  '',
  'admin',
  'http://test.local/admin',
  'http://other.test/x/../admin',
  'HTTP://test.local//admin',
  'http://test.local',
];

const heads: Readonly<Record<string, string>> = {
  'the role': 'x-role: owner\r\n',
  'the role in capitals': 'X-ROLE: owner\r\n',
  'the role with spaces': 'x-role:   owner  \r\n',
  'the role twice': 'x-role: owner\r\nx-role: guest\r\n',
  'the role behind another': 'x-role: guest\r\nx-role: owner\r\n',
  'the role in a list': 'x-role: guest, owner\r\n',
  'the role with an underscore': 'x_role: owner\r\n',
  'the role folded': 'x-role:\r\n owner\r\n',
  'the path of before': 'x-envoy-original-path: /admin\r\n',
};

const ask = (target: string, more = '', host = 'test.local'): string =>
  `GET ${target} HTTP/1.1\r\nhost: ${host}\r\n${more}\r\n`;

const rows: readonly Row[] = [
  ...targets.map((target): Row => ({
    name: `GET ${target}`,
    raw: Buffer.from(ask(target)).toString('latin1'),
  })),
  ...Object.entries(heads).map(([name, head]): Row => ({ name, raw: ask('/x', head) })),
  ...['inner.test', 'INNER.test', 'inner.test:80', 'inner.test.', 'inner.test, x', 'x@inner.test'].map((host): Row => ({
    name: `the role at ${host}`,
    raw: ask('/x', 'x-role: owner\r\n', host),
  })),
  {
    name: 'a token for what needs one',
    raw: ask('/private', `authorization: Bearer ${token(keys.es256)}\r\n`),
  },
  { name: 'the role, by HTTP/2', over: 'h2', request: { path: '/x', headers: [['x-role', 'owner']] } },
  { name: 'dot segments, by HTTP/2', over: 'h2', request: { path: '/x/../admin' } },
];

function normalising(name: string, hcm: string): Group {
  return { name: `bypasses: ${name}`, config: http({ filters, routes, hcm }), rows };
}

/** Ways around what filters and routes say of paths, hosts and fields: whoever decides must see what is forwarded. */
export const bypassGroups: readonly Group[] = [
  normalising('as it comes', '{}'),
  normalising(
    'normalized',
    '{ normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD }',
  ),
  normalising(
    'refused',
    '{ normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: REJECT_REQUEST }',
  ),
  normalising(
    'redirected',
    '{ normalize_path: true, path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT, strip_any_host_port: true }',
  ),
];
