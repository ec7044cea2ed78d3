import type { ConfigReason } from '../../../config/problem.ts';
import { checkDomains, checkRouteClusters } from '../../../config/route-references.ts';
import type { Clock } from '../../../core/clock.ts';
import type { StatsScope } from '../../../observe/stats.ts';
import { RouteConfigurationSchema, type RouteConfiguration } from '../../../proto/envoy/config/route/v3/route_pb.js';
import { maxProgramSize } from '../../../proxy/http/decode.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import { decodeRouteConfiguration } from '../../../route/decode.ts';
import type { RouteConfigurationData } from '../../../route/route-data.ts';
import type { RouteChanges } from '../../snapshot-data.ts';
import { packedKinds } from '../../packed-kinds.ts';
import type { Subscriptions } from '../../xds/subscriptions.ts';
import type { SetText } from '../../xds/subscription-stats.ts';
import { NeededResources } from '../needed.ts';
import { readResource } from '../read-resource.ts';
import type { ResourceDecoding } from '../resource-decoding.ts';
import { DynamicRoutes, type RouteSurroundings } from './route-configuration.ts';
import { routeKind } from '../../xds/resource-kinds.ts';

export interface RouteDirectoryEnvironment {
  readonly clock: Clock;
  readonly subscriptions: Subscriptions;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  /** In the surroundings of the newest configuration. */
  decoding(): Pick<ResourceDecoding, 'extensions'>;
  /** Whether there is a cluster of that name. */
  hasCluster(name: string): boolean;
  /** Tell the workers. `kinds`: message names of the extensions that it names. */
  publish(changes: RouteChanges, kinds: readonly string[]): void;
  /** Listeners may wait for less than before. */
  onReady(): void;
}

/** The route configurations that come by RDS, each for as long as a listener names it. */
export class RouteDirectory {
  readonly resources: NeededResources<RouteSourceData, DynamicRoutes>;
  private readonly environment: RouteDirectoryEnvironment;
  private readonly surroundings: RouteSurroundings;

  constructor(environment: RouteDirectoryEnvironment) {
    this.environment = environment;
    this.surroundings = {
      clock: environment.clock,
      decode: (packed) => this.decode(packed),
      onChanged: ({ source: { key }, data, packed }) =>
        environment.publish({ set: [{ key, routes: data! }], removed: [] }, [...packedKinds(packed!)]),
      onReady: () => environment.onReady(),
    };
    this.resources = new NeededResources(
      (source) => this.make(source),
      (key) => environment.publish({ set: [], removed: [key] }, []),
    );
  }

  private make(source: RouteSourceData): DynamicRoutes {
    const { stats, setText, subscriptions } = this.environment;
    const prefix = `http.${source.statPrefix}.rds.${source.name}`;
    const scope = stats.scope(prefix);
    const routes = new DynamicRoutes(source, scope, this.surroundings);
    const counted = { scope, prefix, setText };
    routes.subscription = subscriptions.open(routeKind, [source.name], source.source, routes, counted);
    return routes;
  }

  /** As Envoy: clusters that there are none of count only where the route configuration says so. */
  private check(message: RouteConfiguration): readonly ConfigReason[] {
    const reasons = checkDomains(message, '');
    if (message.validateClusters !== true) return reasons;
    const unknown = checkRouteClusters(message, '', (name, path) => {
      if (!this.environment.hasCluster(name)) reasons.push({ path, message: `route: unknown cluster '${name}'` });
    });
    return [...reasons, ...unknown];
  }

  private decode(packed: Uint8Array): RouteConfigurationData | string {
    const { extensions } = this.environment.decoding();
    return readResource(
      RouteConfigurationSchema,
      packed,
      (message, reasons) => decodeRouteConfiguration(message, reasons, extensions, maxProgramSize(extensions)),
      (message) => this.check(message),
    );
  }
}
