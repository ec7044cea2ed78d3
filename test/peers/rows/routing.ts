import { http } from '../config.ts';
import type { Group } from '../row.ts';

const matchers: Group = {
  name: 'routing matchers',
  config: http({
    routes: `
- { name: exact, match: { path: /exact }, route: { cluster: one } }
- { name: exact-any-case, match: { path: /CaseLess, case_sensitive: false }, route: { cluster: two } }
- { name: separated, match: { path_separated_prefix: /sep }, route: { cluster: two } }
- { name: regex, match: { safe_regex: { regex: '/re/[a-z]+/\\d{2}' } }, route: { cluster: two } }
- name: template
  match:
    path_match_policy:
      name: envoy.path.match.uri_template.uri_template_matcher
      typed_config:
        '@type': type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig
        path_template: /t/{id}/{rest=**}
  route: { cluster: two }
- name: header-exact
  match: { prefix: /h, headers: [{ name: x-v, string_match: { exact: '1' } }] }
  route: { cluster: two }
- name: header-range
  match: { prefix: /h, headers: [{ name: x-n, range_match: { start: 10, end: 20 } }] }
  route: { cluster: two }
- name: header-absent
  match: { prefix: /absent, headers: [{ name: x-v, present_match: true, invert_match: true }] }
  route: { cluster: three }
- name: header-suffix-any-case
  match: { prefix: /h, headers: [{ name: x-s, string_match: { suffix: Tail, ignore_case: true } }] }
  route: { cluster: three }
- name: header-missing-as-empty
  match: { prefix: /m, headers: [{ name: x-v, string_match: { exact: a }, invert_match: true, treat_missing_header_as_empty: true }] }
  route: { cluster: three }
- name: method
  match: { prefix: /method, headers: [{ name: ':method', string_match: { exact: DELETE } }] }
  route: { cluster: three }
- name: query
  match: { prefix: /q, query_parameters: [{ name: a, string_match: { exact: '1' } }, { name: b, present_match: true }] }
  route: { cluster: two }
- name: cookie
  match: { prefix: /c, cookies: [{ name: user, string_match: { prefix: adm } }] }
  route: { cluster: two }
- name: grpc
  match: { prefix: /g, grpc: {} }
  route: { cluster: two }
- name: never
  match: { prefix: /f, runtime_fraction: { default_value: { numerator: 0, denominator: HUNDRED } } }
  route: { cluster: two }
- name: always
  match: { prefix: /f, runtime_fraction: { default_value: { numerator: 100, denominator: HUNDRED } } }
  route: { cluster: three }
- { name: rest, match: { prefix: /rest }, route: { cluster: one } }
`,
  }),
  rows: [
    { name: 'exact path', request: { path: '/exact' } },
    { name: 'exact path with a query', request: { path: '/exact?x=1' } },
    { name: 'exact path, other case', request: { path: '/Exact' } },
    { name: 'exact path with a slash behind', request: { path: '/exact/' } },
    { name: 'path in any case', request: { path: '/caseless' } },
    { name: 'separated prefix itself', request: { path: '/sep' } },
    { name: 'separated prefix and more', request: { path: '/sep/a?b' } },
    { name: 'separated prefix without a separator', request: { path: '/separate' } },
    { name: 'regex matches the whole path', request: { path: '/re/abc/12?q=1' } },
    { name: 'regex does not match a part', request: { path: '/re/abc/123' } },
    { name: 'uri template', request: { path: '/t/7/a/b/c' } },
    { name: 'header exact', request: { path: '/h', headers: [['x-v', '1']] } },
    {
      name: 'header exact, one of two values',
      request: {
        path: '/h',
        headers: [
          ['x-v', '0'],
          ['X-V', '1'],
        ],
      },
    },
    { name: 'header values joined by a comma', request: { path: '/h', headers: [['x-v', '0,1']] } },
    { name: 'header in range', request: { path: '/h', headers: [['x-n', '10']] } },
    { name: 'header at the end of the range', request: { path: '/h', headers: [['x-n', '20']] } },
    { name: 'header is no number', request: { path: '/h', headers: [['x-n', '1x']] } },
    { name: 'header suffix in any case', request: { path: '/h', headers: [['x-s', 'longtAIL']] } },
    { name: 'header absent', request: { path: '/absent' } },
    { name: 'header present where it must be absent', request: { path: '/absent', headers: [['x-v', '']] } },
    { name: 'missing header counts as empty', request: { path: '/m' } },
    { name: 'method', request: { method: 'DELETE', path: '/method' } },
    { name: 'method, another', request: { path: '/method' } },
    { name: 'query parameters', request: { path: '/q?b&a=1' } },
    { name: 'query parameter is missing', request: { path: '/q?a=1' } },
    { name: 'query parameter twice: the first counts', request: { path: '/q?a=2&a=1&b=' } },
    { name: 'cookie', request: { path: '/c', headers: [['cookie', 'a=1; user="admin"; b=2']] } },
    {
      name: 'cookie in a second header',
      request: {
        path: '/c',
        headers: [
          ['cookie', 'a=1'],
          ['cookie', 'user=adm'],
        ],
      },
    },
    { name: 'grpc', request: { path: '/g', method: 'POST', headers: [['content-type', 'application/grpc+proto']] } },
    {
      name: 'grpc-web is not grpc',
      request: { path: '/g', method: 'POST', headers: [['content-type', 'application/grpc-web']] },
    },
    { name: 'runtime fraction 0 and 100', request: { path: '/f' } },
    { name: 'nothing matches', request: { path: '/nothing' } },
    { name: 'HEAD where nothing matches', request: { method: 'HEAD', path: '/nothing' } },
    { name: 'fragment is refused', request: { path: '/rest#part' } },
  ],
};

const domains: Group = {
  name: 'virtual hosts',
  config: http({
    virtualHosts: `
- { name: exact, domains: [exact.test, 'port.test:8080'], routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: exact } } }] }
- { name: suffix, domains: ['*.test'], routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: suffix } } }] }
- { name: longer, domains: ['*.b.test'], routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: longer } } }] }
- { name: prefix, domains: ['api.*'], routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: prefix } } }] }
- { name: any, domains: ['*'], routes: [{ match: { prefix: /any }, direct_response: { status: 200, body: { inline_string: any } } }] }
- { name: tls, domains: [tls.example], require_tls: ALL, routes: [{ match: { prefix: / }, route: { cluster: one } }] }
`,
  }),
  rows: [
    { name: 'exact', request: { host: 'exact.test' } },
    { name: 'exact in capitals', request: { host: 'EXACT.Test' } },
    { name: 'exact with a port that the domain lacks', request: { host: 'exact.test:80' } },
    { name: 'exact with its port', request: { host: 'port.test:8080' } },
    { name: 'suffix', request: { host: 'a.test' } },
    { name: 'suffix needs a character in front', request: { host: '.test' } },
    { name: 'longest suffix', request: { host: 'a.b.test' } },
    { name: 'prefix', request: { host: 'api.example' } },
    { name: 'suffix goes before prefix', request: { host: 'api.test' } },
    { name: 'any', request: { host: 'other', path: '/any' } },
    { name: 'any without a route', request: { host: 'other', path: '/none' } },
    { name: 'TLS is required', request: { host: 'tls.example', path: '/secure?x=1' } },
    { name: 'TLS is required, POST', request: { host: 'tls.example', path: '/secure', body: 'x' } },
    { name: 'no host at all', request: { host: null } },
    { name: 'absolute target names the host', request: { host: 'other', path: 'http://exact.test/p' } },
  ],
};

export const routing: readonly Group[] = [matchers, domains];
