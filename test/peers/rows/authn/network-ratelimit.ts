import { load } from 'js-yaml';
import { cluster, tcp } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';
import { says } from './ratelimit.ts';

const type = 'type.googleapis.com/envoy.extensions.filters.network.ratelimit.v3.RateLimit';

const http2 = `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: {} }`;

function asking(name: string, settings: string, rows: readonly Row[], runtime = '{}'): Group {
  const filter = load(
    `{ name: envoy.filters.network.ratelimit, typed_config: { '@type': ${type}, stat_prefix: a, domain: test, rate_limit_service: { transport_api_version: V3, grpc_service: { envoy_grpc: { cluster_name: rls } } }, ${settings} } }`,
  ) as Record<string, unknown>;
  const config = tcp('{ cluster: echo }', [cluster('echo', ['echo']), cluster('rls', ['two'], http2)], {
    log: ['DYNAMIC_METADATA(envoy.filters.network.ratelimit)'],
    chains: (proxy) => [{ filters: [filter, ...proxy] }],
    bootstrap: `{ layered_runtime: { layers: [{ name: s, static_layer: ${runtime} }] } }`,
  });
  return { name: `network ratelimit: ${name}`, config, rows, stats: /ratelimit/ };
}

const talk = (name: string, answer: Step, more: Partial<Row> = {}): Row => ({
  name,
  raw: [150, 'hello', 100, 'end'],
  upstream: [answer],
  until: 'closed',
  answers: 0,
  waitMs: 2000,
  logLines: 1,
  ...more,
});

const refused: Partial<Row> = { raw: [300] };
const patient = 'timeout: 0.3s';
/** For whom lateness is no matter. */
const endless = 'timeout: 5s';
const one = 'descriptors: [{ entries: [{ key: generic_key, value: tcp }] }]';
const ok = says({ overallCode: 1 });
const over = says({ overallCode: 2 });

/** `envoy.filters.network.ratelimit`. */
export const networkRateLimitGroups: readonly Group[] = [
  asking('asked', `${one}, ${patient}`, [
    talk('ok', ok),
    talk('ok, with metadata', says({ overallCode: 1, dynamicMetadata: { a: [1, true] } })),
    talk('over the limit', over, refused),
    talk('over the limit, with metadata', says({ overallCode: 2, dynamicMetadata: { a: 1 } }), refused),
    talk('an error', { status: 500 }),
    talk('half a message', says({}, { chunks: ['\0\0\0\0\x02\x08\x82'] })),
    talk('too late', { ...ok, delayMs: 800 }, { raw: [500, 'hello', 100, 'end'] }),
    talk('bytes wait for the answer', { ...ok, delayMs: 100 }, { raw: ['hello', 250, ' again', 100, 'end'] }),
  ]),
  asking('failures denied', `${one}, ${patient}, failure_mode_deny: true`, [
    talk('an error', { status: 500 }, refused),
    talk('ok', ok),
  ]),
  asking(
    'what is said of a connection',
    `${endless}, descriptors: [{ entries: [{ key: peer, value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' }, { key: none, value: 'x-%REQ(X-A)%-%REQUESTED_SERVER_NAME%' }] }, { entries: [{ key: second, value: '%PROTOCOL%' }] }]`,
    [talk('ok', ok)],
  ),
  asking(
    'switched off',
    `${one}, ${endless}`,
    [{ name: 'nobody is asked', raw: ['hello', 100, 'end'], until: 'closed', waitMs: 2000, logLines: 1 }],
    '{ ratelimit: { tcp_filter_enabled: 0 } }',
  ),
  asking(
    'not enforced',
    `${one}, ${endless}, failure_mode_deny: true`,
    [
      talk('ok', ok),
      talk('over the limit', over),
      talk('over the limit, with metadata', says({ overallCode: 2, dynamicMetadata: { a: 1 } })),
      talk('an error is denied nevertheless', { status: 500 }, refused),
    ],
    '{ ratelimit: { tcp_filter_enforcing: 0 } }',
  ),
  asking(
    'fractions count as absent',
    `${one}, ${endless}`,
    [talk('over the limit', over, refused)],
    '{ ratelimit: { tcp_filter_enabled: { numerator: 0 }, tcp_filter_enforcing: { numerator: 0 } } }',
  ),
];
