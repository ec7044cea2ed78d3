import { cluster, endpoint, http, type Yaml } from '../config.ts';
import type { Group, Pairs, Request, Row } from '../row.ts';

/** Ports differ from world to world: hosts are hashed by these keys. */
const keyed = (upstream: string, more = ''): Yaml =>
  endpoint(upstream, `{ metadata: { filter_metadata: { envoy.lb: { hash_key: host-${upstream} } } }${more} }`);

function keyedCluster(name: string, settings: string, more: Readonly<Record<string, string>> = {}): Yaml {
  const hosts = ['one', 'two', 'three'].map((upstream) => keyed(upstream, more[upstream] ?? ''));
  return {
    ...cluster(name, [], settings),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: hosts }] },
  };
}

const typed = (policy: string, settings: string): string =>
  `{ load_balancing_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': type.googleapis.com/envoy.extensions.load_balancing_policies.${policy}, ${settings} } } }] } }`;

/** Requests told apart by a header; each of the answers says who gave it. */
const numbered = (path: string, count: number, from = 1): Request[] =>
  Array.from({ length: count }, (_, i) => ({ path, headers: [['x', String(from + i)]] as Pairs }));

const byHeader = 'hash_policy: [{ header: { header_name: x } }]';

const hashing: readonly (readonly [name: string, settings: string, more?: Readonly<Record<string, string>>])[] = [
  ['ring', '{ lb_policy: RING_HASH }'],
  ['ring-small', '{ lb_policy: RING_HASH, ring_hash_lb_config: { minimum_ring_size: 8 } }'],
  ['ring-capped', '{ lb_policy: RING_HASH, ring_hash_lb_config: { minimum_ring_size: 1, maximum_ring_size: 7 } }'],
  ['ring-murmur', '{ lb_policy: RING_HASH, ring_hash_lb_config: { hash_function: MURMUR_HASH_2 } }'],
  [
    'ring-weights',
    '{ lb_policy: RING_HASH, ring_hash_lb_config: { minimum_ring_size: 64 } }',
    { one: ', load_balancing_weight: 5', two: ', load_balancing_weight: 2' },
  ],
  ['ring-typed', typed('ring_hash.v3.RingHash', 'minimum_ring_size: 32, hash_function: XX_HASH')],
  ['ring-ill', '{ lb_policy: RING_HASH }', { two: ', health_status: UNHEALTHY' }],
  ['maglev', '{ lb_policy: MAGLEV }'],
  ['maglev-small', '{ lb_policy: MAGLEV, maglev_lb_config: { table_size: 13 } }'],
  [
    'maglev-weights',
    '{ lb_policy: MAGLEV }',
    { one: ', load_balancing_weight: 7', three: ', load_balancing_weight: 3' },
  ],
  ['maglev-typed', typed('maglev.v3.Maglev', 'table_size: 251')],
  [
    'maglev-bounded',
    '{ lb_policy: MAGLEV, common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 150 } } }',
  ],
  ['ring-panic', '{ lb_policy: RING_HASH }', { one: ', health_status: UNHEALTHY', two: ', health_status: UNHEALTHY' }],
];

const consistent: Group = {
  name: 'consistent hashing',
  config: http(
    {
      routes: hashing
        .map(([name]) => `- { match: { prefix: /${name}/ }, route: { cluster: ${name}, ${byHeader} } }`)
        .join('\n'),
    },
    hashing.map(([name, settings, more]) => keyedCluster(name, settings, more)),
  ),
  rows: hashing.map(([name]): Row => ({
    name: `${name}: who gets x = 1 to 50`,
    request: numbered(`/${name}/`, 50),
  })),
};

const policies: readonly (readonly [name: string, policy: string])[] = [
  ['header', '{ header: { header_name: x } }'],
  ['path', "{ header: { header_name: ':path' } }"],
  [
    'rewritten',
    String.raw`{ header: { header_name: x, regex_rewrite: { pattern: { regex: '^(\d).*$' }, substitution: '\1' } } }`,
  ],
  ['cookie', '{ cookie: { name: c } }'],
  ['made', '{ cookie: { name: c, ttl: 60s, path: /p, attributes: [{ name: SameSite, value: Strict }] } }'],
  ['session', '{ cookie: { name: c, ttl: 0s } }'],
  ['source', '{ connection_properties: { source_ip: true } }'],
  ['query', '{ query_parameter: { name: q } }'],
  ['both', '{ header: { header_name: x } }, { query_parameter: { name: q } }'],
  ['twice', '{ header: { header_name: x } }, { header: { header_name: x } }'],
  ['terminal', '{ header: { header_name: x }, terminal: true }, { query_parameter: { name: q } }'],
  ['state', '{ filter_state: { key: none } }, { header: { header_name: x } }'],
];

const asking = (path: string, ...lists: readonly Pairs[]): Request[] => lists.map((headers) => ({ path, headers }));

const hashPolicies: Group = {
  name: 'hash policies',
  config: http(
    {
      routes: [
        ...policies.map(
          ([name, policy]) => `- { match: { prefix: /${name} }, route: { cluster: ring, hash_policy: [${policy}] } }`,
        ),
        `- { match: { prefix: /weighted }, route: { ${byHeader}, weighted_clusters: { use_hash_policy: true, clusters: [{ name: one, weight: 40 }, { name: two, weight: 60 }] } } }`,
        `- { match: { prefix: /forwarded }, route: { cluster: ring, hash_policy: [{ connection_properties: { source_ip: true } }] } }`,
      ].join('\n'),
      hcm: 'use_remote_address: false',
    },
    [keyedCluster('ring', '{ lb_policy: RING_HASH }')],
  ),
  rows: [
    {
      name: 'a header with several values, in any order',
      request: asking(
        '/header',
        [
          ['x', 'a'],
          ['x', 'b'],
        ],
        [
          ['x', 'b'],
          ['x', 'a'],
        ],
        [['x', 'ab']],
        [['x', '']],
      ),
    },
    { name: 'the path', request: ['/path/1', '/path/2', '/path/3?q=1'].map((path) => ({ path })) },
    {
      name: 'a rewritten header',
      request: asking('/rewritten', [['x', '1abc']], [['x', '1']], [['x', '2b']], [['x', 'z']]),
    },
    {
      name: 'a cookie',
      request: asking(
        '/cookie',
        [['cookie', 'c=1']],
        [['cookie', 'b=2; c="1"']],
        [['cookie', 'c=33']],
        [['cookie', 'c=4']],
      ),
    },
    { name: 'the client', request: [{ path: '/source' }, { path: '/source' }] },
    {
      name: 'the client behind a proxy',
      request: asking(
        '/forwarded',
        [['x-forwarded-for', '192.0.2.1']],
        [['x-forwarded-for', '192.0.2.2']],
        [['x-forwarded-for', '2001:db8::7']],
        [['x-forwarded-for', '192.0.2.9']],
      ),
    },
    {
      name: 'a query parameter',
      request: ['/query?q=1', '/query?q=2&q=1', '/query?a=1&q=%20x', '/query?q=', '/query?q'].map((path) => ({ path })),
    },
    {
      name: 'two of them',
      request: [1, 2, 3, 4, 5, 6].map((n) => ({ path: `/both?q=${n}`, headers: [['x', String(7 - n)]] as Pairs })),
    },
    { name: 'one with itself', request: numbered('/twice', 8) },
    {
      name: 'a terminal one',
      request: [{ path: '/terminal?q=1', headers: [['x', '5']] }, { path: '/terminal?q=1' }, { path: '/terminal?q=2' }],
    },
    { name: 'filter state that is not there', request: numbered('/state', 6) },
    { name: 'weighted clusters by hash', request: numbered('/weighted', 12) },
    {
      name: 'a cookie is made',
      request: { path: '/made' },
      // Its value is the hash of both ends of the connection, and with it the host is chosen.
      ignores: /set-cookie|body|content-length|sent|upstream\[|host|upstream_/,
    },
    {
      name: 'no cookie is made where there is one',
      request: { path: '/made', headers: [['cookie', 'c=1']] },
    },
    {
      name: 'a cookie for the session',
      request: { path: '/session' },
      ignores: /set-cookie|body|content-length|sent|upstream\[|host|upstream_/,
    },
  ],
};

const marked = (upstream: string, metadata: string, more = ''): Yaml =>
  endpoint(upstream, `{ metadata: { filter_metadata: { envoy.lb: ${metadata} } }${more} }`);

/** Three hosts that differ in what they are marked with. */
function markedCluster(name: string, settings: string, more = '', marks: readonly string[] = stages): Yaml {
  const hosts = ['one', 'two', 'three'].map((upstream, i) => marked(upstream, marks[i], more));
  return {
    ...cluster(name, [], settings),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: hosts }] },
  };
}

const stages = [
  '{ stage: prod, version: "1" }',
  '{ stage: prod, version: "2" }',
  '{ stage: dev, version: "2" }',
] as const;

const selectors = 'subset_selectors: [{ keys: [stage] }, { keys: [stage, version] }]';
const withSelector = (more: string): string =>
  `subset_selectors: [{ keys: [stage] }, { keys: [version, stage], ${more} }]`;

const subsetClusters: readonly (readonly [name: string, settings: string, marks?: readonly string[]])[] = [
  ['none', selectors],
  ['any', `fallback_policy: ANY_ENDPOINT, ${selectors}`],
  ['default', `fallback_policy: DEFAULT_SUBSET, default_subset: { stage: dev }, ${selectors}`],
  ['panic', `fallback_policy: DEFAULT_SUBSET, default_subset: { stage: gone }, panic_mode_any: true, ${selectors}`],
  ['no-panic', `fallback_policy: DEFAULT_SUBSET, default_subset: { stage: gone }, ${selectors}`],
  ['sel-none', `fallback_policy: ANY_ENDPOINT, ${withSelector('fallback_policy: NO_FALLBACK')}`],
  [
    'sel-default',
    `fallback_policy: ANY_ENDPOINT, default_subset: { stage: dev }, ${withSelector('fallback_policy: DEFAULT_SUBSET')}`,
  ],
  ['sel-keys', withSelector('fallback_policy: KEYS_SUBSET, fallback_keys_subset: [stage]')],
  ['single', 'subset_selectors: [{ keys: [stage], single_host_per_subset: true }]'],
  [
    'list',
    'list_as_any: true, subset_selectors: [{ keys: [stage] }]',
    ['{ stage: [prod, dev] }', '{ stage: [other] }', '{ stage: third }'],
  ],
  ['no-list', 'subset_selectors: [{ keys: [stage] }]', ['{ stage: [prod, dev] }', '{ stage: 1 }', '{ stage: true }']],
  ['fallback-list', `metadata_fallback_policy: FALLBACK_LIST, ${selectors}`],
];

const wanted: readonly (readonly [name: string, criteria: string])[] = [
  ['dev', '{ stage: dev }'],
  ['prod2', '{ version: "2", stage: prod }'],
  ['prod9', '{ stage: prod, version: "9" }'],
  ['dev9', '{ stage: dev, version: "9" }'],
  ['gone', '{ stage: gone }'],
  ['more', '{ stage: dev, other: 1 }'],
  ['number', '{ stage: 1 }'],
  ['listed', '{ stage: other }'],
  ['several', '{ stage: prod, fallback_list: [{ version: "7" }, { version: "2" }] }'],
  ['nothing', ''],
];

const route = (path: string, name: string, criteria: string): string => {
  const match = criteria === '' ? '' : `, metadata_match: { filter_metadata: { envoy.lb: ${criteria} } }`;
  return `- { match: { prefix: ${path} }, route: { cluster: ${name}${match} } }`;
};

/** Which answer comes is chance where several hosts may give it. */
const anyOfThem = /body|content-length|\.sent|^upstream\[|host|upstream_cx|upstream_rq_pending_total/;

const subsets: Group = {
  name: 'subsets',
  config: http(
    {
      routes: [
        ...subsetClusters.flatMap(([name]) =>
          wanted.map(([want, criteria]) => route(`/${name}/${want}/`, name, criteria)),
        ),
        route('/prod/', 'none', '{ stage: prod }'),
        `- match: { prefix: /weighted/ }
  route:
    metadata_match: { filter_metadata: { envoy.lb: { stage: prod, version: "1" } } }
    weighted_clusters:
      clusters: [{ name: none, weight: 1, metadata_match: { filter_metadata: { envoy.lb: { version: "2" } } } }]`,
      ].join('\n'),
    },
    subsetClusters.map(([name, settings, marks]) =>
      markedCluster(name, `{ lb_subset_config: { ${settings} } }`, '', marks),
    ),
  ),
  rows: [
    ...subsetClusters.map(([name]): Row => ({
      name: `${name}: those of one host, or of nobody`,
      request: wanted.filter(([want]) => !mayReachSeveral(name, want)).map(([want]) => ({ path: `/${name}/${want}/` })),
      stats: /^cluster\..*lb_/,
      // Made with the cluster, or with its first request: which row sees that, chance decides.
      ignores: /lb_subsets_(active|created|single_host)/,
    })),
    ...['any', 'panic', 'sel-none', 'sel-default'].map((name): Row => ({
      name: `${name}: those of several`,
      request: wanted.filter(([want]) => mayReachSeveral(name, want)).map(([want]) => ({ path: `/${name}/${want}/` })),
      stats: /^cluster\..*lb_/,
      ignores: anyOfThem,
    })),
    {
      name: 'hosts of a subset in turn',
      request: Array.from({ length: 6 }, () => ({ path: '/prod/' })),
      ignores: anyOfThem,
    },
    { name: 'a weighted cluster says more of the subset', request: { path: '/weighted/' } },
  ],
};

/** Fallbacks to anybody, where the criteria find no subset. */
function mayReachSeveral(cluster: string, want: string): boolean {
  const isFound = want === 'dev' || want === 'prod2';
  switch (cluster) {
    case 'any':
    case 'panic':
      return !isFound;
    case 'sel-none':
      return !isFound && want !== 'prod9' && want !== 'dev9';
    case 'sel-default':
      return !isFound && want !== 'prod9' && want !== 'dev9';
    case 'sel-keys':
      return want === 'prod9';
    default:
      return false;
  }
}

const inHeader =
  "{ '@type': type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState, name: x-session }";
const statefulSession = (state: string, more = ''): string => `
- name: session
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession
    ${more}
    session_state:
      name: envoy.http.stateful_session.${state === inHeader ? 'header' : 'cookie'}
      typed_config: ${state}`;
const inCookie = (more: string): string =>
  `{ '@type': type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState, cookie: { name: s${more} } }`;

/** Nobody is there. */
const elsewhere = Buffer.from('192.0.2.1:9').toString('base64');

const sessions = (name: string, state: string, rows: readonly Row[], more = ''): Group => ({
  name: `stateful session ${name}`,
  config: http({
    filters: statefulSession(state, more),
    routes: '[{ match: { prefix: / }, route: { cluster: one } }]',
  }),
  rows,
});

const strangers = (carry: (value: string) => Pairs): Row[] => [
  {
    name: 'none yet',
    request: [{ path: '/' }, { path: '/page/x' }, { path: '/pages' }],
    ignores: /set-cookie|x-session/,
  },
  { name: 'one that is gone', request: { path: '/page', headers: carry(elsewhere) }, ignores: /set-cookie|x-session/ },
  { name: 'one that is nonsense', request: { path: '/page', headers: carry('%%%') }, ignores: /set-cookie|x-session/ },
  { name: 'an empty one', request: { path: '/page', headers: carry('') }, ignores: /set-cookie|x-session/ },
];

const asHeader = (value: string): Pairs => [['x-session', value]];
const asCookie = (value: string): Pairs => [['cookie', `s="${value}"`]];

function counted(name: string, more: string): Group {
  const lines = more.split(', ').join('\n    ');
  const group = sessions(name, inHeader, strangers(asHeader), lines);
  return { ...group, stats: /stateful_session/ };
}

export const balancing: readonly Group[] = [
  consistent,
  hashPolicies,
  subsets,
  sessions('in a header', inHeader, strangers(asHeader)),
  sessions('in a header, strict', inHeader, strangers(asHeader), 'strict: true'),
  counted('counted', 'stat_prefix: own'),
  counted('counted, strict', 'stat_prefix: own, strict: true, status_on_strict_destination_not_found: 418'),
  counted('without a name for counts, strict', 'strict: true, status_on_strict_destination_not_found: 404'),
  sessions('in a cookie', inCookie(', path: /page, ttl: 60s'), strangers(asCookie)),
  sessions('in a cookie, strict', inCookie(''), strangers(asCookie), 'strict: true'),
];
