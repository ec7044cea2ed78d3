import { http, type HttpParts } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const extensions = 'type.googleapis.com/envoy.extensions';
const types = 'type.googleapis.com/envoy.type.matcher.v3';

const input = (name: string, fields = ''): string =>
  `input: { name: in, typed_config: { '@type': ${types}.${name}${fields} } }`;

/** Puts this in an answer's place. */
const local = (fields: string): string =>
  `action: { name: local, typed_config: { '@type': ${extensions}.http.custom_response.local_response_policy.v3.LocalResponsePolicy, ${fields} } }`;

const matched = (entries: string, what = input('HttpResponseStatusCodeMatchInput')): string =>
  `custom_response_matcher: { matcher_tree: { ${what}, exact_match_map: { map: { ${entries} } } } }`;

const config = (matcher: string): string =>
  `{ '@type': ${extensions}.filters.http.custom_response.v3.CustomResponse, ${matcher} }`;

function custom(name: string, matcher: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `custom_response: ${name}`,
    config: http({ filters: `[{ name: own, typed_config: ${config(matcher)} }]`, ...parts }),
    rows: rows.map((row) => (untouched.has(row.name) ? row : { differs: { 'log[0].details': empty }, ...row })),
  };
}

const empty = 'a text that is empty is no text';

/** Rows whose answers stay. */
const untouched: ReadonlySet<string> = new Set(['left as it is', 'no route', '499', 'none']);

const routes = (matcher: string): string => `
- { match: { prefix: /route }, route: { cluster: one }, typed_per_filter_config: { own: ${config(matcher)} } }
- { match: { prefix: /direct }, direct_response: { status: 503, body: { inline_string: direct } } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: / }, route: { cluster: one } }`;

const answers: readonly Row[] = [
  { name: 'left as it is', request: { path: '/' } },
  {
    name: 'another status and body',
    request: { path: '/' },
    upstream: [
      {
        status: 503,
        headers: [
          ['x-own', '1'],
          ['content-type', 'text/own'],
        ],
        body: 'bad',
      },
    ],
  },
  { name: 'over HTTP/2', over: 'h2', request: { path: '/' }, upstream: [{ status: 503, chunks: ['a', 'b'] }] },
  { name: 'HEAD', request: { path: '/', method: 'HEAD' }, upstream: [{ status: 503 }] },
  {
    name: 'a body that is formatted',
    request: { path: '/', headers: [['x-a', 'b']] },
    upstream: [{ status: 500, headers: [['x-own', '1']] }],
  },
  { name: 'only headers', request: { path: '/' }, upstream: [{ status: 502, body: 'gone' }] },
  { name: 'an answer of our own', request: { path: '/direct' } },
  { name: 'nobody there', request: { path: '/dead' } },
  { name: 'no route', request: { path: '/', host: 'a' }, upstream: [{ status: 404 }] },
  {
    name: 'for gRPC',
    over: 'h2',
    request: { path: '/', method: 'POST', headers: [['content-type', 'application/grpc']], body: 'x' },
    upstream: [{ status: 503 }],
  },
  { name: 'as the route has it', request: { path: '/route' }, upstream: [{ status: 418 }] },
  { name: 'and only as the route has it', request: { path: '/route' }, upstream: [{ status: 503 }] },
  { name: 'a slow body', request: { path: '/', chunks: ['a', 'b'] }, upstream: [{ status: 503, isEarly: true }] },
];

export const customResponses: readonly Group[] = [
  custom(
    'by status',
    matched(`
    '503': { ${local('status_code: 299, body: { inline_string: "not yet" }, response_headers_to_add: [{ header: { key: x-made, value: "%RESPONSE_CODE%" } }]')} },
    '500': { ${local('body_format: { json_format: { code: "%RESPONSE_CODE%", a: "%REQ(x-a)%", own: "%RESP(x-own)%", body: "%LOCAL_REPLY_BODY%" } }, body: { inline_string: inner }')} },
    '502': { ${local('response_headers_to_add: [{ header: { key: x-made, value: "1" } }]')} }`),
    answers,
    { routes: routes(matched(`'418': { ${local('status_code: 200')} }`)) },
  ),
  custom(
    'by class',
    matched(
      `'5xx': { ${local('status_code: 500, body: { inline_string: five }')} }`,
      input('HttpResponseStatusCodeClassMatchInput'),
    ),
    [
      { name: '599', request: { path: '/' }, upstream: [{ status: 599 }] },
      { name: '499', request: { path: '/' }, upstream: [{ status: 499 }] },
    ],
  ),
  custom(
    'by header',
    matched(
      `'a': { ${local('body: { inline_string: a }')} }, 'a,b': { ${local('body: { inline_string: ab }')} }`,
      input('HttpResponseHeaderMatchInput', ', header_name: X-Own'),
    ),
    [
      { name: 'one', request: { path: '/' }, upstream: [{ headers: [['x-own', 'a']] }] },
      {
        name: 'two',
        request: { path: '/' },
        upstream: [
          {
            headers: [
              ['x-own', 'a'],
              ['x-own', 'b'],
            ],
          },
        ],
      },
      { name: 'none', request: { path: '/' } },
    ],
  ),
  custom(
    'by header of the request',
    matched(
      `'a': { ${local('body: { inline_string: a }')} }`,
      input('HttpRequestHeaderMatchInput', ', header_name: x-own'),
    ),
    [
      { name: 'one', request: { path: '/', headers: [['x-own', 'a']] } },
      { name: 'none', request: { path: '/' } },
    ],
  ),
  custom(
    'by where it was made',
    matched(
      `'true': { ${local('body: { inline_string: ours }')} }, 'false': { ${local('body: { inline_string: theirs }')} }`,
      input('HttpResponseLocalReplyMatchInput'),
    ),
    [
      { name: 'elsewhere', request: { path: '/' } },
      { name: 'here', request: { path: '/direct' } },
      { name: 'nobody there', request: { path: '/dead' } },
    ],
    { routes: routes('custom_response_matcher: {}') },
  ),
];
