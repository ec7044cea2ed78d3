import { expect, test } from 'vitest';
import { Discovered } from '../../../../../src/listener/discovered.ts';
import type { QuestionOf } from '../../../../../src/proxy/http/on-demand/missing-routes.ts';
import { ManagerScopes } from '../../../../../src/proxy/http/scopes/manager-scopes.ts';
import type {
  DiscoveredScopes,
  ScopeData,
  ScopedRoutesData,
} from '../../../../../src/proxy/http/scopes/scoped-routes-data.ts';
import type { RouteConfigurationData } from '../../../../../src/route/route-data.ts';
import type { Route, RouteTable } from '../../../../../src/route/route.ts';
import { requestHead } from '../hcm-fixture.ts';

const routesOf = (name: string): RouteConfigurationData =>
  ({ name, internalOnlyHeaders: [`x-${name}`] }) as unknown as RouteConfigurationData;

function world(data: Partial<ScopedRoutesData>) {
  const routes = new Discovered<RouteConfigurationData>();
  const scopes = new Discovered<DiscoveredScopes>();
  const built: string[] = [];
  let now: RouteTable | null = null;
  let questions: QuestionOf = () => null;
  let internalOnly: readonly string[] = [];
  const fragments = [{ header: 'x-scope', separator: '', index: 0, element: null }];
  const manager = new ManagerScopes(
    { fragments, discovery: null, scopes: [], ...data },
    {
      routes,
      scopes,
      build: ({ name }) => {
        built.push(name);
        return { name, match: () => ({ name }) as Route };
      },
      onChanged: (table, names, questionOf) => {
        now = table;
        questions = questionOf;
        internalOnly = names;
      },
    },
  );
  const asks = (scope: string): string | undefined =>
    now!.match(requestHead([['x-scope', scope]]), { random: 0 })?.name;
  const lacks = (scope: string): unknown => questions(requestHead([['x-scope', scope]]));
  return { manager, routes, scopes, built, asks, lacks, internalOnly: () => internalOnly };
}

const byRds = (key: string): ScopeData => ({ key, routes: null, rds: `rds/${key}` });

test('scopes of the configuration itself', () => {
  const { asks, internalOnly } = world({ scopes: [{ key: 'a', routes: routesOf('A'), rds: '' }] });
  expect(asks('a')).toBe('A');
  expect(asks('b')).toBeUndefined();
  expect(internalOnly()).toEqual(['x-A']);
});

test('scopes and their routes come when they come, and what is as it was is built once', () => {
  const { manager, routes, scopes, built, asks } = world({ discovery: 'k' });
  expect(asks('a')).toBeUndefined();
  scopes.set('k', { scopes: [byRds('a'), byRds('b')] });
  expect(asks('a')).toBeUndefined();
  routes.set('rds/a', routesOf('A'));
  expect(asks('a')).toBe('A');
  routes.set('rds/b', routesOf('B'));
  expect(asks('a')).toBe('A');
  expect(asks('b')).toBe('B');
  expect(built).toEqual(['A', 'B']);
  scopes.set('k', { scopes: [byRds('b')] });
  routes.set('rds/a', routesOf('A2'));
  expect(asks('a')).toBeUndefined();
  expect(asks('b')).toBe('B');
  manager.release();
  routes.set('rds/b', routesOf('B2'));
  expect(asks('b')).toBe('B');
});

test('what is asked for where a request has no route: the scope, or of its routes the host', () => {
  const { scopes, routes, lacks } = world({ discovery: 'k' });
  scopes.set('k', { scopes: [{ key: 'a', routes: null, rds: 'r' }] });
  const ofScope = { kind: 'scope', key: 'k', host: 'a' };
  expect(lacks('a')).toEqual(ofScope);
  routes.set('r', routesOf('r'));
  expect(lacks('a')).toEqual(ofScope);
  routes.set('r', { ...routesOf('r'), usesVhds: true });
  expect(lacks('a')).toMatchObject({ kind: 'host', key: 'r' });
  expect(lacks('none')).toEqual({ ...ofScope, host: 'none' });
});

test('of scopes that are configured nothing is asked for', () => {
  expect(world({}).lacks('a')).toBeNull();
});
