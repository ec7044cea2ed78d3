import type { SeenField } from './verdict.ts';
import type { TestedRoute } from './tested-table.ts';

const ofForwarding: readonly SeenField[] = [
  'cluster_name',
  'virtual_cluster_name',
  'virtual_host_name',
  'path_rewrite',
  'host_rewrite',
];
const ofAnswers: readonly SeenField[] = ['path_redirect', 'code_redirect'];

/** Which routes tests have seen, and how much of them. Every cluster of a weighted choice counts as a route. */
export class Coverage {
  private readonly routes: readonly TestedRoute[];
  private readonly seen: Map<TestedRoute, Map<string, Set<SeenField>>>;

  constructor(routes: readonly TestedRoute[]) {
    this.routes = routes;
    this.seen = new Map();
  }

  /** `cluster`: which one the route chose. */
  add(route: TestedRoute, cluster: string, fields: readonly SeenField[]): void {
    const own = fields.filter((field) => fieldsOf(route).includes(field));
    if (own.length === 0) return;
    const part = route.parts === 1 ? '' : cluster;
    const parts = this.seen.get(route) ?? new Map<string, Set<SeenField>>();
    this.seen.set(route, parts.set(part, new Set([...(parts.get(part) ?? []), ...own])));
  }

  /** Percent of the routes of which anything was seen. */
  get ofRoutes(): number {
    return this.percent((fields) => (fields.size > 0 ? 1 : 0));
  }

  /** Percent of everything that could be asked of all routes. */
  get ofFields(): number {
    return this.percent((fields, route) => fields.size / fieldsOf(route).length);
  }

  get missing(): readonly TestedRoute[] {
    return this.routes.filter((route) => !this.seen.has(route));
  }

  private percent(weigh: (fields: ReadonlySet<SeenField>, route: TestedRoute) => number): number {
    const all = this.routes.reduce((sum, { parts }) => sum + parts, 0);
    let sum = 0;
    for (const [route, parts] of this.seen) for (const fields of parts.values()) sum += weigh(fields, route);
    return all === 0 ? 0 : (100 * sum) / all;
  }
}

function fieldsOf({ data }: TestedRoute): readonly SeenField[] {
  return data.action.kind === 'forward' ? ofForwarding : ofAnswers;
}
