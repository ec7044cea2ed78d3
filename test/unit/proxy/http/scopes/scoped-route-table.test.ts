import { expect, test } from 'vitest';
import type { RequestHead } from '../../../../../src/core/head.ts';
import { keyOf, ScopedRouteTable } from '../../../../../src/proxy/http/scopes/scoped-route-table.ts';
import { scopeKey, type ScopeFragmentData } from '../../../../../src/proxy/http/scopes/scoped-routes-data.ts';
import type { Route } from '../../../../../src/route/route.ts';
import { requestHead } from '../hcm-fixture.ts';

const fragment = (changes: Partial<ScopeFragmentData> = {}): ScopeFragmentData => ({
  header: 'x-scope',
  separator: '',
  index: 0,
  element: null,
  ...changes,
});

const asking = (value: string | null): RequestHead => requestHead(value === null ? [] : [['x-scope', value]]);

test.each<[Partial<ScopeFragmentData>, string | null, string | null]>([
  [{}, 'whole;value', 'whole;value'],
  [{}, null, null],
  [{ separator: ';', index: 1 }, 'a;b;c', 'b'],
  [{ separator: ';', index: 3 }, 'a;b;c', null],
  [{ separator: ';', element: { key: 'k', separator: '=' } }, 'a=1;k=v=w', 'v=w'],
  [{ separator: ';', element: { key: 'k', separator: '=' } }, 'a=1;k', ''],
  [{ separator: ';', element: { key: 'k', separator: '=' } }, 'a=1', null],
])('with %j %j is of %j', (changes, value, key) => {
  expect(keyOf([fragment(changes)], asking(value))).toBe(key);
});

test('fragments do not run into each other', () => {
  expect(scopeKey(['a', 'bc'])).not.toBe(scopeKey(['ab', 'c']));
  const both = [fragment({ separator: ';', index: 0 }), fragment({ separator: ';', index: 1 })];
  expect(keyOf(both, asking('a;bc'))).toBe(scopeKey(['a', 'bc']));
  expect(keyOf(both, asking('a'))).toBeNull();
});

test('only the table of the request’s scope is built and asked', () => {
  const built: string[] = [];
  const table = (name: string) => () => {
    built.push(name);
    return { name, match: () => ({ name }) as Route };
  };
  const tables = new Map([
    ['a', table('A')],
    ['b', table('B')],
  ]);
  const scoped = new ScopedRouteTable([fragment()], tables);
  expect(scoped.match(asking('b'), { random: 0 })?.name).toBe('B');
  expect(scoped.match(asking('c'), { random: 0 })).toBeNull();
  expect(scoped.match(asking(null), { random: 0 })).toBeNull();
  expect(built).toEqual(['B']);
});
