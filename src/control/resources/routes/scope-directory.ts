import type { Clock } from '../../../core/clock.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import { ScopedRouteConfigurationSchema } from '../../../proto/envoy/config/route/v3/scoped_route_pb.js';
import type { RouteQuestion } from '../../../proxy/http/on-demand/route-question.ts';
import { decodeScope, type DecodedScope } from '../../../proxy/http/scopes/scope-decode.ts';
import type { ScopeSourceData } from '../../../proxy/http/scopes/scope-sources.ts';
import { packedKinds } from '../../packed-kinds.ts';
import type { ScopeChanges } from '../../snapshot-data.ts';
import { scopedRouteKind } from '../../xds/resource-kinds.ts';
import type { SetText } from '../../xds/subscription-stats.ts';
import type { Subscriptions } from '../../xds/subscriptions.ts';
import { NeededResources } from '../needed.ts';
import { readResource } from '../read-resource.ts';
import type { ResourceDecoding } from '../resource-decoding.ts';
import { DynamicScopes, type ScopeSurroundings } from './dynamic-scopes.ts';
import type { RouteDirectory } from './route-directory.ts';

export interface ScopeDirectoryEnvironment {
  readonly clock: Clock;
  readonly subscriptions: Subscriptions;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  /** Has the route configurations that scopes name. */
  readonly routes: RouteDirectory;
  /** In the surroundings of the newest configuration. */
  decoding(): Pick<ResourceDecoding, 'extensions'>;
  /** Tell the workers. `kinds`: message names of the extensions that they name. */
  publish(changes: ScopeChanges, kinds: readonly string[]): void;
  /** `worker` need not wait any longer for what it has asked; absent: nobody asks. */
  answer?(question: RouteQuestion, isThere: boolean, worker: number): void;
  /** Listeners may wait for less than before. */
  onReady(): void;
}

/** The scopes that come by SRDS, each set for as long as a listener names it. */
export class ScopeDirectory {
  readonly resources: NeededResources<ScopeSourceData, DynamicScopes>;
  private readonly environment: ScopeDirectoryEnvironment;
  private readonly surroundings: Omit<ScopeSurroundings, 'answer'>;

  constructor(environment: ScopeDirectoryEnvironment) {
    this.environment = environment;
    const { resources } = environment.routes;
    this.surroundings = {
      clock: environment.clock,
      decode: (packed, source) => this.decode(packed, source),
      exchange: (needed, dropped) => {
        resources.need(needed);
        resources.start(needed);
        resources.drop(dropped);
      },
      areReady: (sources) => resources.areReady(sources),
      areThere: ({ key }) => (resources.get(key)?.data ?? null) !== null,
      onChanged: (scopes) => this.publish(scopes),
      onReady: () => environment.onReady(),
    };
    environment.routes.followers.add((key) => {
      for (const scopes of this.resources) scopes.routesCome(key);
    });
    this.resources = new NeededResources(
      (source) => this.make(source),
      (key) => environment.publish({ set: [], removed: [key] }, []),
    );
  }

  private make(source: ScopeSourceData): DynamicScopes {
    const { stats, setText, subscriptions } = this.environment;
    const prefix = `http.${source.statPrefix}.scoped_rds.${source.name}`;
    const scope = stats.scope(prefix);
    const scopes = new DynamicScopes(source, scope, {
      ...this.surroundings,
      answer: (host, isThere, worker) =>
        this.environment.answer?.({ kind: 'scope', key: source.key, host }, isThere, worker),
    });
    scopes.subscription = subscriptions.open(scopedRouteKind, [], source.source, scopes, { scope, prefix, setText });
    return scopes;
  }

  /** `worker` has a request whose scope, of those under `key`, has the key `scope`, and no route. */
  wantScope(key: string, scope: string, worker: number): void {
    const scopes = this.resources.get(key);
    if (scopes === null) this.environment.answer?.({ kind: 'scope', key, host: scope }, false, worker);
    else scopes.want(scope, worker);
  }

  private publish({ source: { key }, scopes, data }: DynamicScopes): void {
    const kinds = new Set<string>();
    for (const { packed } of scopes.values()) packedKinds(packed, kinds);
    this.environment.publish({ set: [{ key, scopes: data }], removed: [] }, [...kinds]);
  }

  private decode(packed: Uint8Array, { rdsSource, statPrefix }: ScopeSourceData): DecodedScope | string {
    const { extensions } = this.environment.decoding();
    return readResource(
      ScopedRouteConfigurationSchema,
      packed,
      (message, reasons) => decodeScope(message, rdsSource, statPrefix, reasons, extensions),
      () => [],
      extensions.onNeeds,
    );
  }
}
