import { expect, test } from 'vitest';
import { DomainTable } from '../../../src/route/domain-table.ts';

const domains = ['*.test', '*-foo.test', 'pre.*', 'pre.long.*', 'exact.test', 'port.test:80', 'a*b.org', '[::1]', '*'];
const table = new DomainTable<string>();
for (const domain of domains) table.add(domain, domain);

// Verdicts of Envoy 1.39.3.
test.each([
  ['a.test', '*.test'],
  ['x-foo.test', '*-foo.test'],
  ['-foo.test', '*.test'],
  ['.test', '*'],
  ['pre.test', '*.test'],
  ['pre.org', 'pre.*'],
  ['pre.long.org', 'pre.long.*'],
  ['pre.', '*'],
  ['exact.test', 'exact.test'],
  ['EXACT.test', 'exact.test'],
  ['X-FOO.TEST', '*-foo.test'],
  ['exact.test:80', '*'],
  ['port.test:80', 'port.test:80'],
  ['port.test', '*.test'],
  ['aXb.org', '*'],
  ['a*b.org', 'a*b.org'],
  ['[::1]', '[::1]'],
  ['[::1]:80', '*'],
  ['', '*'],
])('%s belongs to %s', (host, expected) => {
  expect(table.find(host)).toBe(expected);
});

test('without `*` a host may belong to none', () => {
  const strict = new DomainTable<string>();
  strict.add('a.test', 'a');
  expect(strict.find('b.test')).toBeNull();
  expect(strict.only).toBeNull();
});

test('`*` alone needs no host', () => {
  const any = new DomainTable<string>();
  any.add('*', 'any');
  expect(any.only).toBe('any');
  expect(table.only).toBeNull();
});
