import { expect, test } from 'vitest';
import { anyHost, decodeYaml, forwardOf, outcomeOf, request, tableFrom } from '../fixture.ts';

const routing = (policies: string): string =>
  anyHost(`{ match: { prefix: / }, route: { cluster: c, request_mirror_policies: ${policies} } }`);

function mirrorsOf(policies: string) {
  return forwardOf(tableFrom(routing(policies)).match(request('/'), { random: 0 })).mirrors ?? [];
}

test('which cluster, and how often', () => {
  const [named, byHeader, never] = mirrorsOf(
    '[{ cluster: d }, { cluster_header: X-To }, { cluster: d, runtime_fraction: { default_value: { numerator: 50 } } }]',
  );
  expect(named.cluster(request('/'))).toBe('d');
  expect(byHeader.cluster(request('/', 'x-to: e'))).toBe('e');
  expect(byHeader.cluster(request('/'))).toBe('');
  expect([0.49, 0.5].map((random) => never.wants(random))).toEqual([true, false]);
  expect(named.wants(0.99)).toBe(true);
});

test.each([
  ['{ cluster: d }', 'a.test', 'a.test-shadow'],
  ['{ cluster: d }', 'a.test:80', 'a.test-shadow:80'],
  ['{ cluster: d }', '[::1]:80', '[::1]-shadow:80'],
  ['{ cluster: d }', '', ''],
  ['{ cluster: d, disable_shadow_host_suffix_append: true }', 'a.test', 'a.test'],
  ['{ cluster: d, host_rewrite_literal: b.test }', 'a.test', 'b.test'],
])('%s: %s becomes %s', (policy, authority, expected) => {
  const head = request('/');
  head.authority = authority;
  mirrorsOf(`[${policy}]`)[0].prepare(head, outcomeOf(head));
  expect(head.authority).toBe(expected);
});

test('mutations come in the order in which they are written', () => {
  const head = request('/', 'x-b: 1');
  const added = '{ append: { header: { key: x-a, value: "%REQ(x-b)%" } } }';
  const [mirror] = mirrorsOf(`[{ cluster: d, request_headers_mutations: [${added}, { remove: x-b }] }]`);
  mirror.prepare(head, outcomeOf(head));
  expect([head.headers.get('x-a'), head.headers.get('x-b')]).toEqual(['1', undefined]);
});

test.each([
  ['[{}]', 'Exactly one of cluster or cluster_header must be specified'],
  ['[{ cluster: d, cluster_header: x }]', 'Only one of cluster or cluster_header can be specified'],
  [
    '[{ cluster: d, request_headers_mutations: [{ remove_on_match: { key_matcher: { prefix: x } } }] }]',
    "field 'remove_on_match' is not supported by sekisho",
  ],
])('%s is refused', (policies, message) => {
  expect(decodeYaml(routing(policies)).reasons.map((reason) => reason.message)).toContain(message);
});
