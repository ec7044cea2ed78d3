import { describe, expect, test } from 'vitest';
import { anyHost, outcomeOf, request, tableFrom } from '../fixture.ts';

const table = tableFrom(
  anyHost(String.raw`
{match: {prefix: /https}, redirect: {https_redirect: true}}
{match: {prefix: /hport}, redirect: {https_redirect: true, port_redirect: 8443}}
{match: {prefix: /port80}, redirect: {port_redirect: 80}}
{match: {prefix: /scheme}, redirect: {scheme_redirect: ftp}}
{match: {prefix: /http}, redirect: {scheme_redirect: http}}
{match: {path: /host}, redirect: {host_redirect: n.test}}
{match: {path: /hostp}, redirect: {host_redirect: 'n.test:99', port_redirect: 88}}
{match: {prefix: /strip}, redirect: {host_redirect: n.test, strip_query: true}}
{match: {prefix: /path}, redirect: {path_redirect: /new}}
{match: {prefix: /pq/}, redirect: {path_redirect: '/new?z=1'}}
{match: {prefix: /pqs}, redirect: {path_redirect: '/new?z=1', strip_query: true}}
{match: {prefix: /prel}, redirect: {path_redirect: new}}
{match: {prefix: /pre/}, redirect: {prefix_rewrite: /}}
{match: {prefix: /pr3}, redirect: {prefix_rewrite: /, strip_query: true, response_code: PERMANENT_REDIRECT}}
{match: {prefix: /rx}, redirect: {regex_rewrite: {pattern: {regex: '^/rx/(.*)'}, substitution: '/y/\1'}}}
{match: {prefix: /rnone}, redirect: {regex_rewrite: {pattern: {regex: '.*'}, substitution: ''}}}
{match: {prefix: /rax}, redirect: {regex_rewrite: {pattern: {regex: 'a*'}, substitution: b}}}
{match: {prefix: /empty}, redirect: {}}
{match: {path: /fmt}, redirect: {path_rewrite: '/n%REQ(x-h)%'}}
{match: {path: /fmtq}, redirect: {path_rewrite: '/n?z=%REQ(x-h)%', strip_query: true}}
{match: {path: /fmts}, redirect: {path_rewrite: '%REQ(x-h)%', strip_query: true}}
{match: {path: /fmtl}, redirect: {path_rewrite: nolead}}
{match: {path: /f}, redirect: {prefix_rewrite: '/n?z=1'}}
{match: {path: /g}, redirect: {prefix_rewrite: '/n?z=1', strip_query: true}}
`),
);

function redirect(path: string, ...fields: string[]): [number, string] {
  const head = request(path, ...fields);
  const action = table.match(head, { random: 0 })!.action;
  if (action.kind !== 'redirect') throw new Error('not a redirect');
  return [action.status, action.location(head, outcomeOf(head))];
}

// `location` of Envoy 1.39.3.
describe('location', () => {
  test.each<[string, string[], string]>([
    ['/https?a', [], 'https://h.test/https?a'],
    ['/https', ['host: h.test:80'], 'https://h.test/https'],
    ['/https', ['host: h.test:443'], 'https://h.test:443/https'],
    ['/https', ['host: h.test:8080'], 'https://h.test:8080/https'],
    ['/https', ['host: [::1]:80'], 'https://[::1]/https'],
    ['/https', ['host: [::1]'], 'https://[::1]/https'],
    ['/https', ['host: h.test:80', 'x-forwarded-proto: https'], 'https://h.test:80/https'],
    ['/http', ['host: h.test:443', 'x-forwarded-proto: https'], 'http://h.test/http'],
    ['/http', ['host: h.test:80', 'x-forwarded-proto: https'], 'http://h.test:80/http'],
    ['/http', ['host: h.test:443'], 'http://h.test:443/http'],
    ['/hport', ['host: h.test:81'], 'https://h.test:8443/hport'],
    ['/port80', [], 'http://h.test:80/port80'],
    ['/scheme', ['host: h.test:80'], 'ftp://h.test/scheme'],
    ['/host', ['host: h.test:80'], 'http://n.test/host'],
    ['/host', ['x-forwarded-proto: https'], 'https://n.test/host'],
    ['/host', ['host: '], 'http://n.test/host'],
    ['/hostp', [], 'http://n.test:99:88/hostp'],
    ['/strip?a=1', [], 'http://n.test/strip'],
    ['/path/foo', ['host: '], 'http:///new'],
    ['/path/foo?a=1', [], 'http://h.test/new?a=1'],
    ['/pq/foo?a=1', [], 'http://h.test/new?z=1'],
    ['/pqs/foo?a=1', [], 'http://h.test/new?z=1'],
    ['/prel?a=1', [], 'http://h.test/new?a=1'],
    ['/pre/foo?a=1', [], 'http://h.test/foo?a=1'],
    ['/pr3/foo?a=1', [], 'http://h.test//foo'],
    ['/rx/foo?a=1', [], 'http://h.test/y/foo?a=1'],
    ['/rnone/foo?a=1', [], 'http://h.test/rnone/foo?a=1'],
    ['/rax?a=1', [], 'http://h.test/b/brbxb?a=1'],
    ['/empty?a=1', [], 'http://h.test/empty?a=1'],
    ['/fmt?a=1', ['x-h: 1'], 'http://h.test/n1?a=1'],
    ['/fmtq?q=1', ['x-h: 1'], 'http://h.test/n?z=1'],
    ['/fmts?a=1', ['x-h: /zz'], 'http://h.test/zz'],
    ['/fmts?a=1', [], 'http://h.test/fmts'],
    ['/fmtl?a', [], 'http://h.test/nolead?a'],
    ['/f?q=1', [], 'http://h.test/n?z=1?q=1'],
    ['/g?q=1', [], 'http://h.test/n'],
  ])('%s %j → %s', (path, fields, expected) => {
    expect(redirect(path, ...fields)[1]).toBe(expected);
  });
});

test.each([
  ['MOVED_PERMANENTLY', 301],
  ['FOUND', 302],
  ['SEE_OTHER', 303],
  ['TEMPORARY_REDIRECT', 307],
  ['PERMANENT_REDIRECT', 308],
])('%s is %i', (code, status) => {
  const one = tableFrom(anyHost(`{match: {prefix: /}, redirect: {host_redirect: n, response_code: ${code}}}`));
  const action = one.match(request('/'), { random: 0 })!.action;
  expect(action.kind === 'redirect' && action.status).toBe(status);
});

test('a rewritten path is the path that the log sees, beside the original', () => {
  const head = request('/pre/foo?a=1');
  const action = table.match(head, { random: 0 })!.action;
  if (action.kind === 'redirect') action.location(head, outcomeOf(head));
  expect([head.path, head.headers.get('x-envoy-original-path')]).toEqual(['/foo?a=1', '/pre/foo?a=1']);
});

describe('require_tls', () => {
  const host = (mode: string) =>
    tableFrom(anyHost('{match: {prefix: /}, route: {cluster: c}}', '', `  require_tls: ${mode}`));
  const answer = (mode: string, ...fields: string[]) => {
    const head = request('/x?q', ...fields);
    const { action } = host(mode).match(head, { random: 0 })!;
    return action.kind === 'redirect' ? `${action.status} ${action.location(head)}` : action.kind;
  };

  test.each<[string, string[], string]>([
    ['ALL', [], '301 https://h.test/x?q'],
    ['ALL', ['host: tls.test:80'], '301 https://tls.test:80/x?q'],
    ['ALL', ['host: TLS.test'], '301 https://TLS.test/x?q'],
    ['ALL', ['x-forwarded-proto: https'], 'forward'],
    ['ALL', ['x-forwarded-proto: HTTPS'], '301 https://h.test/x?q'],
    ['EXTERNAL_ONLY', [], '301 https://h.test/x?q'],
    ['EXTERNAL_ONLY', ['x-envoy-internal: true'], 'forward'],
    ['NONE', [], 'forward'],
  ])('%s %j → %s', (mode, fields, expected) => {
    expect(answer(mode, ...fields)).toBe(expected);
  });
});
