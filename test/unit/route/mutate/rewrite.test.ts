import { describe, expect, test } from 'vitest';
import { anyHost, forwarded, forwardOf, outcomeOf, request, tableFrom } from '../fixture.ts';

const table = tableFrom(
  anyHost(String.raw`
{match: {prefix: /pr0/}, route: {cluster: c, prefix_rewrite: /}}
{match: {prefix: /prefix}, route: {cluster: c, prefix_rewrite: /}}
{match: {prefix: /Ci, case_sensitive: false}, route: {cluster: c, prefix_rewrite: /X}}
{match: {path: /exact}, route: {cluster: c, prefix_rewrite: /new}}
{match: {safe_regex: {regex: '/rx/.*'}}, route: {cluster: c, prefix_rewrite: /new}}
{match: {path_separated_prefix: /sep}, route: {cluster: c, prefix_rewrite: /new}}
{match: {path_separated_prefix: /SEP2, case_sensitive: false}, route: {cluster: c, prefix_rewrite: /Ww}}
{match: {prefix: /re/}, route: {cluster: c, regex_rewrite: {pattern: {regex: '^/re/(.*)/x(\d+)'}, substitution: '/\2/\1\\'}}}
{match: {prefix: /rnone}, route: {cluster: c, regex_rewrite: {pattern: {regex: '.*'}, substitution: ''}}}
{match: {prefix: /rnull}, route: {cluster: c, regex_rewrite: {pattern: {regex: '.*'}, substitution: 'x'}}}
{match: {prefix: /rbad}, route: {cluster: c, regex_rewrite: {pattern: {regex: '/rb'}, substitution: '/\3'}}}
{match: {prefix: /noslash}, route: {cluster: c, prefix_rewrite: noslash}}
{match: {prefix: /query}, route: {cluster: c, prefix_rewrite: '/n?z=1'}}
{match: {path: /fmt}, route: {cluster: c, path_rewrite: '/n%REQ(x-h)%'}}
{match: {path: /fmte}, route: {cluster: c, path_rewrite: '%REQ(x-h)%'}}
{match: {path: /fmtq}, route: {cluster: c, path_rewrite: '/n?z=%REQ(x-h)%'}}
{match: {path_match_policy: {name: m, typed_config: {'@type': type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: '/t/{x}/z'}}}, route: {cluster: c, path_rewrite_policy: {name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig, path_template_rewrite: '/n/{x}'}}}}
{match: {prefix: /h/lit2}, route: {cluster: c, host_rewrite_literal: lit.test}}
{match: {prefix: /h/lit}, route: {cluster: c, host_rewrite_literal: lit.test, append_x_forwarded_host: true}}
{match: {prefix: /h/hdr}, route: {cluster: c, host_rewrite_header: X-H, append_x_forwarded_host: true}}
{match: {prefix: /h/re}, route: {cluster: c, host_rewrite_path_regex: {pattern: {regex: '^/h/re/(.+)'}, substitution: '\1.test'}}}
{match: {prefix: /h/fmt}, route: {cluster: c, host_rewrite: 'h-%REQ(x-h)%'}}
{match: {prefix: /h/auto}, route: {cluster: c, auto_host_rewrite: true}}
`),
);

// What Envoy 1.39.3 sent upstream.
describe('paths', () => {
  test.each([
    ['/pr0/foo?q=/pr', '/foo?q=/pr'],
    ['/prefix/foo', '//foo'],
    ['/prefix', '/'],
    ['/prefixx', '/x'],
    ['/ci/z?x', '/X/z?x'],
    ['/exact?x=1', '/new?x=1'],
    ['/rx/a?b', '/new?b'],
    ['/sep/a?b', '/new/a?b'],
    ['/sep', '/new'],
    ['/sep?x', '/new?x'],
    ['/sep2/x', '/Ww/x'],
    ['/re/foo/x12/more?q=a', '/12/foo\\/more?q=a'],
    ['/rnull/xax?q', 'x?q'],
    ['/rbad/1', '/rbad/1'],
    ['/noslash/x', 'noslash/x'],
    ['/query?q=1', '/n?z=1?q=1'],
    ['/fmt', '/n'],
    ['/fmtq?q=1', '/n?z=?q=1'],
    ['/t/1/z?x=y', '/n/1?x=y'],
  ])('%s → %s', (path, expected) => {
    expect(forwarded(table, request(path))).toBe(`${expected} | host: h.test | x-envoy-original-path: ${path}`);
  });

  test.each(['/rnone/xax?q', '/fmte?a'])('%s: an empty path is no rewrite', (path) => {
    expect(forwarded(table, request(path))).toBe(`${path} | host: h.test`);
  });

  test.each(['/sepx', '/sep2x', '/t/1/2/z'])('%s matches nothing', (path) => {
    expect(forwarded(table, request(path))).toBe('no route');
  });

  test('what the client says of its original path is overwritten in place', () => {
    expect(forwarded(table, request('/exact', 'x-envoy-original-path: /zz', 'x: 1'))).toBe(
      '/new | host: h.test | x-envoy-original-path: /exact | x: 1',
    );
  });
});

describe('hosts', () => {
  test.each([
    ['/h/lit', [], 'lit.test | x-envoy-original-host: h.test | x-forwarded-host: h.test'],
    ['/h/lit', ['x-forwarded-host: a'], 'lit.test | x-forwarded-host: a,h.test | x-envoy-original-host: h.test'],
    ['/h/lit', ['x-forwarded-host: h.test'], 'lit.test | x-forwarded-host: h.test | x-envoy-original-host: h.test'],
    ['/h/lit', ['x-envoy-original-host: q'], 'lit.test | x-envoy-original-host: h.test | x-forwarded-host: h.test'],
    ['/h/lit2', [], 'lit.test | x-envoy-original-host: h.test'],
    ['/h/hdr', ['x-h: a', 'x-h: b'], 'a | x-h: a | x-h: b | x-envoy-original-host: h.test | x-forwarded-host: h.test'],
    ['/h/hdr', [], 'h.test'],
    ['/h/re/abc?x=1', [], 'abc.test | x-envoy-original-host: h.test'],
    ['/h/re', [], '/h/re | x-envoy-original-host: h.test'],
    ['/h/fmt', ['x-h: foo'], 'h-foo | x-h: foo | x-envoy-original-host: h.test'],
    ['/h/fmt', [], 'h-- | x-envoy-original-host: h.test'],
    ['/h/auto', [], 'h.test'],
  ])('%s with %j → %s', (path, fields, expected) => {
    expect(forwarded(table, request(path, ...fields))).toBe(`${path} | host: ${expected}`);
  });
});

test('with suppress_envoy_headers nothing tells the original', () => {
  const head = request('/exact');
  const action = forwardOf(table.match(head, { random: 0 }));
  action.mutateRequest(head, outcomeOf(head), action.cluster(head, 0), false);
  expect([head.path, head.headers.has('x-envoy-original-path')]).toEqual(['/new', false]);
});
