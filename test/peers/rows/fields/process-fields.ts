import { http } from '../../config.ts';
import type { Group } from '../../row.ts';

const file = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
const logger = (format: string): string =>
  `- { name: older, typed_config: { '@type': ${file}, path: '{{log}}', ${format} } }`;

/** Fields of the bootstrap and of access logs that control planes set, in their older forms too. */
export const processFields: readonly Group[] = [
  {
    name: 'fields: logs in older forms',
    config: http({
      accessLogs: [
        logger(`format: "{\\"text\\":\\"%REQ(:PATH)% %RESPONSE_CODE%\\"}\\n"`),
        logger("json_format: { path: '%REQ(:PATH)%', code: '%RESPONSE_CODE%' }"),
        logger("typed_json_format: { path: '%REQ(:PATH)%', code: '%RESPONSE_CODE%', inner: { sent: '%BYTES_SENT%' } }"),
      ].join('\n'),
      routes: `
- match: { prefix: / }
  route: { cluster: one }
  request_headers_to_add:
  - { header: { key: x-twice, value: ours }, append: true }
  - { header: { key: x-once, value: ours }, append: false }`,
    }),
    rows: [
      {
        name: 'a request',
        request: {
          path: '/x',
          headers: [
            ['x-twice', 'theirs'],
            ['x-once', 'theirs'],
          ],
        },
        logLines: 4,
      },
    ],
  },
  {
    name: 'fields: stats',
    config: http({
      bootstrap: `
stats_flush_interval: 1s
stats_config:
  use_all_default_tags: false
  stats_tags:
  - { tag_name: manager, regex: '^http\\.((.+?)\\.)' }
  - { tag_name: always, fixed_value: here }
  stats_matcher: { inclusion_list: { patterns: [{ prefix: http.ingress.downstream_rq }, { exact: cluster.one.upstream_rq_total }] } }
  histogram_bucket_settings: [{ match: { prefix: http }, buckets: [1000, 5000] }]
application_log_config: { log_format: { text_format: '%v' } }`,
    }),
    rows: [
      { name: 'a request', request: { path: '/' } },
      { name: 'as text', admin: '/stats?filter=^(http.ingress.downstream_rq_([1-5]xx|total|active)|cluster.one)' },
      { name: 'with tags', admin: '/stats/prometheus?filter=downstream_rq_(total|2xx|completed)', ignores: /# HELP/ },
    ],
  },
];
