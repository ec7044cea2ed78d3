import { http } from '../../config.ts';
import type { Group } from '../../row.ts';

const route = (fields: string): string =>
  `{ action: { name: route, typed_config: { '@type': type.googleapis.com/envoy.config.route.v3.Route, ${fields} } } }`;
const answer = (text: string, match = 'prefix: /'): string =>
  route(`match: { ${match} }, direct_response: { status: 200, body: { inline_string: ${text} } }`);
const list = (...routes: readonly string[]): string =>
  `{ action: { name: routes, typed_config: { '@type': type.googleapis.com/envoy.config.route.v3.RouteList, routes: [${routes.map((one) => `{ ${one} }`).join(', ')}] } } }`;
const header = (name: string): string =>
  `{ name: request-headers, typed_config: { '@type': type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: '${name}' } }`;
const state = `{ name: state, typed_config: { '@type': type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.FilterStateInput, key: kept } }`;
const single = (input: string, value: string): string =>
  `single_predicate: { input: ${input}, value_match: { ${value} } }`;

const setState = `
- name: set_filter_state
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config
    clear_route_cache: true
    on_request_headers:
    - { object_key: kept, factory_key: envoy.string, format_string: { text_format_source: { inline_string: '%REQ(x-kept)%' } } }`;

/** `matcher` of a virtual host. */
export const routeMatchers: readonly Group[] = [
  {
    name: 'routes that a matcher chooses',
    config: http({
      filters: setState,
      virtualHosts: `
- name: map
  domains: [map.test]
  response_headers_to_add: [{ header: { key: x-host, value: map } }]
  retry_policy: { retry_on: 5xx }
  matcher:
    matcher_tree:
      input: ${header('x-way')}
      exact_match_map:
        map:
          one: ${answer('one')}
          narrow: ${answer('narrow', 'path: /narrow')}
          forwarded: ${route(`name: named, match: { prefix: / }, route: { cluster: two }, response_headers_to_add: [{ header: { key: x-route, value: named } }]`)}
          retried: ${route(`match: { prefix: / }, route: { cluster: one }`)}
          filtered: ${route(`match: { prefix: / }, filter_action: {}`)}
          listed: ${list('match: { path: /a }, direct_response: { status: 200, body: { inline_string: first } }', 'match: { prefix: /a }, direct_response: { status: 200, body: { inline_string: second } }', 'match: { prefix: /one }, route: { cluster: one }')}
          unknown: ${route(`match: { prefix: / }, route: { cluster: nobody }`)}
          redirected: ${route(`match: { prefix: / }, redirect: { host_redirect: elsewhere.test }`)}
          'a,b': ${answer('both')}
- name: prefixes
  domains: [prefix.test]
  matcher:
    matcher_tree:
      input: ${header(':path')}
      prefix_match_map:
        map:
          /a: ${answer('a')}
          /a/b: ${answer('a-b', 'path: /a/b/c')}
    on_no_match: ${answer('other')}
- name: list
  domains: [list.test]
  require_tls: NONE
  matcher:
    matcher_list:
      matchers:
      - predicate: { ${single(header('x-way'), 'exact: one')} }
        on_match: ${answer('narrow', 'path: /narrow')}
      - predicate: { or_matcher: { predicate: [{ ${single(header('x-way'), 'prefix: tw')} }, { ${single(header(':method'), 'exact: POST')} }] } }
        on_match: ${answer('or')}
      - predicate: { and_matcher: { predicate: [{ ${single(header('x-way'), 'safe_regex: { google_re2: {}, regex: "th.*" }')} }, { not_matcher: { ${single(header('x-not'), 'exact: "1"')} } }] } }
        on_match: ${answer('and')}
      - predicate: { ${single(header('x-way'), 'contains: nest')} }
        on_match:
          matcher:
            matcher_list:
              matchers:
              - predicate: { ${single(header('x-inner'), 'suffix: "1"')} }
                on_match: ${answer('nested')}
      - predicate: { ${single(header('x-way'), 'exact: NESTED, ignore_case: true')} }
        on_match: ${answer('after')}
      - predicate: { ${single(header(':authority'), 'exact: list.test')} }
        on_match: ${answer('authority', 'prefix: /authority')}
- name: state
  domains: [state.test]
  matcher:
    matcher_tree: { input: ${state}, exact_match_map: { map: { blue: ${answer('blue')} } } }
    on_no_match: ${answer('none')}
- name: tls
  domains: [tls.test]
  require_tls: ALL
  matcher: { matcher_tree: { input: ${header('x-way')}, exact_match_map: { map: { one: ${answer('one')} } } } }`,
    }),
    rows: [
      { name: 'by a header', request: { host: 'map.test', headers: [['x-way', 'one']] } },
      { name: 'which is missing', request: { host: 'map.test' } },
      { name: 'which has another value', request: { host: 'map.test', headers: [['x-way', 'One']] } },
      {
        name: 'which is there twice',
        request: {
          host: 'map.test',
          headers: [
            ['x-way', 'a'],
            ['x-way', 'b'],
          ],
        },
      },
      {
        name: 'the route must match too',
        request: { host: 'map.test', path: '/narrow', headers: [['x-way', 'narrow']] },
      },
      { name: 'and none else is asked', request: { host: 'map.test', path: '/wide', headers: [['x-way', 'narrow']] } },
      { name: 'forwarded', request: { host: 'map.test', headers: [['x-way', 'forwarded']] } },
      { name: 'to a cluster that is not there', request: { host: 'map.test', headers: [['x-way', 'unknown']] } },
      { name: 'a redirect', request: { host: 'map.test', headers: [['x-way', 'redirected']] } },
      { name: 'what a filter would do', request: { host: 'map.test', headers: [['x-way', 'filtered']] } },
      {
        name: 'the virtual host’s policy',
        request: { host: 'map.test', headers: [['x-way', 'retried']] },
        upstream: [{ status: 503 }, {}],
      },
      { name: 'the first of a list', request: { host: 'map.test', path: '/a', headers: [['x-way', 'listed']] } },
      { name: 'the second of a list', request: { host: 'map.test', path: '/ab', headers: [['x-way', 'listed']] } },
      { name: 'the third of a list', request: { host: 'map.test', path: '/one', headers: [['x-way', 'listed']] } },
      { name: 'none of a list', request: { host: 'map.test', path: '/b', headers: [['x-way', 'listed']] } },
      { name: 'by the beginning of the path', request: { host: 'prefix.test', path: '/ax' } },
      { name: 'the longest beginning', request: { host: 'prefix.test', path: '/a/b/c' } },
      { name: 'whose route does not match', request: { host: 'prefix.test', path: '/a/b/d' } },
      { name: 'what else', request: { host: 'prefix.test', path: '/z' } },
      { name: 'a predicate whose route does not match', request: { host: 'list.test', headers: [['x-way', 'one']] } },
      { name: 'one of two', request: { host: 'list.test', headers: [['x-way', 'two']] } },
      { name: 'the other of two', request: { host: 'list.test', method: 'POST', body: 'x' } },
      { name: 'both', request: { host: 'list.test', headers: [['x-way', 'three']] } },
      {
        name: 'not both',
        request: {
          host: 'list.test',
          headers: [
            ['x-way', 'three'],
            ['x-not', '1'],
          ],
        },
      },
      {
        name: 'nested',
        request: {
          host: 'list.test',
          headers: [
            ['x-way', 'nested'],
            ['x-inner', '11'],
          ],
        },
      },
      { name: 'nothing nested, the next', request: { host: 'list.test', headers: [['x-way', 'nested']] } },
      { name: 'by the authority', request: { host: 'list.test', path: '/authority' } },
      {
        name: 'by filter state',
        request: { host: 'state.test', headers: [['x-kept', 'blue']] },
      },
      { name: 'TLS comes first', request: { host: 'tls.test', headers: [['x-way', 'one']] } },
    ],
  },
];
