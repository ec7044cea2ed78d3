import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { cluster, http, tcp, type HttpParts, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { serverTls, trusting } from '../../tls/config.ts';

const types = 'type.googleapis.com/envoy.extensions';

function rbac(settings: string, kind = 'http.rbac.v3.RBAC', name = 'rbac'): string {
  return dump([{ name, typed_config: { '@type': `${types}.filters.${kind}`, ...(load(settings) as Yaml) } }]);
}

const noted = ['METADATA(DYNAMIC:envoy.filters.http.rbac)', 'METADATA(DYNAMIC:envoy.common)'];
const stats = /rbac/;

function group(
  name: string,
  filters: string,
  rows: readonly Row[],
  parts: HttpParts = {},
  more: Partial<Group> = {},
): Group {
  return { name: `rbac: ${name}`, config: http({ filters, log: noted, ...parts }), rows, stats, ...more };
}

/** Denies what one of the rules matches, each below a path of its own that is the policy's name. */
function denying(field: 'permissions' | 'principals', rules: Readonly<Record<string, string>>): string {
  const other = field === 'permissions' ? 'principals' : 'permissions';
  const both = field === 'permissions' ? ['and_rules', 'rules'] : ['and_ids', 'ids'];
  const policies = Object.entries(rules).map(([name, rule]) => [
    name,
    {
      [field]: [{ [both[0]]: { [both[1]]: [{ url_path: { path: { prefix: `/${name}` } } }, load(rule)] } }],
      [other]: [{ any: true }],
    },
  ]);
  return rbac(dump({ rules: { action: 'DENY', policies: Object.fromEntries(policies) as Yaml } }));
}

const get = (path: string, headers: readonly (readonly [string, string])[] = [], name = path): Row => ({
  name,
  request: { path, headers },
});

const routes = `
- name: tagged
  match: { prefix: /sourced }
  route: { cluster: one }
  metadata: { filter_metadata: { tags: { who: me, level: 3, deep: { list: [a, b] } } } }
- match: { prefix: / }
  route: { cluster: one }`;

const setMetadata = `
- name: noted
  typed_config:
    '@type': ${types}.filters.http.set_metadata.v3.Config
    metadata: [{ metadata_namespace: tags, value: { who: me, level: 3, yes: true, deep: { list: [a, b] } } }]
- name: stated
  typed_config:
    '@type': ${types}.filters.http.set_filter_state.v3.Config
    on_request_headers:
    - { object_key: who, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(x-who)%' } } }
`;

const permissions = denying('permissions', {
  any: '{ any: true }',
  header: '{ header: { name: x-a, string_match: { exact: v } } }',
  inverted: '{ header: { name: x-a, string_match: { exact: v }, invert_match: true } }',
  range: '{ header: { name: x-a, range_match: { start: 1, end: 10 } } }',
  port: '{ destination_port: 1 }',
  ports: '{ destination_port_range: { start: 1024, end: 65536 } }',
  ip: '{ destination_ip: { address_prefix: 127.0.0.0, prefix_len: 8 } }',
  six: "{ destination_ip: { address_prefix: '::', prefix_len: 0 } }",
  not: '{ not_rule: { header: { name: x-a, present_match: true } } }',
  or: '{ or_rules: { rules: [{ header: { name: x-a, present_match: true } }, { header: { name: x-b, present_match: true } }] } }',
  name: '{ requested_server_name: { exact: "" } }',
  metadata: '{ metadata: { filter: tags, path: [{ key: who }], value: { string_match: { exact: me } } } }',
  number:
    '{ metadata: { filter: tags, path: [{ key: level }], value: { double_match: { range: { start: 1, end: 4 } } } } }',
  list: '{ metadata: { filter: tags, path: [{ key: deep }, { key: list }], value: { list_match: { one_of: { string_match: { exact: b } } } } } }',
  missing: '{ metadata: { filter: tags, path: [{ key: nobody }], value: { present_match: true }, invert: true } }',
  sourced:
    '{ sourced_metadata: { metadata_source: ROUTE, metadata_matcher: { filter: tags, path: [{ key: who }], value: { string_match: { exact: me } } } } }',
  'unsourced policy': '{ any: true }',
  template: `{ uri_template: { name: envoy.path.match.uri_template.uri_template_matcher, typed_config: { '@type': ${types}.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: '/template/{a}/b' } } }`,
  path: '{ url_path: { path: { safe_regex: { regex: "/path/[0-9]+" } } } }',
});

const requestRows: readonly Row[] = [
  get('/any'),
  get('/any/../other', [], 'dots that stay'),
  get('/none'),
  get('/header', [['x-a', 'v']]),
  get('/header', [], '/header without'),
  get(
    '/header',
    [
      ['x-a', 'w'],
      ['x-a', 'v'],
    ],
    '/header with two values',
  ),
  get('/inverted', [['x-a', 'w']]),
  get('/inverted', [], '/inverted without'),
  get('/range', [['x-a', '7']]),
  get('/range', [['x-a', 'x']], '/range with no number'),
  get('/port'),
  get('/ports'),
  get('/ip'),
  get('/six'),
  get('/not'),
  get('/not', [['x-a', '']], '/not with'),
  get('/or', [['x-b', '1']]),
  get('/or', [], '/or without'),
  get('/name'),
  get('/metadata'),
  get('/number'),
  get('/list'),
  get('/missing'),
  get('/sourced'),
  get('/unsourced policy?', [], 'a policy with white space'),
  get('/template/x/b?q'),
  get('/template/x/c'),
  get('/path/12?x'),
  get('/path/12#f', [], '/path with a fragment'),
  get('/path/a'),
  { name: 'gRPC', request: { method: 'POST', path: '/any', headers: [['content-type', 'application/grpc']] } },
  { name: 'with a body', request: { path: '/any', body: 'body' } },
  { name: 'over HTTP/2', over: 'h2', request: { path: '/any' } },
];

const principals = denying('principals', {
  source: '{ source_ip: { address_prefix: 127.0.0.1, prefix_len: 32 } }',
  direct: '{ direct_remote_ip: { address_prefix: 127.0.0.0, prefix_len: 8 } }',
  remote: '{ remote_ip: { address_prefix: 10.0.0.0, prefix_len: 8 } }',
  remote6: "{ remote_ip: { address_prefix: '2001:db8::', prefix_len: 32 } }",
  authenticated: '{ authenticated: {} }',
  header: '{ header: { name: ":authority", string_match: { suffix: .test } } }',
  metadata: '{ metadata: { filter: tags, path: [{ key: yes }], value: { bool_match: true } } }',
  state: '{ filter_state: { key: who, string_match: { prefix: m } } }',
  not: '{ not_id: { remote_ip: { address_prefix: 10.0.0.0, prefix_len: 8 } } }',
  or: '{ or_ids: { ids: [{ remote_ip: { address_prefix: 10.0.0.1 , prefix_len: 32 } }, { header: { name: x-a, present_match: true } }] } }',
});
const from = (address: string) => [['x-forwarded-for', address]] as const;

const clientRows: readonly Row[] = [
  get('/source'),
  get('/source', from('10.0.0.1'), '/source behind x-forwarded-for'),
  get('/direct', from('10.0.0.1')),
  get('/remote', from('10.0.0.1')),
  get('/remote', from('11.0.0.1'), '/remote of another'),
  get('/remote6', from('2001:db8::1')),
  get('/authenticated'),
  get('/header'),
  get('/metadata'),
  get('/state', [['x-who', 'me']]),
  get('/state', [['x-who', 'you']], '/state of another'),
  get('/not', from('10.0.0.1')),
  get('/not'),
  get('/or', [['x-a', '']]),
];

const policy = (permission: string, principal = 'any: true', more = ''): string =>
  `{ permissions: [{ ${permission} }], principals: [{ ${principal} }]${more} }`;
const prefix = (path: string) => `url_path: { path: { prefix: ${path} } }`;

const actions: readonly Group[] = [
  group('ALLOW', rbac(`{ rules: { policies: { b: ${policy(prefix('/ok'))}, a: ${policy(prefix('/ok/a'))} } } }`), [
    get('/ok'),
    get('/ok/a'),
    get('/no'),
  ]),
  group('ALLOW without policies', rbac('{ rules: {} }'), [get('/')]),
  group('nothing', rbac('{}'), [get('/')]),
  group('LOG', rbac(`{ rules: { action: LOG, policies: { a: ${policy(prefix('/log'))} } } }`), [
    get('/log'),
    get('/no'),
  ]),
  group(
    'shadow',
    rbac(`{ shadow_rules_stat_prefix: dry_run_, rules_stat_prefix: real_, track_per_rule_stats: true,
      rules: { policies: { a: ${policy(prefix('/ok'))} } },
      shadow_rules: { action: DENY, policies: { "s h": ${policy(prefix('/ok/s'))} } } }`),
    [get('/ok'), get('/ok/s'), get('/no')],
  ),
  group(
    'shadow alone',
    rbac(`{ shadow_rules: { policies: { s: ${policy(prefix('/s'))} } }, track_per_rule_stats: true }`),
    [get('/s'), get('/no')],
  ),
  group(
    'two filters',
    rbac(
      `{ rules_stat_prefix: one, rules: { policies: { a: ${policy(prefix('/a'))} } } }`,
      'http.rbac.v3.RBAC',
      'first',
    ) +
      rbac(
        `{ rules_stat_prefix: two., rules: { action: DENY, policies: { b: ${policy(prefix('/a/b'))} } } }`,
        'http.rbac.v3.RBAC',
        'second',
      ),
    [get('/a'), get('/a/b'), get('/c')],
  ),
  group(
    'routes',
    rbac(`{ rules_stat_prefix: p, rules: { policies: { a: ${policy(prefix('/a'))} } } }`),
    [get('/a'), get('/off'), get('/own'), get('/own/b'), get('/b'), get('/disabled')],
    {
      routes: `
- match: { prefix: /off }
  route: { cluster: one }
  typed_per_filter_config: { rbac: { '@type': ${types}.filters.http.rbac.v3.RBACPerRoute } }
- match: { prefix: /own }
  route: { cluster: one }
  typed_per_filter_config:
    rbac:
      '@type': ${types}.filters.http.rbac.v3.RBACPerRoute
      rbac: { track_per_rule_stats: true, rules: { action: DENY, policies: { own: ${policy(prefix('/own/b'))} } }, shadow_rules_stat_prefix: mine_, shadow_rules: {} }
- match: { prefix: /disabled }
  route: { cluster: one }
  typed_per_filter_config: { rbac: { '@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
  ),
];

const ident = (name: string) => ({ ident_expr: { name } });
const select = (operand: unknown, field: string) => ({ select_expr: { operand, field } });
const call = (name: string, ...args: unknown[]) => ({ call_expr: { function: name, args } });
const text = (string_value: string) => ({ const_expr: { string_value } });
const header = call('_[_]', select(ident('request'), 'headers'), text('x-a'));
const condition = (expression: unknown, field = 'condition') => `, ${field}: ${JSON.stringify(expression)}`;

const conditions = group(
  'conditions',
  rbac(`{ rules: { action: DENY, policies: {
    a equal: ${policy(prefix('/equal'), 'any: true', condition(call('_==_', header, text('v'))))},
    b not: ${policy(prefix('/not'), 'any: true', condition(call('!_', call('_==_', header, text('v')))))},
    c text: ${policy(prefix('/text'), 'any: true', condition(header))},
    d node: ${policy(prefix('/node'), 'any: true', condition(call('_!=_', select(select(ident('xds'), 'node'), 'id'), text(''))))},
    e checked: ${policy(prefix('/checked'), 'any: true', condition({ expr: call('_==_', header, text('v')) }, 'checked_condition'))}
  } } }`),
  [
    get('/equal', [['x-a', 'v']]),
    get('/equal', [['x-a', 'w']], '/equal of another'),
    get('/equal', [], '/equal without'),
    get('/not', [['x-a', 'w']]),
    get('/not', [], '/not without: an error is no match'),
    get('/text', [['x-a', 'true']]),
    get('/node'),
    get('/checked', [['x-a', 'v']]),
  ],
);

const action = (name: string, what: string) =>
  `{ action: { name: action, typed_config: { '@type': type.googleapis.com/envoy.config.rbac.v3.Action, name: ${name}, action: ${what} } } }`;
const input = (type: string, more = '') =>
  `{ name: input, typed_config: { '@type': ${types}.matching.common_inputs.${type}${more} } }`;
const headerInput = (name: string) =>
  `{ name: input, typed_config: { '@type': type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: ${name} } }`;
const field = (predicate: string, onMatch: string) =>
  `{ predicate: { single_predicate: ${predicate} }, on_match: ${onMatch} }`;
const cel = (expression: string) =>
  `{ input: { name: input, typed_config: { '@type': type.googleapis.com/xds.type.matcher.v3.HttpAttributesCelMatchInput } }, custom_match: { name: cel, typed_config: { '@type': type.googleapis.com/xds.type.matcher.v3.CelMatcher, expr_match: ${expression} } } }`;

const matchers: readonly Group[] = [
  group(
    'matcher',
    rbac(`{ matcher: { matcher_list: { matchers: [
      ${field(`{ input: ${headerInput('x-a')}, value_match: { exact: deny } }`, action('by header', 'DENY'))},
      ${field(`{ input: ${headerInput('x-a')}, value_match: { prefix: '1,' } }`, action('joined', 'DENY'))},
      ${field(`{ input: ${input('network.v3.DestinationPortInput')}, value_match: { exact: '1' } }`, action('port', 'DENY'))},
      ${field(`{ input: ${input('network.v3.ServerNameInput')}, value_match: { safe_regex: { google_re2: {}, regex: '.*' } } }`, action('sni', 'DENY'))},
      ${field(`{ input: ${input('ssl.v3.SubjectInput')}, value_match: { safe_regex: { google_re2: {}, regex: '.*' } } }`, action('subject', 'DENY'))},
      ${field(`{ input: ${input('network.v3.DirectSourceIPInput')}, value_match: { exact: 10.0.0.1 } }`, action('direct', 'DENY'))},
      ${field(`{ input: ${input('network.v3.SourceIPInput')}, value_match: { exact: 10.0.0.1 } }`, action('source', 'ALLOW'))},
      ${field(cel('{ cel_expr_parsed: { expr: ' + JSON.stringify(call('_==_', header, text('cel'))) + ' } }'), action('cel', 'ALLOW'))},
      ${field(`{ input: ${input('network.v3.DynamicMetadataInput', ', filter: tags, path: [{ key: who }]')}, custom_match: { name: m, typed_config: { '@type': ${types}.matching.input_matchers.metadata.v3.Metadata, value: { string_match: { exact: me } } } } }`, action('metadata', 'ALLOW'))}
    ] } } }`),
    [
      get('/', [['x-a', 'deny']], 'by header'),
      get(
        '/',
        [
          ['x-a', '1'],
          ['x-a', '2'],
        ],
        'joined',
      ),
      get('/', from('10.0.0.1'), 'by address'),
      get('/', [['x-a', 'cel']], 'by expression'),
      get('/', [], 'nothing matches'),
    ],
    { hcm: '{ use_remote_address: true, xff_num_trusted_hops: 1 }' },
  ),
  group(
    'matcher: metadata',
    setMetadata.trimStart() +
      rbac(`{ matcher: { matcher_list: { matchers: [
      ${field(`{ input: ${input('network.v3.DynamicMetadataInput', ', filter: tags, path: [{ key: who }]')}, custom_match: { name: m, typed_config: { '@type': ${types}.matching.input_matchers.metadata.v3.Metadata, value: { string_match: { exact: me } } } } }`, action('metadata', 'ALLOW'))}
    ] } } }`),
    [get('/')],
  ),
  group(
    'matcher: tree, logs and shadow',
    rbac(`{ matcher: { matcher_tree: { input: ${headerInput("':path'")}, prefix_match_map: { map: { /a: ${action('a', 'ALLOW')}, /a/l: ${action('l', 'LOG')}, /d: ${action('d', 'DENY')} } } }, on_no_match: ${action('else', 'ALLOW')} },
      shadow_matcher: { matcher_tree: { input: ${headerInput("':path'")}, exact_match_map: { map: { /a: ${action('sa', 'ALLOW')}, /d: ${action('sl', 'LOG')} } } } }, track_per_rule_stats: true }`),
    [get('/a'), get('/a/l'), get('/d'), get('/x')],
  ),
];

const byDomain = (names: string, onMatch: string) => `{ domains: ${names}, on_match: ${onMatch} }`;
const domains = group(
  'matcher: domains',
  rbac(`{ matcher: { matcher_tree: { input: ${headerInput("':authority'")}, custom_match: { name: domains, typed_config: { '@type': type.googleapis.com/xds.type.matcher.v3.ServerNameMatcher, domain_matchers: [
    ${byDomain('[a.test, b.test]', action('whole', 'DENY'))}, ${byDomain('["*.a.test"]', action('below', 'DENY'))},
    ${byDomain('["*.x.a.test"]', `{ matcher: { matcher_list: { matchers: [${field(`{ input: ${headerInput('x-a')}, value_match: { exact: deep } }`, action('deep', 'DENY'))}] } } }`)}
  ] } } }, on_no_match: ${action('else', 'DENY')} } }`),
  ['a.test', 'b.test', 'y.a.test', 'y.x.a.test', 'A.test', 'other'].flatMap((host) => [
    { name: host, request: { host } },
    { name: `${host}, deep`, request: { host, headers: [['x-a', 'deep']] } },
  ]),
);

const identities = denying('principals', {
  tls: '{ authenticated: {} }',
  uri: '{ authenticated: { principal_name: { exact: spiffe://peers.test/ns/a/sa/client } } }',
  dns: '{ authenticated: { principal_name: { exact: b.client.test } } }',
  subject: '{ authenticated: { principal_name: { contains: CN=nameless } } }',
  empty: '{ authenticated: { principal_name: { exact: "" } } }',
  mtls: `{ custom: { name: envoy.rbac.principals.mtls_authenticated, typed_config: { '@type': ${types}.rbac.principals.mtls_authenticated.v3.Config, any_validated_client_certificate: true } } }`,
  san: `{ custom: { name: envoy.rbac.principals.mtls_authenticated, typed_config: { '@type': ${types}.rbac.principals.mtls_authenticated.v3.Config, san_matcher: { san_type: URI, matcher: { prefix: 'spiffe://peers.test/' } } } } }`,
});
const asked = ['/tls', '/uri', '/dns', '/subject', '/empty', '/mtls', '/san'].map((path) => ({ path }));

const identified: readonly Group[] = [
  group(
    'identities',
    identities,
    [
      { name: 'with every name', tls: { certificate: 'client' }, request: asked },
      { name: 'without a name', tls: { certificate: 'client_nameless' }, request: asked },
      { name: 'without a certificate', tls: {}, request: asked },
    ],
    { transport: serverTls(['server'], trusting()) },
  ),
  group(
    'identities that nobody checked',
    identities,
    [{ name: 'with every name', tls: { certificate: 'client' }, request: asked }],
    { transport: serverTls(['server'], {}, 'require_client_certificate: false') },
  ),
];

const exchange: Pick<Row, 'until' | 'answers' | 'waitMs' | 'logLines'> = {
  until: 'closed',
  answers: 0,
  waitMs: 1500,
  logLines: 1,
};
const hello: Row = { name: 'hello', raw: ['hello', 60, 'again', 60, 'end'], ...exchange };
const denied: Row = { ...hello, name: 'denied', raw: ['hello', 200] };

function connection(name: string, settings: string, rows: readonly Row[], listener = '', transport?: Yaml): Group {
  const own = load(rbac(settings, 'network.rbac.v3.RBAC')) as Yaml[];
  const config = tcp('{ cluster: echo }', [cluster('echo', ['echo'])], {
    listener,
    log: [
      'METADATA(DYNAMIC:envoy.filters.network.rbac)',
      'METADATA(DYNAMIC:envoy.common)',
      'DOWNSTREAM_LOCAL_CLOSE_REASON',
    ],
    chains: (proxy) => [
      { filters: [...own, ...proxy], ...(transport === undefined ? {} : { transport_socket: transport }) },
    ],
  });
  return { name: `rbac of connections: ${name}`, config, rows, stats };
}

const proxied = `listener_filters:
- name: proxy
  typed_config: { '@type': ${types}.filters.listener.proxy_protocol.v3.ProxyProtocol }`;
const told = (name: string, line: string): Row => ({ ...hello, name, raw: [`${line}\r\nhello`, 150, 'end'] });

const connections: readonly Group[] = [
  connection(
    'ALLOW',
    `{ stat_prefix: tcp., rules: { policies: { a: ${policy('any: true', 'source_ip: { address_prefix: 127.0.0.1, prefix_len: 32 }')} } } }`,
    [hello],
  ),
  connection(
    'ALLOW without a match',
    `{ stat_prefix: edge, rules: { policies: { "a b": ${policy('destination_port: 1')} } } }`,
    [denied, { ...denied, name: 'denied by its end alone', raw: ['end'] }],
  ),
  connection('DENY', `{ stat_prefix: edge, rules: { action: DENY, policies: { "a b": ${policy('any: true')} } } }`, [
    denied,
  ]),
  connection(
    'LOG and shadow',
    `{ stat_prefix: edge, rules: { action: LOG, policies: { a: ${policy('any: true')} } }, shadow_rules_stat_prefix: dry_, shadow_rules: { action: DENY, policies: { s: ${policy('any: true')} } } }`,
    [hello],
  ),
  connection(
    'CONTINUOUS',
    `{ stat_prefix: edge, enforcement_type: CONTINUOUS, rules: { policies: { a: ${policy('any: true')} } } }`,
    [hello],
  ),
  connection('a delay', `{ stat_prefix: edge, delay_deny: 0.3s, rules: {} }`, [
    denied,
    // What comes after the denial is not read; a kernel that holds bytes at the close resets.
    { ...denied, name: 'bytes after the denial', raw: ['hello', 100, 'again', 300], ignores: /\.end$/ },
  ]),
  connection(
    'PROXY protocol',
    `{ stat_prefix: edge, rules: { policies: {
      a: ${policy('destination_ip: { address_prefix: 10.4.0.0, prefix_len: 16 }', 'source_ip: { address_prefix: 10.1.0.0, prefix_len: 16 }')},
      b: ${policy('destination_port_range: { start: 440, end: 443 }', 'remote_ip: { address_prefix: 11.0.0.0, prefix_len: 8 }')},
      c: ${policy('destination_port: 80', 'direct_remote_ip: { address_prefix: 127.0.0.1, prefix_len: 32 }')}
    } } }`,
    [
      told('addresses', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443'),
      told('remote', 'PROXY TCP4 11.1.2.3 10.5.5.6 1000 442'),
      told('direct', 'PROXY TCP4 12.1.2.3 10.5.5.6 1000 80'),
      {
        ...told('denied', 'PROXY TCP4 12.1.2.3 10.5.5.6 1000 443'),
        raw: ['PROXY TCP4 12.1.2.3 10.5.5.6 1000 443\r\nhello', 200],
      },
    ],
    proxied,
  ),
  connection(
    'a matcher',
    `{ stat_prefix: edge, matcher: { matcher_list: { matchers: [${field(`{ input: ${input('network.v3.SourceIPInput')}, value_match: { exact: 10.1.2.3 } }`, action('source', 'ALLOW'))}] } } }`,
    [
      told('allowed', 'PROXY TCP4 10.1.2.3 10.4.5.6 1000 443'),
      { ...told('denied', ''), raw: ['PROXY TCP4 10.1.2.4 10.4.5.6 1000 443\r\nhello', 200] },
    ],
    proxied,
  ),
];

/** What a genuine istiod has sent for one kind of filter. */
const sent = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/rbac/istiod-1.29.6.json'), 'utf8'),
) as (Yaml & { readonly '@type': string })[];
const ofIstio = sent
  .filter((config) => config['@type'].includes('filters.http') && JSON.stringify(config).includes('reviews-'))
  .map((config, i) => ({ name: `istio${i}`, typed_config: config }));

const istio = group('what istiod sends', dump(ofIstio), [
  get('/'),
  get('/reviews/1'),
  get('/admin/x'),
  { name: 'DELETE', request: { method: 'DELETE', path: '/reviews/1' } },
  { name: 'another host', request: { host: 'evil.example.com', path: '/' } },
  get(
    '/reviews/1',
    [
      ['x-user', 'admin'],
      ['x-token', 'abc'],
    ],
    'with headers',
  ),
]);

/** Ways around a rule about `/admin`, and past one that only allows `/public`. */
const ways: readonly string[] = [
  '/admin',
  '/admin/',
  '/admin?x',
  '/admin;x=1',
  '//admin',
  '/./admin',
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/..%2fadmin',
  '/public%2f..%2fadmin',
  '/%61dmin',
  '/ADMIN',
  '/admin%00',
  '/admin%2f',
  '/admin\\x',
  '/admin%5c',
  '/public/..;/admin',
  '/public/.%2e/admin',
  '/%2e/admin',
  '/public//..//admin',
];
const waysAround = ways.map((path) => get(path));
const absolute: Row = {
  name: 'absolute form',
  raw: 'GET http://test.local/public/../admin HTTP/1.1\r\nhost: other\r\n\r\n',
};
const byHost: readonly Row[] = [
  { name: 'a host with a port', request: { host: 'internal.test:80', path: '/public' } },
  { name: 'a host in capitals', request: { host: 'INTERNAL.test', path: '/public' } },
  { name: 'a host with a dot', request: { host: 'internal.test.', path: '/public' } },
  { name: 'absolute form of another host', raw: 'GET http://internal.test/public HTTP/1.1\r\nhost: other\r\n\r\n' },
];
const guarded = rbac(
  `{ rules: { action: DENY, policies: { admin: ${policy(prefix('/admin'))}, host: ${policy("header: { name: ':authority', string_match: { exact: internal.test } }")} } } }`,
  'http.rbac.v3.RBAC',
  'first',
);
const onlyPublic = rbac(
  `{ rules: { policies: { public: ${policy(prefix('/public'))} } } }`,
  'http.rbac.v3.RBAC',
  'second',
);
const bypasses: readonly Group[] = [
  group('ways around', guarded, [...waysAround, absolute, ...byHost]),
  group('ways around, normalized', guarded, [...waysAround, absolute], {
    hcm: '{ normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD }',
  }),
  group('ways around, refused', guarded, waysAround, {
    hcm: '{ normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: REJECT_REQUEST, strip_any_host_port: true }',
  }),
  group('ways past', onlyPublic, waysAround, { hcm: '{ normalize_path: true }' }),
];

const inFront = (settings: string, name: string): Group => ({
  name: `rbac of connections: in front of HTTP, ${name}`,
  config: http({
    chains: (proxy) => [{ filters: [...(load(rbac(settings, 'network.rbac.v3.RBAC')) as Yaml[]), ...proxy] }],
    log: ['METADATA(DYNAMIC:envoy.filters.network.rbac)'],
  }),
  rows: [
    name === 'denied'
      ? { name, raw: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', until: 'closed', answers: 0, logLines: 0, waitMs: 1500 }
      : { name, request: [{}, { path: '/b' }] },
  ],
  stats,
});

export const rbacGroups: readonly Group[] = [
  ...bypasses,
  inFront(
    '{ stat_prefix: edge, shadow_rules: {}, rules: { policies: { a: { permissions: [{ any: true }], principals: [{ any: true }] } } } }',
    'allowed',
  ),
  inFront('{ stat_prefix: edge, rules: {} }', 'denied'),
  istio,
  group('permissions', setMetadata.trimStart() + permissions, requestRows, { routes }),
  group('principals', setMetadata.trimStart() + principals, clientRows, {
    hcm: '{ use_remote_address: true, xff_num_trusted_hops: 1 }',
  }),
  ...actions,
  conditions,
  ...matchers,
  domains,
  ...identified,
  ...connections,
];
