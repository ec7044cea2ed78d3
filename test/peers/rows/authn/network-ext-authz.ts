import { cluster, tcp } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';
import { says } from './check-answers.ts';
import { load } from 'js-yaml';

const type = 'type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz';

const http2 = `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: {} }`;

function asking(name: string, settings: string, rows: readonly Row[], bootstrap = ''): Group {
  const filter = load(
    `{ name: envoy.filters.network.ext_authz, typed_config: { '@type': ${type}, transport_api_version: V3, stat_prefix: a, ${settings} } }`,
  ) as Record<string, unknown>;
  const config = tcp('{ cluster: echo }', [cluster('echo', ['echo']), cluster('authz', ['two'], http2)], {
    log: ['DYNAMIC_METADATA(envoy.filters.network.ext_authz)'],
    bootstrap,
    chains: (proxy) => [{ filters: [filter, ...proxy] }],
  });
  // What was said lasted some milliseconds.
  const said = /DYNAMIC_METADATA/;
  return {
    name: `network ext_authz: ${name}`,
    config,
    rows: rows.map((row) => ({ ignores: said, ...row })),
    stats: /ext_authz/,
  };
}

const talk = (name: string, answer: Step, more: Partial<Row> = {}): Row => ({
  name,
  raw: ['hello', 150, ' again', 100, 'end'],
  upstream: [answer],
  until: 'closed',
  answers: 0,
  waitMs: 2000,
  logLines: 1,
  ...more,
});

const service = 'grpc_service: { envoy_grpc: { cluster_name: authz }, timeout: 0.5s }';
const refused: Partial<Row> = { raw: ['hello', 300] };

/** `envoy.filters.network.ext_authz`. */
export const networkExtAuthzGroups: readonly Group[] = [
  asking('asked', service, [
    talk('ok', says({})),
    talk('ok, with metadata', says({ dynamicMetadata: { a: 1 } })),
    talk('denied', says({ status: { code: 7 } }), refused),
    talk('denied, with metadata', says({ status: { code: 7 }, dynamicMetadata: { a: 1 } }), {
      ...refused,
      ignores: /^$/,
    }),
    talk('an error', { status: 500 }, refused),
    talk('too late', { ...says({}), delayMs: 1000 }, { raw: ['hello', 900] }),
    talk('who says nothing is not asked about', says({ status: { code: 7 } }), { raw: [100, 'end'] }),
    talk(
      'who goes at once',
      { ...says({}), delayMs: 300 },
      {
        raw: ['hello', 100, 'end'],
        // Envoy counts bytes twice that it was given again.
        ignores: /DYNAMIC_METADATA|received/,
      },
    ),
  ]),
  asking(
    'labels',
    `${service}, bootstrap_metadata_labels_key: labels`,
    [talk('ok', says({}))],
    'node: { id: me, cluster: mine, metadata: { labels: { app: here, n: 5 } } }',
  ),
  asking('failures allowed', `${service}, failure_mode_allow: true, include_tls_session: true`, [
    talk('an error', { status: 500 }),
    talk('denied', says({ status: { code: 7 } }), refused),
  ]),
  asking(
    'only with metadata',
    `${service}, filter_enabled_metadata: { filter: f, path: [{ key: k }], value: { present_match: true } }`,
    [talk('nobody has set it', says({ status: { code: 7 } }))],
  ),
];
