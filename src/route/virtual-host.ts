import type { RequestHead } from '../core/head.ts';
import { TlsRedirect } from './action/redirect.ts';
import { noFilterSettings } from './per-filter.ts';
import type { RouteEntry } from './route-entry.ts';
import type { VirtualHostData } from './route-data.ts';
import type { MatchContext, Route } from './route.ts';
import { noVirtualCluster, type VirtualCluster } from './virtual-clusters.ts';

const RequireTls = { None: 0, ExternalOnly: 1, All: 2 } as const;
const requirements = { NONE: RequireTls.None, EXTERNAL_ONLY: RequireTls.ExternalOnly, ALL: RequireTls.All };

/** Finds a request's route without trying each. `path` without query and ignored parameters, `ownPath` without query. */
interface RouteSearch {
  find(path: string, ownPath: string, head: RequestHead, context: MatchContext): RouteEntry | null;
}

/** The routes of some domains. */
export class VirtualHost {
  private readonly routes: readonly RouteEntry[];
  private readonly index: RouteSearch | null;
  private readonly requireTls: number;
  private readonly tlsRedirect: Route;

  /** `index`: of many routes, or what is configured to choose among them; null: they are tried in order. */
  constructor(data: VirtualHostData, routes: readonly RouteEntry[], index: RouteSearch | null) {
    this.routes = routes;
    this.index = index;
    this.requireTls = requirements[data.requireTls];
    this.tlsRedirect = new TlsRedirectRoute(data.name);
  }

  /** `path` without query and ignored parameters, `ownPath` without query. */
  match(path: string, ownPath: string, head: RequestHead, context: MatchContext): Route | null {
    if (this.requireTls !== RequireTls.None && this.needsTls(head)) return this.tlsRedirect;
    if (this.index !== null) return this.index.find(path, ownPath, head, context);
    const { routes } = this;
    for (let i = 0; i < routes.length; i++) {
      if (routes[i].matches(path, ownPath, head, context)) return routes[i];
    }
    return null;
  }

  private needsTls(head: RequestHead): boolean {
    if (head.headers.get('x-forwarded-proto') === 'https') return false;
    return this.requireTls === RequireTls.All || head.headers.get('x-envoy-internal') !== 'true';
  }
}

/** Stands for all routes of a virtual host that asks for TLS; no level's configuration applies to it, as in Envoy. */
class TlsRedirectRoute implements Route {
  readonly name: string;
  readonly virtualHostName: string;
  readonly action: TlsRedirect;
  readonly perFilter: ReadonlyMap<string, readonly unknown[]>;
  readonly filterDisabled: ReadonlyMap<string, boolean>;
  readonly statPrefix: string;
  readonly decorator: string;
  readonly decoratorPropagate: boolean;
  readonly metadata: null;
  readonly virtualHostMetadata: null;

  constructor(virtualHostName: string) {
    this.name = '';
    this.virtualHostName = virtualHostName;
    this.action = new TlsRedirect();
    this.perFilter = noFilterSettings.perFilter;
    this.filterDisabled = noFilterSettings.filterDisabled;
    this.statPrefix = '';
    this.decorator = '';
    this.decoratorPropagate = true;
    this.metadata = null;
    this.virtualHostMetadata = null;
  }

  virtualCluster(): VirtualCluster {
    return noVirtualCluster;
  }

  mutateResponse(): void {}
}
