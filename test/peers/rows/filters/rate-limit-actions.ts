import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const types = 'type.googleapis.com/envoy.extensions';
const always =
  'filter_enabled: { default_value: { numerator: 100 } }, filter_enforced: { default_value: { numerator: 100 } }';

/** Buckets by what they limit; which one a request meets is told by the size that its answer names. */
function buckets(entries: Readonly<Record<string, number>>): string {
  const list = Object.entries(entries).map(([entry, size]) => {
    const pairs = entry.split(' & ').map((pair) => {
      const equals = pair.indexOf('=');
      return `{ key: ${pair.slice(0, equals)}, value: '${pair.slice(equals + 1)}' }`;
    });
    return `{ entries: [${pairs.join(', ')}], token_bucket: { max_tokens: ${size}, fill_interval: 3600s } }`;
  });
  return `[${list.join(', ')}]`;
}

interface Limited {
  readonly routes: string;
  readonly descriptors: Readonly<Record<string, number>>;
  readonly settings?: string;
  readonly virtualHost?: string;
  readonly hcm?: string;
}

function group(
  name: string,
  { routes, descriptors, settings = '', virtualHost = '', hcm = '' }: Limited,
  rows: readonly Row[],
): Group {
  return {
    name: `rate_limits: ${name}`,
    config: http({
      filters: `
- name: noted
  typed_config:
    '@type': ${types}.filters.http.set_metadata.v3.Config
    metadata: [{ metadata_namespace: ns, value: { who: dynamic, number: 5 } }]
- name: local
  typed_config: { '@type': ${types}.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: lrl, ${always},
    token_bucket: { max_tokens: 900, fill_interval: 3600s }, enable_x_ratelimit_headers: DRAFT_VERSION_03,
    always_consume_default_token_bucket: false, descriptors: ${buckets(descriptors)}${settings} }`,
      routes,
      virtualHost,
      hcm,
    }),
    stats: /http_local_rate_limit/,
    rows,
  };
}

const get = (path: string, headers: readonly (readonly [string, string])[] = [], name = path): Row => ({
  name,
  request: { path, headers },
});

const route = (path: string, limits: string, more = '') =>
  `- { match: { prefix: ${path} }, metadata: { filter_metadata: { ns: { who: route } } }, route: { cluster: one, rate_limits: [${limits}]${more} } }`;
const of = (...actions: string[]) => `{ actions: [${actions.join(', ')}] }`;
const word = (value: string) => `{ generic_key: { descriptor_value: '${value}' } }`;

const actions = group(
  'actions',
  {
    routes: [
      route('/source', of('{ source_cluster: {} }')),
      route('/destination', of('{ destination_cluster: {} }')),
      route('/remote', of('{ remote_address: {} }')),
      route('/masked', of('{ masked_remote_address: { v4_prefix_mask_len: 8, v6_prefix_mask_len: 32 } }')),
      route('/header', of('{ request_headers: { header_name: x-a, descriptor_key: h } }', word('g'))),
      route(
        '/skip',
        of('{ request_headers: { header_name: x-a, descriptor_key: h, skip_if_absent: true } }', word('g')),
      ),
      route('/query', of('{ query_parameters: { query_parameter_name: q, descriptor_key: q } }')),
      route('/format', of(word('%REQ(x-a)%'))),
      route(
        '/match',
        of(
          '{ header_value_match: { descriptor_value: v, expect_match: false, headers: [{ name: x-a, present_match: true }] } }',
        ),
      ),
      route(
        '/queries',
        of(
          '{ query_parameter_value_match: { descriptor_key: qm, descriptor_value: v, query_parameters: [{ name: q, string_match: { exact: a } }] } }',
        ),
      ),
      route(
        '/address',
        of(
          "{ remote_address_match: { descriptor_value: '%REQ(x-a)%', default_value: none, address_matcher: { ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }] } } }",
        ),
      ),
      route(
        '/outside',
        of(
          '{ remote_address_match: { descriptor_key: out, descriptor_value: v, address_matcher: { ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }], invert_match: true } } }',
        ),
      ),
      route('/dynamic', of('{ metadata: { descriptor_key: m, metadata_key: { key: ns, path: [{ key: who }] } } }')),
      route(
        '/entry',
        of('{ metadata: { descriptor_key: m, source: ROUTE_ENTRY, metadata_key: { key: ns, path: [{ key: who }] } } }'),
      ),
      route(
        '/number',
        of(
          '{ metadata: { descriptor_key: m, default_value: other, metadata_key: { key: ns, path: [{ key: number }] } } }',
        ),
      ),
      route(
        '/missing',
        of(
          '{ metadata: { descriptor_key: m, skip_if_absent: true, metadata_key: { key: ns, path: [{ key: nobody }] } } }',
          word('g'),
        ),
      ),
      route(
        '/expression',
        of(
          `{ extension: { name: envoy.rate_limit_descriptors.expr, typed_config: { '@type': ${types}.rate_limit_descriptors.expr.v3.Descriptor, descriptor_key: e, text: "request.headers['x-a']" } } }`,
        ),
      ),
      route(
        '/error',
        of(
          `{ extension: { name: envoy.rate_limit_descriptors.expr, typed_config: { '@type': ${types}.rate_limit_descriptors.expr.v3.Descriptor, descriptor_key: e, skip_if_error: true, text: "request.headers['x-a']" } } }`,
          word('g'),
        ),
      ),
      route(
        '/input',
        of(
          `{ extension: { name: custom, typed_config: { '@type': type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: x-In } } }`,
        ),
      ),
      '- { match: { prefix: / }, direct_response: { status: 200 } }',
    ].join('\n'),
    descriptors: {
      'custom=a,b': 28,
      'source_cluster=mine': 11,
      'destination_cluster=one': 12,
      'remote_address=10.1.2.3': 13,
      'masked_remote_address=10.0.0.0/8': 14,
      'h=v & generic_key=g': 15,
      'generic_key=g': 16,
      'q=a b': 17,
      'generic_key=%REQ(x-a)%': 18,
      'header_match=v': 19,
      'qm=v': 20,
      'remote_address_match=v': 21,
      'remote_address_match=none': 22,
      'out=v': 23,
      'm=dynamic': 24,
      'm=route': 25,
      'm=other': 26,
      'e=v': 27,
    },
    hcm: '{ use_remote_address: true, xff_num_trusted_hops: 1 }',
  },
  [
    get('/input', [
      ['x-in', 'a'],
      ['x-in', 'b'],
    ]),
    get('/input', [], '/input without'),
    get('/input', [['x-in', '']], '/input with nothing'),
    get('/source'),
    get('/destination'),
    get('/remote', [['x-forwarded-for', '10.1.2.3']]),
    get('/masked', [['x-forwarded-for', '10.9.9.9']]),
    get('/header', [['x-a', 'v']]),
    get('/header', [], '/header without'),
    get('/skip'),
    get('/query?q=a%20b'),
    get('/query', [], '/query without'),
    get('/format', [['x-a', 'v']]),
    get('/match'),
    get('/match', [['x-a', 'v']], '/match with'),
    get('/queries?q=a'),
    get('/address', [
      ['x-forwarded-for', '10.1.2.3'],
      ['x-a', 'v'],
    ]),
    get('/address', [['x-forwarded-for', '10.1.2.3']], '/address without a value'),
    get('/address', [], '/address of others'),
    get('/outside'),
    get('/dynamic'),
    get('/entry'),
    get('/number'),
    get('/missing'),
    get('/expression', [['x-a', 'v']]),
    get('/expression', [], '/expression without'),
    get('/error'),
    get('/direct'),
  ],
);

const entries = group(
  'entries',
  {
    routes: [
      route('/hits', `{ actions: [${word('g')}], hits_addend: { number: 7 } }`),
      route('/cost', `{ actions: [${word('g')}], hits_addend: { format: '%REQ(x-h)%' } }`),
      route('/stage', `{ stage: 2, actions: [${word('g')}] }, { actions: [${word('h')}] }`),
      route('/disabled', `{ disable_key: k, actions: [${word('g')}] }`),
      route('/done', `{ apply_on_stream_done: true, actions: [${word('g')}] }`),
      route('/limit', `{ limit: { rate_limit: { requests_per_unit: 1, unit: HOUR } }, actions: [${word('g')}] }`),
      route('/two', `${of(word('g'))}, ${of(word('h'))}`),
      '- { match: { prefix: / }, route: { cluster: one } }',
    ].join('\n'),
    descriptors: { 'generic_key=g': 50, 'generic_key=h': 20 },
  },
  [
    { name: '/hits', request: [{ path: '/hits' }, { path: '/hits' }] },
    get('/cost', [['x-h', '9']]),
    get('/cost', [['x-h', 'none']], '/cost of a word'),
    get('/stage'),
    get('/disabled'),
    get('/done'),
    get('/limit'),
    get('/two'),
    get('/none'),
  ],
);

const hosts = (name: string, settings: string) =>
  group(
    `virtual hosts ${name}`,
    {
      routes: [
        route('/own', of(word('own'))),
        route('/both', of(word('other')), ', include_vh_rate_limits: true'),
        route('/other', of(word('other'))),
        '- { match: { prefix: / }, route: { cluster: one } }',
      ].join('\n'),
      descriptors: { 'generic_key=own': 11, 'generic_key=host': 12 },
      virtualHost: `{ rate_limits: [${of(word('host'))}] }`,
      settings,
    },
    [get('/own'), get('/both'), get('/other'), get('/none')],
  );

export const rateLimitActions: readonly Group[] = [
  actions,
  entries,
  hosts('override', ''),
  hosts('included', ', vh_rate_limits: INCLUDE'),
  hosts('ignored', ', vh_rate_limits: IGNORE'),
  group(
    'a stage',
    {
      routes: route('/', `{ stage: 2, actions: [${word('g')}] }, { actions: [${word('h')}] }`),
      descriptors: { 'generic_key=g': 50, 'generic_key=h': 20 },
      settings: ', stage: 2',
    },
    [get('/')],
  ),
  group(
    'of the filter go first',
    {
      routes: route('/', of(word('g'))),
      descriptors: { 'generic_key=g': 50, 'generic_key=h': 20 },
      settings: `, rate_limits: [${of(word('h'))}, { apply_on_stream_done: true, actions: [${word('g')}] }]`,
    },
    [get('/')],
  ),
];
