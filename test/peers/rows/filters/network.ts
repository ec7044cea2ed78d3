import { cluster, http, tcp, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dump, load } from 'js-yaml';

const kinds = 'type.googleapis.com/envoy.extensions.filters';
const exchange: Pick<Row, 'until' | 'answers' | 'waitMs'> = { until: 'closed', answers: 0, waitMs: 1500 };

/** A chain of these filters in front of tcp_proxy, or without it. */
function chain(name: string, filters: string, rows: readonly Row[], isTerminal = false, listener = ''): Group {
  const own = load(filters) as Record<string, unknown>[];
  const config = tcp('{ cluster: echo }', [cluster('echo', ['echo'])], {
    listener,
    log: ['FILTER_STATE(key:PLAIN)'],
    chains: (proxy) => [{ filters: isTerminal ? own : [...own, ...proxy] }],
  });
  return { name: `network: ${name}`, config, rows, stats: /local_rate|connection_limit|listener\.|local_ratelimit/ };
}

const filter = (name: string, settings: string): string =>
  dump([
    {
      name,
      typed_config: {
        '@type': `${kinds}.network.${name}.v3.${settings.split(' ')[0]}`,
        ...(load(settings.slice(settings.indexOf(' ') + 1)) as object),
      },
    },
  ]);
const rate = '{ max_tokens: 2, fill_interval: 3600s }';
const connect = (name: string, ...more: Partial<Row>[]): Row => ({
  name,
  raw: ['hello', 100, 'end'],
  ...exchange,
  logLines: 1,
  ...Object.assign({}, ...more),
});
const refused = { raw: [200], logLines: 1 } as const;

const limitOfOne = load(
  filter('connection_limit', 'ConnectionLimit { stat_prefix: a, max_connections: 1, delay: 0.1s }'),
) as Yaml[];

export const networkFilters: readonly Group[] = [
  chain('local_ratelimit', filter('local_ratelimit', `LocalRateLimit { stat_prefix: a, token_bucket: ${rate} }`), [
    connect('the first'),
    connect('the second'),
    connect('the third is closed', refused),
  ]),
  chain(
    'local_ratelimit is off',
    filter(
      'local_ratelimit',
      `LocalRateLimit { stat_prefix: a, token_bucket: { max_tokens: 0, fill_interval: 1s }, runtime_enabled: { default_value: false, runtime_key: a } }`,
    ),
    [connect('everybody comes')],
  ),
  chain(
    'a shared bucket',
    filter('local_ratelimit', `LocalRateLimit { stat_prefix: a, share_key: k, token_bucket: ${rate} }`) +
      filter('local_ratelimit', `LocalRateLimit { stat_prefix: b, share_key: k, token_bucket: ${rate} }`),
    [connect('costs two'), connect('there are no more', refused)],
  ),
  chain('connection_limit', filter('connection_limit', 'ConnectionLimit { stat_prefix: a, max_connections: 1 }'), [
    connect('one'),
    connect('one after the other'),
  ]),
  chain(
    'connection_limit is small, with a delay',
    filter('connection_limit', 'ConnectionLimit { stat_prefix: a, max_connections: 1, delay: 0.2s }') +
      filter('connection_limit', 'ConnectionLimit { stat_prefix: b, max_connections: 1 }'),
    [connect('passes both')],
  ),
  {
    name: 'network: connection_limit in front of HTTP',
    config: http({ chains: (manager) => [{ filters: [...limitOfOne, ...manager] }] }),
    stats: /connection_limit/,
    rows: [
      {
        name: 'the second connection is closed',
        mode: 'together',
        staggerMs: 100,
        request: [{ path: '/a' }, { path: '/b' }],
        upstream: [{ delayMs: 600 }],
        logLines: 1,
      },
      { name: 'there is room again', request: { path: '/c' } },
    ],
  },
  chain(
    'echo',
    filter('echo', 'Echo {}'),
    [
      connect('bytes come back', { logLines: 0 }),
      connect('client resets', { raw: ['abc', 100, 'reset'], logLines: 0 }),
    ],
    true,
  ),
  chain(
    'direct_response',
    filter('direct_response', 'Config { response: { inline_string: "hello\\n" } }'),
    [connect('a greeting', { raw: [100], logLines: 0 })],
    true,
  ),
  chain(
    'direct_response of nothing',
    filter('direct_response', 'Config {}'),
    [connect('is a close', { raw: [100], logLines: 0 })],
    true,
  ),
  chain(
    'listener local_ratelimit',
    '[]',
    [connect('the first'), connect('the second'), connect('the third', { raw: [200], logLines: 0 })],
    false,
    `listener_filters: [{ name: l, typed_config: { '@type': ${kinds}.listener.local_ratelimit.v3.LocalRateLimit, stat_prefix: a, token_bucket: ${rate} } }]`,
  ),
  chain(
    'set_filter_state',
    filter(
      'set_filter_state',
      `Config { on_new_connection: [{ object_key: key, factory_key: envoy.string, format_string: { text_format_source: { inline_string: 'from %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } } }] }`,
    ),
    [connect('a text')],
  ),
  chain(
    'set_filter_state on data',
    filter(
      'set_filter_state',
      `Config { on_downstream_data: [{ object_key: key, factory_key: envoy.string, format_string: { text_format_source: { inline_string: 'at %FILTER_STATE(key:PLAIN)%' } } }] }`,
    ),
    [connect('in pieces', { raw: ['a', 100, 'b', 100, 'end'] }), connect('nothing', { raw: [100, 'end'] })],
  ),
  chain(
    'set_filter_state chooses the cluster',
    filter(
      'set_filter_state',
      `Config { on_new_connection: [{ object_key: envoy.tcp_proxy.cluster, format_string: { text_format_source: { inline_string: none } } }] }`,
    ),
    [connect('that is none', { raw: [200], ignores: /end$/ })],
  ),
  chain(
    'set_filter_state has its own idle timeout',
    filter(
      'set_filter_state',
      `Config { on_new_connection: [{ object_key: envoy.tcp_proxy.per_connection_idle_timeout_ms, format_string: { text_format_source: { inline_string: '200' } } }] }`,
    ),
    [connect('that is short', { raw: ['a'] })],
  ),
];
