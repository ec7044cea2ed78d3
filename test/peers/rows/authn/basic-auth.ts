import { createHash } from 'node:crypto';
import { http } from '../../config.ts';
import type { Group, Pairs, Row } from '../../row.ts';

const type = 'type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3';
const filter = 'envoy.filters.http.basic_auth';

const line = (name: string, password: string): string =>
  `${name}:{SHA}${createHash('sha1').update(password).digest('base64')}`;
const users = (...lines: string[]): string => `users: { inline_string: ${JSON.stringify(lines.join('\n'))} }`;

function asking(name: string, settings: string, rows: readonly Row[], routes?: string): Group {
  return {
    name: `basic_auth: ${name}`,
    config: http({
      filters: `
- name: ${filter}
  typed_config: { '@type': ${type}.BasicAuth, ${settings} }`,
      log: ['DYNAMIC_METADATA(envoy.filters.http.basic_auth)'],
      ...(routes === undefined ? {} : { routes }),
    }),
    rows: rows.map((row) => ({ stats: /basic_auth/, ...row })),
  };
}

const basic = (text: string, field = 'authorization', scheme = 'Basic'): Pairs => [
  [field, `${scheme} ${Buffer.from(text).toString('base64')}`],
];
const get = (headers: Pairs, path = '/a?b=c') => ({ path, headers });

const plain = asking(
  'users',
  users('# a comment', line('alice', 'secret'), '', line('bob', 'pass:word'), line('carol', ''), line('dan', 'ä')),
  [
    { name: 'a user', request: get(basic('alice:secret')) },
    { name: 'a password with a colon', request: get(basic('bob:pass:word')) },
    { name: 'an empty password', request: get(basic('carol:')) },
    { name: 'a password of UTF-8', request: get(basic('dan:ä')) },
    { name: 'nobody', request: get([]) },
    { name: 'nobody, by HTTP/2', over: 'h2', request: get([]) },
    { name: 'a wrong password', request: get(basic('alice:Secret')) },
    { name: 'no password', request: get(basic('alice')) },
    { name: 'an unknown user', request: get(basic('eve:secret')) },
    { name: 'an unknown user without password', request: get(basic('eve:')) },
    { name: 'a scheme in lower case', request: get(basic('alice:secret', 'authorization', 'basic')) },
    { name: 'another scheme', request: get([['authorization', 'Bearer x']]) },
    { name: 'a scheme alone', request: get([['authorization', 'Basic']]) },
    { name: 'a scheme and nothing', request: get([['authorization', 'Basic ']]) },
    { name: 'two spaces', request: get(basic('alice:secret', 'authorization', 'Basic ')) },
    { name: 'no Base64', request: get([['authorization', 'Basic a*b=']]) },
    { name: 'Base64 without padding', request: get([['authorization', 'Basic YWxpY2U6c2VjcmV0cw']]) },
    { name: 'two fields', request: get([...basic('alice:secret'), ...basic('bob:pass:word')]) },
    { name: 'a route with its own, and its user', request: get(basic('zoe:zoe'), '/own') },
    { name: "a route with its own, and the filter's user", request: get(basic('alice:secret'), '/own') },
    { name: 'a long path', request: get([], `/${'a'.repeat(300)}`) },
  ],
  `
- { match: { prefix: /own }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.BasicAuthPerRoute, ${users(line('zoe', 'zoe'))} } } }
- { match: { prefix: / }, route: { cluster: one } }`,
);

const more = asking(
  'settings',
  `${users(line('alice', 'secret'))}, forward_username_header: X-User, authentication_header: X-Auth, allow_missing: true, emit_dynamic_metadata: true`,
  [
    { name: 'a user', request: get([...basic('alice:secret', 'x-auth'), ['x-user', 'mine']]) },
    {
      name: 'nobody',
      request: get([['x-user', 'mine']]),
      differs: { 'upstream[0].header.x-user': 'nobody but the filter says who somebody is' },
    },
    { name: 'another field', request: get(basic('alice:secret')) },
    { name: 'a wrong password', request: get([...basic('alice:no', 'x-auth'), ['x-user', 'mine']]) },
  ],
);

/** `envoy.filters.http.basic_auth`. */
export const basicAuthGroups: readonly Group[] = [plain, more];
