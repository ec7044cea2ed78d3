import { http } from '../../config.ts';
import type { Group } from '../../row.ts';

const asked = (value: string, more = ''): string =>
  `{ prefix: /, dynamic_metadata: [{ filter: f, path: [{ key: k }], value: ${value} ${more} }] }`;
const missing = (path: string, value: string, more = ''): string =>
  `{ prefix: ${path}, dynamic_metadata: [{ filter: none, path: [{ key: k }], value: ${value} ${more} }] }`;
const answered = (status: number): string => `direct_response: { status: ${status} }`;

const metadata: Group = {
  name: 'routes by dynamic metadata',
  config: http({
    filters: `
- name: envoy.filters.http.header_to_metadata
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
    request_rules:
    - { header: x-note, on_header_present: { metadata_namespace: f, key: k } }`,
    routes: `
- { match: ${missing('/present', '{ present_match: true }')}, ${answered(201)} }
- { match: ${missing('/inverted', '{ present_match: true }', ', invert: true')}, ${answered(202)} }
- { match: ${missing('/absent', '{ present_match: false }')}, ${answered(203)} }
- { match: ${missing('/null', '{ null_match: {} }')}, ${answered(204)} }
- { match: ${missing('/bool', '{ bool_match: false }')}, ${answered(205)} }
- { match: ${missing('/not-string', '{ string_match: { exact: a } }', ', invert: true')}, ${answered(206)} }
- { match: ${missing('/or', '{ or_match: { value_matchers: [{ bool_match: false }, { present_match: true }] } }')}, ${answered(207)} }
- { match: { prefix: /state, filter_state: [{ key: none, string_match: { prefix: x } }] }, ${answered(208)} }
- { match: ${asked('{ string_match: { exact: a } }')}, ${answered(210)} }
- { match: { prefix: / }, ${answered(299)} }`,
  }),
  rows: [
    ...['present', 'inverted', 'absent', 'null', 'bool', 'not-string', 'or', 'state'].map((name) => ({
      name: `nothing was noted: ${name}`,
      request: { path: `/${name}` },
    })),
    { name: 'what a filter notes comes after the route', request: { headers: [['x-note', 'a']] } },
  ],
};

/** `dynamic_metadata` and `filter_state` of a route's match. */
export const stateMatchers: readonly Group[] = [metadata];
