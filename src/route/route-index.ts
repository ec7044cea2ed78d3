import type { RequestHead } from '../core/head.ts';
import type { LiteralTree } from './literal-tree.ts';
import type { RouteEntry } from './route-entry.ts';
import type { MatchContext } from './route.ts';

/**
 * Finds the first matching route of a long list without trying each: the tree of their literal beginnings gives the few
 * whose literal the path begins with; those and the routes without a literal (templates, other case) are then tried in
 * configured order. The answer is that of a scan in order.
 */
export class RouteIndex {
  private readonly tree: LiteralTree;
  private readonly routes: readonly RouteEntry[];

  /** `tree`: over `literalsOf(routes)`. Virtual hosts whose routes begin alike share it. */
  constructor(routes: readonly RouteEntry[], tree: LiteralTree) {
    this.tree = tree;
    this.routes = routes;
  }

  find(path: string, ownPath: string, head: RequestHead, context: MatchContext): RouteEntry | null {
    const { tree, routes } = this;
    const deepest = tree.deepest(path);
    for (let order = tree.next(deepest, -1); order >= 0; order = tree.next(deepest, order)) {
      const route = routes[order];
      if (route.matchesBeyondLiteral(path, ownPath, head, context)) return route;
    }
    return null;
  }
}

/** What every path that a route matches begins with; routes of which nothing is certain have the empty literal. */
export function literalsOf(routes: readonly RouteEntry[]): string[] {
  return routes.map((route) => route.literal ?? '');
}
