import { describe, expect, test } from 'vitest';
import { anyHost, request, tableFrom } from './fixture.ts';

const one = { random: 0 };
const hosts = (top: string) => `
name: r
${top}
internal_only_headers: [X-Internal]
virtual_hosts:
- {name: exact, domains: [exact.test], routes: [{match: {prefix: /}, route: {cluster: c}}]}
- {name: port, domains: ['exact.test:*'], routes: [{match: {prefix: /}, route: {cluster: c}}]}
- {name: v6, domains: ['[::1]'], routes: [{match: {prefix: /}, route: {cluster: c}}]}
- {name: star, domains: ['*'], routes: [{match: {prefix: /only}, route: {cluster: c}}]}
`;
const hostOf = (top: string, ...fields: string[]) =>
  tableFrom(hosts(top)).match(request('/only', ...fields), one)?.virtualHostName;

// Verdicts of Envoy 1.39.3.
describe('virtual hosts', () => {
  test.each([
    ['exact.test', 'exact'],
    ['EXACT.test', 'exact'],
    ['exact.test:80', 'port'],
    ['exact.test:', 'star'],
    ['[::1]', 'v6'],
    ['[::1]:80', 'star'],
    ['', 'star'],
  ])('%s → %s', (host, expected) => {
    expect(hostOf('', `host: ${host}`)).toBe(expected);
  });

  test.each([
    ['exact.test:80', 'exact'],
    ['exact.test:', 'exact'],
    ['[::1]:80', 'v6'],
  ])('ignoring the port, %s → %s', (host, expected) => {
    expect(hostOf('ignore_port_in_host_matching: true', `host: ${host}`)).toBe(expected);
  });

  test.each<[string[], string | undefined]>([
    [['x-v: exact.test'], 'exact'],
    [['x-v: EXACT.test', 'x-v: [::1]'], 'exact'],
    [['x-v: '], 'star'],
    [[], undefined],
  ])('by vhost_header, %j → %s', (fields, expected) => {
    expect(hostOf('vhost_header: X-V', 'host: exact.test', ...fields)).toBe(expected);
  });

  test('a host without a route that matches answers for no other', () => {
    expect(tableFrom(hosts('')).match(request('/x'), one)).toBeNull();
  });
});

test('name and internal headers', () => {
  const table = tableFrom(hosts(''));
  expect([table.name, table.internalOnlyHeaders]).toEqual(['r', ['x-internal']]);
});

describe('paths', () => {
  const routes = `
{match: {path: /pp}, route: {cluster: exact}}
{match: {prefix: /pre/fix}, route: {cluster: prefix}}
{match: {path_separated_prefix: /sep}, route: {cluster: separated}}
{match: {safe_regex: {regex: /rx}}, route: {cluster: regex}}
{match: {prefix: '/q?a'}, route: {cluster: never}}
{match: {path: /PATH, case_sensitive: false}, route: {cluster: folded}}
{match: {connect_matcher: {}}, route: {cluster: connect}}`;
  const clusterOf = (top: string, path: string, method = 'GET') => {
    const head = request(path);
    head.method = method;
    const route = tableFrom(anyHost(routes, top)).match(head, one);
    return route?.action.kind === 'forward' ? route.action.cluster(head, 0).name : null;
  };

  test.each([
    ['/pp', 'exact'],
    ['/pp?x;y', 'exact'],
    ['/pp/', null],
    ['/pp;a', null],
    ['/pre/fixed', 'prefix'],
    ['/sep', 'separated'],
    ['/sep/x', 'separated'],
    ['/sepx', null],
    ['/rx?q', 'regex'],
    ['/rxx', null],
    ['/q?a', null],
    ['/path?Q', 'folded'],
  ])('%s → %s', (path, expected) => {
    expect(clusterOf('', path)).toBe(expected);
  });

  test.each([
    ['/pp;a=1', 'exact'],
    ['/pp;a/b', null],
    ['/pre;x/fix', 'prefix'],
    ['/pre/fix;x', 'prefix'],
    ['/sep;x', 'separated'],
    ['/rx;s', 'regex'],
  ])('ignoring path parameters, %s → %s', (path, expected) => {
    expect(clusterOf('ignore_path_parameters_in_path_matching: true', path)).toBe(expected);
  });

  test('CONNECT has no path and meets only its matcher', () => {
    expect(clusterOf('', '', 'CONNECT')).toBe('connect');
    expect(tableFrom(anyHost('{match: {prefix: ""}, route: {cluster: c}}')).match(request(''), one)).toBeNull();
  });
});

test('routes are asked in order, also where the index finds them', () => {
  const few = [
    '{match: {prefix: /a/b}, route: {cluster: first}}',
    '{match: {prefix: /a}, route: {cluster: second}}',
    '{match: {path: /a/b/c}, route: {cluster: never}}',
  ];
  const many = Array.from({ length: 100 }, (_, i) => `{match: {prefix: /other${i}}, route: {cluster: other${i}}}`);
  for (const lines of [
    [...few, many[7]],
    [...few, ...many],
    [...many, ...few],
  ]) {
    const table = tableFrom(anyHost(lines.join('\n')));
    const names = ['/a/b/c', '/a/x', '/other7', '/none'].map((path) => {
      const head = request(path);
      const route = table.match(head, one);
      return route?.action.kind === 'forward' ? route.action.cluster(head, 0).name : null;
    });
    expect(names).toEqual(['first', 'second', 'other7', null]);
  }
});
