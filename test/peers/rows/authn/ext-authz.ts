import type { Group, Pairs } from '../../row.ts';
import { says } from './check-answers.ts';
import { asking, denied, field, filter, grpc, ok, type } from './ext-authz-config.ts';

const someHeaders: Pairs = [
  ['x-a', '1'],
  ['x-b', 'b'],
  ['x-a', '2'],
  ['authorization', 'secret'],
  ['cookie', 'a=1'],
  ['x-envoy-auth-partial-body', 'mine'],
];

const mutations = {
  headers: [
    field('x-new', 'plain'),
    field('X-Case', 'lower'),
    field('x-a', 'again'),
    field('x-b', 'true', { append: true }),
    field('x-none', 'true', { append: true }),
    field('x-set', 'false', { append: false }),
    field('x-b2', 'absent', { appendAction: 1 }),
    field('x-set2', 'set', { appendAction: 2 }),
    field('x-if', 'if', { appendAction: 3 }),
    field('x-c', 'if', { appendAction: 3 }),
    field('x-empty', ''),
  ],
  headersToRemove: ['X-Gone', 'host', ':path', 'x-nothing'],
  responseHeadersToAdd: [
    field('x-answer', 'plain'),
    field('x-there', 'again'),
    field('x-there2', 'set', { appendAction: 2 }),
    field('x-there3', 'absent', { appendAction: 1 }),
    field('x-append', 'a', { append: true }),
  ],
};

const plain = asking('gRPC', grpc, [
  { name: 'ok', request: { path: '/a?b=c#d', headers: someHeaders }, upstream: [ok(), {}] },
  { name: 'ok, of an old kind', upstream: [says({ status: { code: 0 } }), {}] },
  { name: 'ok without status', upstream: [says({}), {}] },
  { name: 'ok, by HTTP/2', over: 'h2', request: { path: '/h2', headers: [['x-a', '1']] }, upstream: [ok(), {}] },
  { name: 'ok, with a body', request: { path: '/', body: 'a body' }, upstream: [ok(), {}] },
  {
    name: 'ok, with changes',
    request: {
      path: '/',
      headers: [
        ['x-a', '1'],
        ['x-b', 'b'],
        ['x-b2', 'here'],
        ['x-c', 'c'],
        ['x-gone', 'gone'],
      ],
    },
    upstream: [
      ok(mutations),
      {
        headers: [
          ['x-there', '1'],
          ['x-there2', '2'],
          ['x-there3', '3'],
          ['x-append', 'z'],
        ],
      },
    ],
  },
  {
    name: 'ok, with another path and host',
    upstream: [
      ok({ headers: [field(':path', '/other', { append: false }), field('host', 'h', { append: false })] }),
      {},
    ],
  },
  {
    name: 'ok, with query parameters',
    request: { path: '/p?a=1&b=2&c=3&b=4' },
    upstream: [
      ok({
        queryParametersToSet: [
          { key: 'a', value: 'new' },
          { key: 'z', value: 'last' },
        ],
        queryParametersToRemove: ['b', 'x'],
      }),
      {},
    ],
  },
  {
    name: 'ok, with metadata',
    upstream: [says({ status: {}, dynamicMetadata: { a: 1, b: [true, null, 'x'], c: { d: 'e' } } }), {}],
    ignores: /DYNAMIC_METADATA/,
  },
  {
    name: 'denied, with metadata',
    upstream: [says({ status: { code: 7 }, dynamicMetadata: { a: 1, b: [true, null, 'x'], c: { d: 'e' } } })],
  },
  { name: 'denied', upstream: [denied()] },
  { name: 'denied without more', upstream: [says({ status: { code: 16, message: 'why' } })] },
  { name: 'denied, by HTTP/2', over: 'h2', upstream: [denied({ body: 'no' })] },
  {
    name: 'denied in gRPC',
    over: 'h2',
    request: { path: '/a.B/C', method: 'POST', headers: [['content-type', 'application/grpc']] },
    upstream: [denied({ body: 'no', status: { code: 401 } })],
  },
  {
    name: 'denied with everything',
    upstream: [
      denied({
        status: { code: 418 },
        body: 'a body\u00e4',
        headers: [
          field('x-why', 'because'),
          field('set-cookie', 'a=1'),
          field('set-cookie', 'b=2', { append: true }),
          field('content-type', 'text/html'),
          field('location', '/l'),
        ],
      }),
    ],
  },
  {
    name: 'denied, fields of every kind',
    upstream: [
      denied({
        headers: [
          field('x-1', 'append', { append: true }),
          field('content-type', 'a/b', { append: true }),
          field('x-2', 'a'),
          field('x-2', 'b'),
          field('x-3', 'a', { append: false }),
          field('x-3', 'b', { append: true }),
          field('x-4', 'a', { appendAction: 1 }),
          field('x-4', 'b', { appendAction: 1 }),
          field('x-5', 'a', { appendAction: 3 }),
          field('x-6', 'a', { appendAction: 2 }),
          field('x-6', 'b', { appendAction: 2 }),
          field('content-length', '7'),
          field('transfer-encoding', 'chunked'),
          field('connection', 'close'),
        ],
      }),
    ],
  },
  {
    name: 'denied with ok',
    upstream: [says({ status: { code: 7 }, httpResponse: { case: 'okResponse', value: mutations } })],
  },
  {
    name: 'ok with denied',
    upstream: [says({ status: {}, httpResponse: { case: 'deniedResponse', value: { body: 'x' } } }), {}],
  },
  {
    name: 'an error',
    upstream: [
      says({
        status: { code: 7 },
        httpResponse: { case: 'errorResponse', value: { body: 'sorry', headers: [field('x-e', '1')] } },
      }),
    ],
  },
  {
    name: 'an error with a status',
    upstream: [
      says({
        status: { code: 7 },
        httpResponse: { case: 'errorResponse', value: { status: { code: 502 }, body: 'sorry' } },
      }),
    ],
  },
  {
    name: 'a status of gRPC',
    upstream: [
      {
        headers: [
          ['content-type', 'application/grpc'],
          ['grpc-status', '14'],
        ],
        body: '',
      },
    ],
  },
  { name: 'no gRPC at all', upstream: [{ status: 404, body: 'x' }] },
  { name: 'no message', upstream: [says({}, { chunks: [''] })] },
  { name: 'nonsense', upstream: [says({}, { chunks: ['\0\0\0\0\x03\x0a\x7f\x01'] })] },
  { name: 'a reset', upstream: [{ resetCode: 8 }] },
]);

const strict = asking(
  'settings',
  `grpc_service: { envoy_grpc: { cluster_name: authz, authority: authz.test }, timeout: 0.3s, initial_metadata: [{ key: x-meta, value: v }] },
   status_on_error: { code: ServiceUnavailable }, validate_mutations: true, clear_route_cache: true, stat_prefix: own,
   allowed_headers: { patterns: [{ prefix: x-, ignore_case: true }, { exact: ':path' }] }, disallowed_headers: { patterns: [{ exact: x-b }] },
   charge_cluster_response_stats: false, enable_dynamic_metadata_ingestion: false, max_denied_response_body_bytes: 5`,
  [
    { name: 'some headers', request: { path: '/', headers: someHeaders }, upstream: [ok(), {}] },
    { name: 'too late', upstream: [{ ...ok(), delayMs: 1000 }] },
    { name: 'a bad name', upstream: [ok({ headers: [field('x a', '1')] })] },
    { name: 'a bad value', upstream: [ok({ headers: [field('x-a', 'a\nb')] })] },
    { name: 'a bad value for the client', upstream: [denied({ headers: [field('x-a', 'a\nb')] })] },
    { name: 'the route is chosen again', upstream: [ok({ headers: [field('x-go', 'three')] }), {}] },
    { name: 'metadata is not wanted', upstream: [says({ status: {}, dynamicMetadata: { a: 1 } }), {}] },
    { name: 'a long body', upstream: [denied({ body: '0123456789' })] },
  ],
  {
    routes: `
- { match: { prefix: /, headers: [{ name: x-go, string_match: { exact: three } }] }, route: { cluster: three } }
- { match: { prefix: / }, route: { cluster: one } }`,
  },
);

const lenient = asking(
  'failures allowed, bodies',
  `${grpc}, failure_mode_allow: true, failure_mode_allow_header_add: true, with_request_body: { max_request_bytes: 10, allow_partial_message: true }, include_peer_certificate: true, include_tls_session: true,
   metadata_context_namespaces: [some.where, no.where], route_metadata_context_namespaces: [of.route]`,
  [
    { name: 'an error', upstream: [{ status: 500 }, {}] },
    {
      name: 'an error of its own',
      upstream: [says({ status: { code: 7 }, httpResponse: { case: 'errorResponse', value: {} } }), {}],
    },
    { name: 'denied', upstream: [denied()] },
    { name: 'no body', upstream: [ok(), {}] },
    { name: 'a short body', request: { path: '/', body: 'short' }, upstream: [ok(), {}] },
    { name: 'a body of just the size', request: { path: '/', body: '0123456789' }, upstream: [ok(), {}] },
    { name: 'a long body', request: { path: '/', body: '0123456789abcdef' }, upstream: [ok(), {}] },
    { name: 'a body in chunks', request: { path: '/', chunks: ['01234', '56', '7'] }, upstream: [ok(), {}] },
    {
      name: 'a body with trailers',
      over: 'h2',
      request: { path: '/', chunks: ['01234', '56'], trailers: [['x-t', '1']] },
      upstream: [ok(), {}],
    },
    { name: 'a route without', request: { path: '/off' } },
    { name: 'a route with its own', request: { path: '/own', body: '0123456789' }, upstream: [ok(), {}] },
    { name: 'a route without bodies', request: { path: '/bodiless', body: '0123456789' }, upstream: [ok(), {}] },
  ],
  {
    filters: `
- name: set
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config, metadata: [{ metadata_namespace: some.where, value: { a: 1, list: [x, { y: z }], no: null, yes: true } }] }`,
    routes: `
- { match: { prefix: /off }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.ExtAuthzPerRoute, disabled: true } } }
- { match: { prefix: /own }, route: { cluster: one }, metadata: { filter_metadata: { of.route: { r: 1 } } }, typed_per_filter_config: { ${filter}: { '@type': ${type}.ExtAuthzPerRoute, check_settings: { context_extensions: { a: b, c: d }, with_request_body: { max_request_bytes: 4, allow_partial_message: true } } } } }
- { match: { prefix: /bodiless }, route: { cluster: one }, typed_per_filter_config: { ${filter}: { '@type': ${type}.ExtAuthzPerRoute, check_settings: { disable_request_body_buffering: true } } } }
- { match: { prefix: / }, route: { cluster: one } }`,
  },
);

const whole = asking(
  'whole bodies',
  `${grpc}, with_request_body: { max_request_bytes: 10, pack_as_bytes: true }, encode_raw_headers: true, filter_enabled: { default_value: { numerator: 100 }, runtime_key: authz.on }`,
  [
    { name: 'a short body', request: { path: '/', body: 'sh\u00e4rt' }, upstream: [ok(), {}] },
    { name: 'a body of just the size', request: { path: '/', body: '0123456789' }, upstream: [ok(), {}] },
    {
      name: 'a long body',
      request: { path: '/', body: '0123456789abcdef' },
      // Envoy looks at the last bytes before it knows that they are the last.
      ignores: /header\.connection$|response_before_rq_complete|downstream_rq_rx_reset/,
    },
    { name: 'denied', request: { path: '/', body: 'x' }, upstream: [denied()] },
  ],
);

const disabled = (name: string, more: string): Group =>
  asking(name, `${grpc}, filter_enabled: { default_value: { numerator: 0 } }, ${more}`, [{ name: 'asked nobody' }]);

const overHttp = asking(
  'HTTP',
  `http_service: { server_uri: { uri: 'http://authz.test', cluster: two, timeout: 0.5s }, path_prefix: /check,
     authorization_request: { headers_to_add: [{ key: X-Added, value: added }, { key: x-a, value: over }], allowed_headers: { patterns: [{ exact: x-a }, { exact: cookie }] } },
     authorization_response: { allowed_upstream_headers: { patterns: [{ prefix: x-up }] }, allowed_upstream_headers_to_append: { patterns: [{ prefix: x-app }] },
       allowed_client_headers_on_success: { patterns: [{ prefix: x-client }] }, dynamic_metadata_from_headers: { patterns: [{ prefix: x-meta }] } } }`,
  [
    { name: 'ok', request: { path: '/a?b=c', headers: someHeaders }, upstream: [{}, {}] },
    { name: 'ok, by HTTP/2', over: 'h2', request: { path: '/a', headers: [['x-a', '1']] }, upstream: [{}, {}] },
    { name: 'ok to a POST', request: { path: '/a', body: 'a body' }, upstream: [{}, {}] },
    {
      name: 'ok, with fields',
      ignores: /DYNAMIC_METADATA/,
      request: {
        path: '/',
        headers: [
          ['x-up-2', 'mine'],
          ['x-app-1', 'mine'],
          ['x-gone', '1'],
          ['x-gone2', '1'],
        ],
      },
      upstream: [
        {
          headers: [
            ['x-up-1', 'new'],
            ['x-up-2', 'over'],
            ['x-up-2', 'again'],
            ['x-app-1', 'more'],
            ['x-app-2', 'alone'],
            ['x-client-1', 'c'],
            ['x-client-1', 'd'],
            ['x-meta-1', 'm'],
            ['x-other', 'o'],
            ['x-envoy-auth-headers-to-remove', 'x-gone, X-Gone2,host'],
          ],
        },
        { headers: [['x-client-1', 'there']] },
      ],
    },
    {
      name: 'denied',
      upstream: [
        {
          status: 403,
          headers: [
            ['x-why', 'because'],
            ['set-cookie', 'a'],
            ['set-cookie', 'b'],
            ['content-type', 'text/html'],
            ['x-meta-1', 'm'],
          ],
          body: 'no',
        },
      ],
    },
    { name: 'denied, a redirect', upstream: [{ status: 302, headers: [['location', '/login']], body: '' }] },
    { name: 'denied, 201', upstream: [{ status: 201, body: 'created' }] },
    {
      name: 'denied in chunks',
      upstream: [{ status: 401, headers: [['www-authenticate', 'Basic']], chunks: ['a', 'b'] }],
    },
    { name: 'an error', upstream: [{ status: 503, body: 'x' }] },
    { name: 'too late', upstream: [{ delayMs: 1500 }] },
    { name: 'reset', upstream: [{ raw: '', ending: 'reset' }] },
  ],
);

const overHttpNamed = asking(
  'HTTP, with names',
  `http_service: { server_uri: { uri: 'http://authz.test', cluster: two, timeout: 0.5s }, path_override: /override,
     authorization_response: { allowed_client_headers: { patterns: [{ prefix: x-client }] } } }, with_request_body: { max_request_bytes: 10, allow_partial_message: true }, failure_mode_allow: true`,
  [
    { name: 'ok', request: { path: '/a?b=c', body: 'a body' }, upstream: [{}, {}] },
    { name: 'ok, a long body', request: { path: '/a', body: 'a body that is long' }, upstream: [{}, {}] },
    { name: 'ok, an empty body', request: { path: '/a', body: '' }, upstream: [{}, {}] },
    {
      name: 'denied',
      upstream: [
        {
          status: 403,
          headers: [
            ['x-why', 'because'],
            ['x-client-1', 'c'],
            ['content-type', 'text/html'],
            ['location', '/l'],
            ['www-authenticate', 'x'],
            ['proxy-authenticate', 'y'],
            ['set-cookie', 'c'],
          ],
          body: 'no',
        },
      ],
    },
    { name: 'an error', upstream: [{ status: 500, body: 'x' }, {}] },
  ],
);

/** `envoy.filters.http.ext_authz`. */
export const extAuthzGroups: readonly Group[] = [
  plain,
  strict,
  lenient,
  whole,
  disabled('off', ''),
  disabled(
    'off, denying',
    'deny_at_disable: { default_value: true, runtime_key: authz.deny }, status_on_error: { code: BadGateway }',
  ),
  overHttp,
  overHttpNamed,
];
