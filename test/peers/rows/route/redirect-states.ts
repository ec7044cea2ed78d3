import { http } from '../../config.ts';
import type { Group } from '../../row.ts';

/** Each takes the header away that it has read, so that a second pass has nothing to read. */
const filters = `
- name: envoy.filters.http.header_to_metadata
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
    request_rules:
    - { header: x-noted, on_header_present: { metadata_namespace: noted, key: value }, on_header_missing: { metadata_namespace: missed, key: pass, value: again }, remove: true }
- name: envoy.filters.http.set_filter_state
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config
    on_request_headers:
    - { object_key: kept, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(x-kept)%' }, omit_empty_values: true }, skip_if_empty: true }
- name: envoy.filters.http.header_mutation
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations: { request_mutations: [{ remove: x-kept }] }`;

/** What filters have noted of a request, and what of it the request knows that follows a redirect. */
export const redirectStates: Group = {
  name: 'internal redirects and what was noted',
  config: http({
    filters,
    log: ['DYNAMIC_METADATA(noted:value)', 'DYNAMIC_METADATA(missed:pass)', 'FILTER_STATE(kept:PLAIN)', 'REQ(x-noted)'],
    routes: `
- match: { prefix: /from }
  route: { cluster: one, internal_redirect_policy: { max_internal_redirects: 2 } }
  request_headers_to_add: [{ header: { key: x-metadata, value: '%DYNAMIC_METADATA(noted:value)%' } }, { header: { key: x-state, value: '%FILTER_STATE(kept:PLAIN)%' } }]
- match: { prefix: /to }
  route: { cluster: two }
  request_headers_to_add: [{ header: { key: x-metadata, value: '%DYNAMIC_METADATA(noted:value)%' } }, { header: { key: x-state, value: '%FILTER_STATE(kept:PLAIN)%' } }]`,
  }),
  rows: [
    {
      name: 'dynamic metadata',
      request: { path: '/from', headers: [['x-noted', 'once']] },
      upstream: [{ status: 302, headers: [['location', 'http://other.test/to']] }, {}],
      logLines: 2,
    },
    {
      name: 'filter state',
      request: { path: '/from', headers: [['x-kept', 'once']] },
      upstream: [{ status: 302, headers: [['location', 'http://other.test/to']] }, {}],
      logLines: 2,
    },
    {
      name: 'both, twice',
      request: {
        path: '/from',
        headers: [
          ['x-noted', 'once'],
          ['x-kept', 'once'],
        ],
      },
      upstream: [
        { status: 302, headers: [['location', 'http://other.test/from/more']] },
        { status: 302, headers: [['location', 'http://other.test/to']] },
        {},
      ],
      logLines: 3,
    },
    {
      name: 'of the next request nothing is known',
      request: [
        {
          path: '/from',
          headers: [
            ['x-noted', 'once'],
            ['x-kept', 'once'],
          ],
        },
        { path: '/to' },
      ],
      upstream: [{ status: 302, headers: [['location', 'http://other.test/to']] }, {}],
      logLines: 3,
    },
  ],
};
