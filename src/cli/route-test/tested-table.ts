import { buildFormat } from '../../observe/access-log/build.ts';
import { compileFormat } from '../../observe/format/format.ts';
import { buildRouteTable } from '../../route/build.ts';
import type { RouteConfigurationData, RouteData, VirtualHostData } from '../../route/route-data.ts';
import type { Route, RouteTable } from '../../route/route.ts';
import { noKey, type CaseRuntime } from './case-runtime.ts';

/** A route of the table under test. */
export interface TestedRoute {
  readonly virtualHost: VirtualHostData;
  readonly data: RouteData;
  /** `virtual_hosts[0].routes[3]` */
  readonly path: string;
  /** How many tests it takes to see all of it: one for each cluster that it may choose. */
  readonly parts: number;
  /** What a random value is a remainder of, where it decides between clusters. */
  readonly totalWeight: number;
}

/** The table as workers build it, of routes that can be told apart whatever they are called. */
export class TestedTable {
  readonly table: RouteTable;
  readonly routes: readonly TestedRoute[];
  private readonly byPath: ReadonlyMap<string, TestedRoute>;

  constructor(data: RouteConfigurationData, runtime: CaseRuntime) {
    this.routes = data.virtualHosts.flatMap((host, i) =>
      host.routes.map((route, j) => testedRoute(host, route, `virtual_hosts[${i}].routes[${j}]`)),
    );
    this.byPath = new Map(this.routes.map((route) => [route.path, route]));
    const virtualHosts = data.virtualHosts.map((host, i) => ({
      ...host,
      routes: host.routes.map((route, j) => forTests(route, `virtual_hosts[${i}].routes[${j}]`)),
    }));
    this.table = buildRouteTable(
      { ...data, virtualHosts },
      {
        compileFormat: (format, omitEmptyValues) => compileFormat(format, { omitEmptyValues }),
        buildFormat: (format) => buildFormat(format),
        // What filters do to a request is not asked.
        buildFilterConfig: () => null,
        runtime,
      },
    );
  }

  /** Null: of no route, such as what `require_tls` answers. */
  routeOf(route: Route | null): TestedRoute | null {
    return route === null ? null : (this.byPath.get(route.name) ?? null);
  }
}

function testedRoute(virtualHost: VirtualHostData, data: RouteData, path: string): TestedRoute {
  const weighted =
    data.action.kind === 'forward' && data.action.cluster.kind === 'weighted' ? data.action.cluster : null;
  const totalWeight = weighted === null ? 1 : weighted.clusters.reduce((sum, { weight }) => sum + weight, 0);
  return { virtualHost, data, path, parts: weighted === null ? 1 : weighted.clusters.length, totalWeight };
}

/** As Envoy's checker: a share of 0 counts as 1, so that a random value of 0 can try the route. */
function forTests(route: RouteData, path: string): RouteData {
  const { conditions } = route;
  if (conditions === null || conditions.fraction === null) return { ...route, name: path };
  const { key, numerator, denominator } = conditions.fraction;
  const fraction = { key: key === '' ? noKey : key, numerator: numerator === 0 ? 1 : numerator, denominator };
  return { ...route, name: path, conditions: { ...conditions, fraction } };
}
