import { http } from '../../config.ts';
import type { Group, Request } from '../../row.ts';

const kind = 'type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config';
const asked = (...headers: [string, string][]): Request => ({ path: '/', headers });

export const countedMetadata: readonly Group[] = [
  {
    name: 'header_to_metadata counts',
    config: http({
      filters: `[{ name: h2m, typed_config: { '@type': ${kind}, stat_prefix: own, request_rules: [
        { header: x-number, on_header_present: { metadata_namespace: nn, key: k, type: NUMBER }, on_header_missing: { key: m, value: v } },
        { header: x-base, on_header_present: { key: b, encode: BASE64 } },
        { header: x-gone, on_header_present: { key: g, regex_value_rewrite: { pattern: { regex: 'a.*' }, substitution: '' } } },
        { cookie: c, on_header_present: { key: c } }],
        response_rules: [{ header: x-own, on_header_present: { key: r }, remove: true }] } }]`,
      log: ['DYNAMIC_METADATA(nn)', 'DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)'],
    }),
    stats: /^(?:http_filter_name|http)\./,
    rows: [
      { name: 'nothing there', request: asked() },
      {
        name: 'all there',
        request: asked(['x-number', '5'], ['x-base', 'aGVsbG8='], ['x-gone', 'b'], ['cookie', 'c=d']),
        upstream: [{ headers: [['x-own', '1']] }],
      },
      { name: 'nothing of use', request: asked(['x-number', 'five'], ['x-base', '!'], ['x-gone', 'abc']) },
      { name: 'empty', request: asked(['x-number', ''], ['x-base', ''], ['x-gone', ''], ['cookie', 'c=']) },
      { name: 'too long', request: asked(['x-gone', 'b'.repeat(9000)]) },
    ],
  },
];
