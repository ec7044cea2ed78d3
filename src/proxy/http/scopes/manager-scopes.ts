import type { RequestHead } from '../../../core/head.ts';
import type { Discovered } from '../../../listener/discovered.ts';
import type { RouteConfigurationData } from '../../../route/route-data.ts';
import type { RouteTable } from '../../../route/route.ts';
import { hostQuestions, type QuestionOf } from '../on-demand/missing-routes.ts';
import type { RouteQuestion } from '../on-demand/route-question.ts';
import type { DiscoveredScopes, ScopeData, ScopedRoutesData } from './scoped-routes-data.ts';
import { keyOf, ScopedRouteTable } from './scoped-route-table.ts';

export interface ScopesEnvironment {
  readonly routes: Discovered<RouteConfigurationData>;
  readonly scopes: Discovered<DiscoveredScopes>;
  build(data: RouteConfigurationData): RouteTable;
  /**
   * Streams that begin from here on are routed by `table`. `internalOnly`: what requests from outside may not bring;
   * `questionOf`: what may be asked for those that have no route.
   */
  onChanged(table: RouteTable, internalOnly: readonly string[], questionOf: QuestionOf): void;
}

/** The scopes of one connection manager: whenever they, or a route configuration of theirs, change, there is another table. */
export class ManagerScopes {
  private readonly data: ScopedRoutesData;
  private readonly environment: ScopesEnvironment;
  private scopes: readonly ScopeData[];
  /** What each route configuration was built to. */
  private built: WeakMap<RouteConfigurationData, RouteTable>;
  private followed: (() => void)[];
  private readonly unfollowScopes: () => void;

  constructor(data: ScopedRoutesData, environment: ScopesEnvironment) {
    this.data = data;
    this.environment = environment;
    this.scopes = [];
    this.built = new WeakMap();
    this.followed = [];
    const { discovery, scopes } = data;
    this.unfollowScopes =
      discovery === null ? () => {} : environment.scopes.follow(discovery, (found) => this.take(found.scopes));
    this.take(discovery === null ? scopes : (environment.scopes.get(discovery)?.scopes ?? []));
  }

  release(): void {
    this.unfollowScopes();
    for (const unfollow of this.followed) unfollow();
  }

  private take(scopes: readonly ScopeData[]): void {
    const { routes } = this.environment;
    const before = this.followed;
    this.scopes = scopes;
    const keys = new Set(scopes.flatMap(({ rds }) => (rds === '' ? [] : [rds])));
    this.followed = Array.from(keys, (key) => routes.follow(key, () => this.change()));
    for (const unfollow of before) unfollow();
    this.change();
  }

  private change(): void {
    const { routes } = this.environment;
    const tables = new Map<string, () => RouteTable>();
    const internalOnly = new Set<string>();
    for (const scope of this.scopes) {
      const data = scope.routes ?? routes.get(scope.rds);
      // As in Envoy: a scope whose routes have not come routes nothing.
      if (data === null) continue;
      tables.set(scope.key, () => this.tableOf(data));
      for (const name of data.internalOnlyHeaders) internalOnly.add(name);
    }
    const table = new ScopedRouteTable(this.data.fragments, tables);
    this.environment.onChanged(table, [...internalOnly], (head) => this.questionOf(head));
  }

  /** The virtual host where the scope has routes that know more, else the routes of the scope. */
  private questionOf(head: RequestHead): RouteQuestion | null {
    const { fragments, discovery } = this.data;
    const key = keyOf(fragments, head);
    if (key === null || discovery === null) return null;
    const scope = this.scopes.find((one) => one.key === key);
    const routes = scope === undefined ? null : this.environment.routes.get(scope.rds);
    if (routes?.usesVhds === true) return hostQuestions(routes, scope!.rds)(head);
    return { kind: 'scope', key: discovery, host: key };
  }

  private tableOf(data: RouteConfigurationData): RouteTable {
    let table = this.built.get(data);
    if (table === undefined) {
      table = this.environment.build(data);
      this.built.set(data, table);
    }
    return table;
  }
}
