import { http } from '../../config.ts';
import type { Group, Pairs, Request, Row } from '../../row.ts';
import { claims, jwks, keys, now, signed, token } from './tokens.ts';

const filter = 'envoy.filters.http.jwt_authn';
const type = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3';
const local = `local_jwks: { inline_string: '${jwks(keys.rs256, keys.rs512, keys.ps256, keys.es256, keys.es384, keys.es512, keys.eddsa, keys.hs256)}' }`;

const log = ['DYNAMIC_METADATA(envoy.filters.http.jwt_authn)'];

/** A listener whose one filter asks for tokens. `providers` and `rules` in YAML's flow style. */
function asking(name: string, settings: string, rows: readonly Row[], routes?: string): Group {
  return {
    name: `jwt_authn: ${name}`,
    config: http({
      filters: `
- name: ${filter}
  typed_config: { '@type': ${type}.JwtAuthentication, ${settings} }`,
      log,
      ...(routes === undefined ? {} : { routes }),
    }),
    rows: rows.map((row) => ({ stats: /jwt_authn/, ...row })),
  };
}

const everywhere = (requirement: string): string => `rules: [{ match: { prefix: / }, requires: { ${requirement} } }]`;

const bearer = (text: string, more: Partial<Request> = {}, headers: Pairs = []): Request => ({
  path: '/',
  headers: [['authorization', `Bearer ${text}`], ...headers],
  ...more,
});

const good = token(keys.rs256);
const [headerPart, payloadPart, signaturePart] = good.split('.');
const base64 = (text: string): string => Buffer.from(text).toString('base64url');

/** An array in an array and so on, or objects. */
function nested(depth: number, isArray: boolean): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = isArray ? [value] : { a: value };
  return value;
}

const verdicts: readonly Row[] = [
  { name: 'good', request: bearer(good) },
  { name: 'none', request: { path: '/some/where?x=1' } },
  { name: 'none, by HTTP/2', over: 'h2', request: { path: '/some' } },
  {
    name: 'none, in gRPC',
    over: 'h2',
    request: { path: '/a.B/C', method: 'POST', headers: [['content-type', 'application/grpc']] },
  },
  { name: 'a long path', request: { path: `/${'a'.repeat(300)}` } },
  { name: 'bearer in lower case', request: { path: '/', headers: [['authorization', `bearer ${good}`]] } },
  { name: 'Basic', request: { path: '/', headers: [['authorization', 'Basic YTpi']] } },
  { name: 'nothing behind Bearer', request: { path: '/', headers: [['authorization', 'Bearer ']] } },
  { name: 'characters in front of it', request: { path: '/', headers: [['authorization', `Bearer "${good}`]] } },
  { name: 'characters behind it', request: { path: '/', headers: [['authorization', `Bearer ${good}"`]] } },
  { name: 'Bearer in the middle', request: { path: '/', headers: [['authorization', `x Bearer ${good}`]] } },
  { name: 'in the query', request: { path: `/a?x=1&access_token=${good}&y=2` } },
  { name: 'in header and query', request: bearer(good, { path: `/a?access_token=${good}` }) },
  { name: 'good in the header, bad in the query', request: bearer(good, { path: `/a?access_token=bad` }) },
  { name: 'two fields, both good', request: bearer(good, {}, [['authorization', `Bearer ${good}`]]) },
  { name: 'two fields, one bad', request: bearer(good, {}, [['authorization', 'Bearer nonsense']]) },
  { name: 'one section', request: bearer('nonsense') },
  { name: 'two sections', request: bearer(`${headerPart}.${payloadPart}`) },
  { name: 'four sections', request: bearer(`${good}.more`) },
  { name: 'an empty signature', request: bearer(`${headerPart}.${payloadPart}.`) },
  { name: 'an empty section among three', request: bearer(`${headerPart}..${payloadPart}.${signaturePart}`) },
  { name: 'header: no Base64', request: bearer(`a+b.${payloadPart}.${signaturePart}`) },
  { name: 'header: a length that Base64 has not', request: bearer(`abcde.${payloadPart}.${signaturePart}`) },
  { name: 'header: padded', request: bearer(`${base64('{"alg":"RS256"}')}=.${payloadPart}.${signaturePart}`) },
  { name: 'header: no JSON', request: bearer(`${base64('{nonsense')}.${payloadPart}.${signaturePart}`) },
  { name: 'header: a list', request: bearer(`${base64('[1]')}.${payloadPart}.${signaturePart}`) },
  { name: 'header: no alg', request: bearer(signed(keys.rs256, { typ: 'JWT' }, claims)) },
  { name: 'header: alg is a number', request: bearer(signed(keys.rs256, { alg: 5 }, claims)) },
  { name: 'header: alg none', request: bearer(signed(keys.rs256, { alg: 'none' }, claims)) },
  { name: 'header: alg none without signature', request: bearer(`${base64('{"alg":"none"}')}.${payloadPart}.x`) },
  { name: 'header: alg of another case', request: bearer(signed(keys.rs256, { alg: 'rs256' }, claims)) },
  { name: 'header: kid is a number', request: bearer(signed(keys.rs256, { alg: 'RS256', kid: 5 }, claims)) },
  { name: 'payload: no Base64', request: bearer(`${headerPart}.a+b.${signaturePart}`) },
  { name: 'payload: no JSON', request: bearer(`${headerPart}.${base64('{')}.${signaturePart}`) },
  { name: 'payload: a text', request: bearer(`${headerPart}.${base64('"x"')}.${signaturePart}`) },
  ...[99, 100, 20_000].flatMap((depth): Row[] => [
    { name: `payload: ${depth} arrays deep`, request: bearer(token(keys.rs256, { a: nested(depth, true) })) },
  ]),
  ...[99, 100, 3000].flatMap((depth): Row[] => [
    { name: `payload: ${depth} objects deep`, request: bearer(token(keys.rs256, { a: nested(depth, false) })) },
    { name: `header: ${depth} objects deep`, request: bearer(token(keys.rs256, {}, { a: nested(depth, false) })) },
  ]),
  { name: 'iss is a number', request: bearer(token(keys.rs256, { iss: 5 })) },
  { name: 'sub is a list', request: bearer(token(keys.rs256, { sub: [] })) },
  { name: 'iat is a text', request: bearer(token(keys.rs256, { iat: 'x' })) },
  { name: 'iat is negative', request: bearer(token(keys.rs256, { iat: -1 })) },
  { name: 'nbf is a text', request: bearer(token(keys.rs256, { nbf: 'x' })) },
  { name: 'nbf is too large', request: bearer(token(keys.rs256, { nbf: 1e30 })) },
  { name: 'exp is a text', request: bearer(token(keys.rs256, { exp: 'x' })) },
  { name: 'exp is negative', request: bearer(token(keys.rs256, { exp: -5 })) },
  { name: 'exp has a fraction', request: bearer(token(keys.rs256, { exp: now + 1000.5 })) },
  { name: 'jti is a number', request: bearer(token(keys.rs256, { jti: 5 })) },
  { name: 'aud is a number', request: bearer(token(keys.rs256, { aud: 5 })) },
  { name: 'aud is a list of numbers', request: bearer(token(keys.rs256, { aud: [5] })) },
  { name: 'signature: no Base64', request: bearer(`${headerPart}.${payloadPart}.a+b`) },
  { name: 'expired', request: bearer(token(keys.rs256, { exp: now - 1000 })) },
  { name: 'expired within the skew', request: bearer(token(keys.rs256, { exp: now - 30 })) },
  { name: 'not yet', request: bearer(token(keys.rs256, { nbf: now + 1000 })) },
  { name: 'not yet, within the skew', request: bearer(token(keys.rs256, { nbf: now + 30 })) },
  { name: 'no exp', request: bearer(token(keys.rs256, { exp: undefined })) },
  { name: 'another issuer', request: bearer(token(keys.rs256, { iss: 'issuer-x' })) },
  { name: 'no issuer', request: bearer(token(keys.rs256, { iss: undefined })) },
  { name: 'another audience', request: bearer(token(keys.rs256, { aud: 'films' })) },
  { name: 'one audience of several', request: bearer(token(keys.rs256, { aud: ['films', 'books'] })) },
  { name: 'an audience with scheme and slash', request: bearer(token(keys.rs256, { aud: 'https://books/' })) },
  { name: 'no audience', request: bearer(token(keys.rs256, { aud: undefined })) },
  { name: 'another key', request: bearer(token(keys.stranger)) },
  { name: 'an unknown kid', request: bearer(token(keys.rs256, {}, { kid: 'unknown' })) },
  { name: 'no kid', request: bearer(token(keys.rs256, {}, { kid: undefined })) },
  { name: "another key's kid", request: bearer(token(keys.rs256, {}, { kid: 'es256' })) },
  {
    name: 'signed as secret with the public key',
    request: bearer(signed(keys.hs256, { alg: 'HS256', kid: 'rs256' }, claims)),
  },
  {
    name: 'a payload that was changed',
    request: bearer(`${headerPart}.${base64(JSON.stringify({ ...claims, sub: 'eve' }))}.${signaturePart}`),
  },
  ...(['rs512', 'ps256', 'es256', 'es384', 'es512', 'eddsa', 'hs256'] as const).map((name): Row => ({
    name: `signed by ${name}`,
    request: bearer(token(keys[name])),
  })),
  {
    name: 'EdDSA: a signature that is too short',
    request: bearer(`${token(keys.eddsa).split('.').slice(0, 2).join('.')}.abcd`),
  },
  {
    name: 'ES256: a signature that is too short',
    request: bearer(`${token(keys.es256).split('.').slice(0, 2).join('.')}.abcd`),
  },
];

const everyKind = asking(
  'verdicts',
  `providers: { a: { issuer: issuer-a, audiences: [books], ${local} } }, ${everywhere('provider_name: a')}`,
  verdicts,
);

const rich = {
  text: 'words of text',
  whole: 42,
  broken: 1.5,
  negative: -3,
  large: 1e18,
  yes: true,
  no: false,
  list: ['a', 'b'],
  nested: { deep: { er: 'found' } },
  'dotted.name': 'dotted',
  empty: '',
  scope: 'read write',
  permission: 'one',
  umlaut: 'ä',
  nothing: null,
  signs: ['~~~???>>>'],
};

const told = asking(
  'what tokens say',
  `providers: { a: { issuer: issuer-a, forward: true, ${local}, forward_payload_header: x-payload,
    payload_in_metadata: payload, header_in_metadata: header, failed_status_in_metadata: failed,
    normalize_payload_in_metadata: { space_delimited_claims: [scope, permission, whole] },
    claim_to_headers: [ ${Object.keys(rich)
      .map((claim) => `{ header_name: X-${claim.replace('.', '-')}, claim_name: ${claim} }`)
      .join(
        ', ',
      )}, { header_name: x-deep, claim_name: nested.deep.er }, { header_name: x-far, claim_name: nested.deep.er.more }, { header_name: x-twice, claim_name: text }, { header_name: x-twice, claim_name: whole } ] },
    b: { issuer: issuer-b, ${local}, forward_payload_header: x-payload, pad_forward_payload_header: true, from_headers: [{ name: X-Jwt }, { name: x-pre, value_prefix: 'Pre ' }], from_params: [jwt], from_cookies: [session] } },
    rules: [{ match: { prefix: /b }, requires: { provider_name: b } }, { match: { prefix: / }, requires: { provider_name: a } }]`,
  [
    { name: 'claims of every kind', request: bearer(token(keys.rs256, rich)) },
    {
      name: 'claims that the client says itself',
      request: bearer(good, {}, [
        ['x-text', 'mine'],
        ['x-payload', 'mine'],
        ['x-deep', 'mine'],
      ]),
    },
    { name: 'nothing good', request: bearer(token(keys.rs256, { exp: 1 })) },
    { name: 'nothing', request: { path: '/' } },
    ...[1, 2, 3].map((n): Row => ({
      name: `a payload with padding of its own, ${n}`,
      request: { path: '/b', headers: [['x-jwt', token(keys.es256, { iss: 'issuer-b', x: 'y'.repeat(n) })]] },
    })),
    {
      name: 'a prefix',
      request: { path: '/b', headers: [['x-pre', `Pre ${token(keys.es256, { iss: 'issuer-b' })}`]] },
    },
    {
      name: 'a prefix that is not there',
      request: { path: '/b', headers: [['x-pre', token(keys.es256, { iss: 'issuer-b' })]] },
    },
    {
      name: 'a parameter among others',
      request: { path: `/b?z=1&jwt=${token(keys.es256, { iss: 'issuer-b' })}&a=b&z=2` },
    },
    {
      name: 'a cookie',
      request: { path: '/b', headers: [['cookie', `x=1; session=${token(keys.es256, { iss: 'issuer-b' })}`]] },
    },
    {
      name: 'the default place does not count',
      request: bearer(token(keys.es256, { iss: 'issuer-b' }), { path: '/b' }),
    },
  ],
);

const providers = `providers: { a: { issuer: issuer-a, ${local}, failed_status_in_metadata: failed, payload_in_metadata: a }, b: { issuer: issuer-b, ${local}, payload_in_metadata: b, from_headers: [{ name: x-b }] }, any: { ${local}, from_params: [any] } }`;
const rules = [
  ['provider', 'provider_name: a'],
  ['audiences', 'provider_and_audiences: { provider_name: a, audiences: [films, songs] }'],
  ['any', 'requires_any: { requirements: [{ provider_name: a }, { provider_name: b }] }'],
  ['all', 'requires_all: { requirements: [{ provider_name: a }, { provider_name: b }] }'],
  ['missing', 'allow_missing: {}'],
  ['failed', 'allow_missing_or_failed: {}'],
  ['any-missing', 'requires_any: { requirements: [{ provider_name: a }, { allow_missing: {} }] }'],
  ['any-failed', 'requires_any: { requirements: [{ provider_name: a }, { allow_missing_or_failed: {} }] }'],
  [
    'both-missing',
    'requires_any: { requirements: [{ provider_name: a }, { provider_name: b }, { allow_missing: {} }] }',
  ],
  ['all-missing', 'requires_all: { requirements: [{ provider_name: a }, { allow_missing: {} }] }'],
  [
    'nested',
    'requires_all: { requirements: [{ requires_any: { requirements: [{ provider_name: a }, { provider_name: any }] } }, { provider_name: b }] }',
  ],
  ['nobody', ''],
] as const;

const tokenSets: Readonly<Record<string, { headers?: Pairs; query?: string }>> = {
  none: {},
  a: { headers: [['authorization', `Bearer ${good}`]] },
  b: { headers: [['x-b', token(keys.es256, { iss: 'issuer-b' })]] },
  'a and b': {
    headers: [
      ['authorization', `Bearer ${good}`],
      ['x-b', token(keys.es256, { iss: 'issuer-b' })],
    ],
  },
  'a that has expired': { headers: [['authorization', `Bearer ${token(keys.rs256, { exp: 1 })}`]] },
  "b in a's place": { headers: [['authorization', `Bearer ${token(keys.es256, { iss: 'issuer-b' })}`]] },
  anybody: { query: `?any=${token(keys.es256, { iss: 'somebody' })}` },
  nonsense: { headers: [['authorization', 'Bearer nonsense']] },
};

const requirements = asking(
  'requirements',
  `${providers}, rules: [${rules.map(([name, requirement]) => `{ match: { path: /${name} }, requires: { ${requirement} } }`).join(', ')}, { match: { path: /no-requirement } }]`,
  [
    ...rules.flatMap(([name]) =>
      Object.entries(tokenSets).map(([set, { headers = [], query = '' }]): Row => ({
        name: `${name}: ${set}`,
        request: { path: `/${name}${query}`, headers },
      })),
    ),
    { name: 'a rule without requirement', request: { path: '/no-requirement' } },
    { name: 'no rule', request: { path: '/elsewhere' } },
  ],
);

const matching = asking(
  'rules',
  `${providers}, bypass_cors_preflight: true, rules: [
    { match: { path: /exact }, requires: { provider_name: a } },
    { match: { safe_regex: { regex: '/re[0-9]+' } }, requires: { provider_name: a } },
    { match: { path_separated_prefix: /sep }, requires: { provider_name: a } },
    { match: { prefix: /Case, case_sensitive: false }, requires: { provider_name: a } },
    { match: { prefix: /head, headers: [{ name: x-h, string_match: { exact: v } }] }, requires: { provider_name: a } },
    { match: { prefix: /query, query_parameters: [{ name: q, string_match: { exact: v } }] }, requires: { provider_name: a } },
    { match: { connect_matcher: {} }, requires: { provider_name: a } },
    { match: { prefix: /open }, requires: {} },
    { match: { prefix: /named }, requirement_name: one },
    { match: { prefix: /open2 } } ],
   requirement_map: { one: { provider_name: b }, two: { provider_name: a } }, stat_prefix: own`,
  [
    ...[
      '/exact',
      '/exact?x=1',
      '/exact/',
      '/re12',
      '/re12?x',
      '/re',
      '/sep',
      '/sep/x',
      '/separate',
      '/case',
      '/CASEx',
      '/head',
      '/query?q=v',
      '/query?q=w',
      '/open',
      '/named',
      '/open2',
      '/other',
      '/a%2Fb',
      '/x/../exact',
      '//exact',
    ].map((path): Row => ({ name: `path ${path}`, request: { path } })),
    { name: 'header that matches', request: { path: '/head', headers: [['x-h', 'v']] } },
    {
      name: 'preflight',
      request: {
        method: 'OPTIONS',
        path: '/exact',
        headers: [
          ['origin', 'http://a'],
          ['access-control-request-method', 'GET'],
        ],
      },
    },
    {
      name: 'OPTIONS that is no preflight',
      request: { method: 'OPTIONS', path: '/exact', headers: [['origin', 'http://a']] },
    },
    { name: 'route: off', request: { path: '/exact/off' } },
    { name: 'route: its own', request: { path: '/exact/two' } },
    { name: 'route: its own, with a token', request: bearer(good, { path: '/exact/two' }) },
    { name: 'route: unknown', request: { path: '/exact/unknown' } },
  ],
  `
- { match: { prefix: /exact/off }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.PerRouteConfig, disabled: true } } }
- { match: { prefix: /exact/two }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.PerRouteConfig, requirement_name: two } } }
- { match: { prefix: /exact/unknown }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.PerRouteConfig, requirement_name: three } } }
- { match: { prefix: / }, route: { cluster: one } }`,
);

const settings = asking(
  'settings of providers',
  `providers: {
     sub: { issuer: issuer-a, ${local}, subjects: { prefix: ali } },
     exp: { issuer: issuer-a, ${local}, require_expiration: true },
     life: { issuer: issuer-a, ${local}, max_lifetime: 600s },
     skew: { issuer: issuer-a, ${local}, clock_skew_seconds: 5 },
     cache: { issuer: issuer-a, ${local}, jwt_cache_config: { jwt_cache_size: 2 }, payload_in_metadata: p },
     clear: { issuer: issuer-a, ${local}, claim_to_headers: [{ header_name: x-sub, claim_name: sub }], clear_route_cache: true }  },
   strip_failure_response: true,
   rules: [${['sub', 'exp', 'life', 'skew', 'cache', 'clear'].map((name) => `{ match: { prefix: /${name} }, requires: { provider_name: ${name} } }`).join(', ')}]`,
  [
    { name: 'subject', request: bearer(good, { path: '/sub' }) },
    { name: 'another subject', request: bearer(token(keys.rs256, { sub: 'bob' }), { path: '/sub' }) },
    { name: 'no subject', request: bearer(token(keys.rs256, { sub: undefined }), { path: '/sub' }) },
    {
      name: 'no expiration where there must be',
      request: bearer(token(keys.rs256, { exp: undefined }), { path: '/exp' }),
    },
    { name: 'expiration where there must be', request: bearer(good, { path: '/exp' }) },
    { name: 'a long life', request: bearer(good, { path: '/life' }) },
    { name: 'a short life', request: bearer(token(keys.rs256, { exp: now + 300 }), { path: '/life' }) },
    { name: 'a small skew', request: bearer(token(keys.rs256, { exp: now - 30 }), { path: '/skew' }) },
    { name: 'the cache', request: [1, 2, 3].map(() => bearer(good, { path: '/cache' })) },
    {
      name: 'the cache is full',
      request: ['es256', 'es384', 'es512', 'es256'].map((name) =>
        bearer(token(keys[name as 'es256'], { jti: name }), { path: '/cache' }),
      ),
    },
    {
      name: 'the cache does not keep what is bad',
      request: [1, 2].map(() => bearer(token(keys.stranger), { path: '/cache' })),
    },
    { name: 'the route is chosen again', request: bearer(good, { path: '/clear' }) },
    { name: 'nothing, told to nobody', request: { path: '/sub' } },
  ],
  `
- { match: { prefix: /clear, headers: [{ name: x-sub, string_match: { exact: alice } }] }, direct_response: { status: 200, body: { inline_string: chosen } } }
- { match: { prefix: / }, route: { cluster: one } }`,
);

const remote = asking(
  'remote keys',
  `providers: {
     fetched: { issuer: issuer-a, remote_jwks: { http_uri: { uri: 'https://keys.test/jwks?v=1', cluster: two, timeout: 2s }, cache_duration: 300s } },
     again: { issuer: issuer-a, remote_jwks: { http_uri: { uri: 'http://keys.test:8080', cluster: two, timeout: 2s }, cache_duration: 0.001s, retry_policy: { num_retries: 2, retry_back_off: { base_interval: 0.01s, max_interval: 1s } } } },
     short: { issuer: issuer-a, remote_jwks: { http_uri: { uri: 'http://keys.test/', cluster: two, timeout: 0.3s } } },
     dead: { issuer: issuer-a, remote_jwks: { http_uri: { uri: 'http://keys.test/', cluster: dead, timeout: 1s } } },
     unknown: { issuer: issuer-a, remote_jwks: { http_uri: { uri: 'http://keys.test/', cluster: nowhere, timeout: 1s } } } },
   rules: [${['fetched', 'again', 'short', 'dead', 'unknown'].map((name) => `{ match: { prefix: /${name} }, requires: { provider_name: ${name} } }`).join(', ')}]`,
  [
    { name: 'the answer is 500', request: bearer(good, { path: '/fetched' }), upstream: [{ status: 500 }] },
    { name: 'the answer is 404', request: bearer(good, { path: '/fetched' }), upstream: [{ status: 404, body: 'no' }] },
    { name: 'the answer is nonsense', request: bearer(good, { path: '/fetched' }), upstream: [{ body: 'nonsense' }] },
    { name: 'the answer is empty', request: bearer(good, { path: '/fetched' }), upstream: [{ body: '' }] },
    {
      name: 'the answer is reset',
      request: bearer(good, { path: '/fetched' }),
      upstream: [{ raw: '', ending: 'reset' }],
    },
    { name: 'too late', request: bearer(good, { path: '/short' }), upstream: [{ delayMs: 1000 }] },
    { name: 'nobody there', request: bearer(good, { path: '/dead' }) },
    { name: 'no such cluster', request: bearer(good, { path: '/unknown' }) },
    { name: 'no fetch without a good token', request: bearer(token(keys.rs256, { exp: 1 }), { path: '/fetched' }) },
    {
      name: 'fetched',
      request: bearer(good, { path: '/fetched', body: 'with a body' }),
      upstream: [{ body: jwks(keys.rs256) }, {}],
    },
    { name: 'known', request: bearer(good, { path: '/fetched' }) },
    { name: 'known, another key', request: bearer(token(keys.es256), { path: '/fetched' }) },
    {
      name: 'tried again',
      // Envoy's repeated GET is chunked, without a chunk.
      ignores: /transfer-encoding/,
      request: bearer(good, { path: '/again' }),
      upstream: [{ status: 503 }, { raw: '', ending: 'reset' }, { body: jwks(keys.rs256) }, {}],
    },
  ],
);

/** `envoy.filters.http.jwt_authn`. */
export const jwtGroups: readonly Group[] = [everyKind, told, requirements, matching, settings, remote];
