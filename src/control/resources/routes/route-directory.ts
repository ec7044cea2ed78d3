import type { ConfigReason } from '../../../config/problem.ts';
import { checkDomains, checkRouteClusters } from '../../../config/route-references.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { ConfigSourceData } from '../../../identity/config-source-data.ts';
import { decodeConfigSource } from '../../../identity/decode/config-source-decode.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import { VirtualHostSchema } from '../../../proto/envoy/config/route/v3/route_components_pb.js';
import {
  RouteConfigurationSchema,
  VhdsSchema,
  type RouteConfiguration,
  type Vhds,
} from '../../../proto/envoy/config/route/v3/route_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { maxProgramSize } from '../../../proxy/http/decode.ts';
import type { RouteQuestion } from '../../../proxy/http/on-demand/route-question.ts';
import type { RouteSourceData } from '../../../proxy/http/route-sources.ts';
import { decodeDiscoveredHost, decodeRouteConfiguration } from '../../../route/decode.ts';
import type { VirtualHostData } from '../../../route/route-data.ts';
import type { RouteChanges } from '../../snapshot-data.ts';
import type { Subscriptions } from '../../xds/subscriptions.ts';
import type { SetText } from '../../xds/subscription-stats.ts';
import { NeededResources } from '../needed.ts';
import { readResource } from '../read-resource.ts';
import type { ResourceDecoding } from '../resource-decoding.ts';
import { DynamicVirtualHosts } from './dynamic-virtual-hosts.ts';
import { DynamicRoutes, type DecodedRoutes, type RouteSurroundings } from './route-configuration.ts';
import { routeKind, virtualHostKind } from '../../xds/resource-kinds.ts';

const supportedVhds = new SupportedFields(VhdsSchema, ['config_source']);

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
  /** `worker` need not wait any longer for what it has asked; absent: nobody asks. */
  answer?(question: RouteQuestion, isThere: boolean, worker: number): void;
  /** Listeners may wait for less than before. */
  onReady(): void;
}

/** The route configurations that come by RDS, each for as long as a listener names it. */
export class RouteDirectory {
  readonly resources: NeededResources<RouteSourceData, DynamicRoutes>;
  /** Told of the key of each that has come, or is another, once the workers are being told. */
  readonly followers: Set<(key: string) => void>;
  private readonly environment: RouteDirectoryEnvironment;
  private readonly surroundings: RouteSurroundings;

  constructor(environment: RouteDirectoryEnvironment) {
    this.followers = new Set();
    this.environment = environment;
    this.surroundings = {
      clock: environment.clock,
      decode: (packed) => this.decode(packed),
      openVirtualHosts: (routes, source) => this.openVirtualHosts(routes, source),
      onChanged: (routes) => this.publish(routes),
      onReady: () => environment.onReady(),
    };
    this.resources = new NeededResources(
      (source) => this.make(source),
      (key) => environment.publish({ set: [], removed: [key] }, []),
    );
  }

  /** `worker` has a request for a host that no virtual host of the route configuration `key` is for. */
  wantHost(key: string, host: string, worker: number): void {
    const hosts = this.resources.get(key)?.virtualHosts ?? null;
    if (hosts === null) this.environment.answer?.({ kind: 'host', key, host }, false, worker);
    else hosts.want(host, worker);
  }

  private publish({ source: { key }, data, kinds }: DynamicRoutes): void {
    this.environment.publish({ set: [{ key, routes: data! }], removed: [] }, [...kinds]);
    for (const follower of this.followers) follower(key);
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

  private decode(packed: Uint8Array): DecodedRoutes | string {
    const { extensions } = this.environment.decoding();
    return readResource(
      RouteConfigurationSchema,
      packed,
      (message, reasons) => {
        const data = decodeRouteConfiguration(message, reasons, extensions, maxProgramSize(extensions), true);
        const vhds = message.vhds === undefined ? null : decodeVhds(message.vhds, reasons.at('vhds'));
        if (data === null) return null;
        return { data: vhds === null ? data : { ...data, usesVhds: true }, vhds };
      },
      (message) => this.check(message),
      extensions.onNeeds,
    );
  }

  private openVirtualHosts(routes: DynamicRoutes, source: ConfigSourceData): DynamicVirtualHosts {
    const { stats, setText, subscriptions } = this.environment;
    const { key, name, statPrefix } = routes.source;
    const prefix = `http.${statPrefix}.rds.vhds.${name}`;
    const scope = stats.scope(prefix);
    const hosts = new DynamicVirtualHosts(name, scope, {
      decode: (packed) => this.decodeHost(packed, routes),
      onChanged: (list) => routes.takeHosts(list),
      serves: (host) => routes.serves(host),
      answer: (host, isThere, worker) => this.environment.answer?.({ kind: 'host', key, host }, isThere, worker),
      onReady: () => this.environment.onReady(),
    });
    hosts.subscription = subscriptions.open(virtualHostKind, [], source, hosts, { scope, prefix, setText }, name);
    return hosts;
  }

  private decodeHost(packed: Uint8Array, routes: DynamicRoutes): VirtualHostData | string {
    const { extensions } = this.environment.decoding();
    const table = fromBinary(RouteConfigurationSchema, routes.packed!);
    return readResource(
      VirtualHostSchema,
      packed,
      (message, reasons) => decodeDiscoveredHost(message, table, reasons, extensions, maxProgramSize(extensions)),
      () => [],
      extensions.onNeeds,
    );
  }
}

/** Envoy's words. Null: reasons were added. */
function decodeVhds(message: Vhds, reasons: Reasons): ConfigSourceData | null {
  supportedVhds.check(message, reasons);
  const at = reasons.at('config_source');
  const source = message.configSource === undefined ? null : decodeConfigSource(message.configSource, at);
  const isDelta = source?.from.kind === 'ads' || (source?.from.kind === 'api' && source.from.protocol === 'DELTA_GRPC');
  if (source !== null && !isDelta) at.add("vhds: only 'DELTA_GRPC' is supported as an api_type.");
  return source;
}
