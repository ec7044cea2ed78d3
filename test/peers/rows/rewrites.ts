import { cluster, http } from '../config.ts';
import type { Group } from '../row.ts';

const rewriting: Group = {
  name: 'rewrites',
  config: http(
    {
      routes: `
- { match: { prefix: /p/ }, route: { cluster: one, prefix_rewrite: / } }
- { match: { prefix: /q }, route: { cluster: one, prefix_rewrite: /new } }
- { match: { path: /exact }, route: { cluster: one, prefix_rewrite: '/other/place' } }
- { match: { prefix: /AnyCase, case_sensitive: false }, route: { cluster: one, prefix_rewrite: /x } }
- { match: { path_separated_prefix: /sep }, route: { cluster: one, prefix_rewrite: /y } }
- { match: { prefix: /r/ }, route: { cluster: one, regex_rewrite: { pattern: { regex: '^/r/(\\w+)/(.*)$' }, substitution: '/\\2/by/\\1' } } }
- { match: { prefix: /all }, route: { cluster: one, regex_rewrite: { pattern: { regex: 'o' }, substitution: '0' } } }
- name: template
  match:
    path_match_policy:
      name: envoy.path.match.uri_template.uri_template_matcher
      typed_config: { '@type': type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: '/t/{a}/{b=**}' }
  route:
    cluster: one
    path_rewrite_policy:
      name: envoy.path.rewrite.uri_template.uri_template_rewriter
      typed_config: { '@type': type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig, path_template_rewrite: '/{b}/{a}' }
- { match: { prefix: /host-literal }, route: { cluster: one, host_rewrite_literal: other.test } }
- { match: { prefix: /host-header }, route: { cluster: one, host_rewrite_header: x-host } }
- { match: { prefix: /host-regex }, route: { cluster: one, host_rewrite_path_regex: { pattern: { regex: '^/host-regex/([^/]+).*$' }, substitution: '\\1.test' } } }
- { match: { prefix: /host-auto }, route: { cluster: dns, auto_host_rewrite: true } }
- { match: { prefix: /host-append }, route: { cluster: one, host_rewrite_literal: other.test, append_x_forwarded_host: true } }
- { match: { prefix: / }, route: { cluster: one } }
`,
    },
    [
      {
        ...cluster('dns', ['one'], '{ type: STRICT_DNS, dns_lookup_family: V4_ONLY, dns_refresh_rate: 3600s }'),
        load_assignment: {
          cluster_name: 'dns',
          endpoints: [
            {
              lb_endpoints: [
                { endpoint: { address: { socket_address: { address: 'localhost', port_value: '{{one}}' } } } },
              ],
            },
          ],
        },
      },
    ],
  ),
  rows: [
    { name: 'prefix to the root', request: { path: '/p/a/b?x=1' } },
    { name: 'prefix in the middle of a segment', request: { path: '/qrs?x' } },
    { name: 'exact path', request: { path: '/exact?x=1' } },
    { name: 'prefix in any case', request: { path: '/ANYCASE/a' } },
    { name: 'separated prefix', request: { path: '/sep/a' } },
    { name: 'regex with groups leaves the query alone', request: { path: '/r/abc/d/e?x=/r/' } },
    { name: 'regex everywhere in the path', request: { path: '/all/foo/boo?o' } },
    { name: 'uri template', request: { path: '/t/1/2/3?x' } },
    { name: 'host', request: { path: '/host-literal' } },
    { name: 'host from a header', request: { path: '/host-header', headers: [['x-host', 'from.header']] } },
    { name: 'host from a header that is missing', request: { path: '/host-header' } },
    { name: 'host from the path', request: { path: '/host-regex/abc/d?x' } },
    { name: 'host of the endpoint', request: { path: '/host-auto' } },
    {
      name: 'host appended to x-forwarded-host',
      request: { path: '/host-append', headers: [['x-forwarded-host', 'a']] },
    },
    {
      name: 'x-envoy-original-path of a stranger is dropped',
      request: { path: '/p/a', headers: [['x-envoy-original-path', '/evil']] },
    },
  ],
};

export const rewrites: readonly Group[] = [rewriting];
