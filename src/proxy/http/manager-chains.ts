import type { ExtensionData } from '../../core/extension.ts';
import type { FilterFactory } from '../../filter/filter.ts';
import type { RouterData } from '../../filter/router/router-data.ts';
import type { BuildContext, HttpEnvironment } from './build.ts';
import type { HttpConnectionManager } from './connection-manager.ts';
import { ChangingChain, missingFilter } from './stream/discovered-filter.ts';
import type { HttpFilterChain } from './stream/filter-chain.ts';
import type { HcmData, HttpFilterData } from './hcm-data.ts';
import { Upgrades, type UpgradeRule } from './upgrades.ts';
import { buildStreamFilters } from './upstream/build.ts';

export const routerKind = 'envoy.extensions.filters.http.router.v3.Router';

/** The filter chains of one connection manager: of its requests, and of what upgrades have besides. */
export class ManagerChains {
  private readonly data: HcmData;
  private readonly environment: HttpEnvironment;
  private readonly context: BuildContext;
  private readonly usual: ChangingChain;
  /** Parallel to `data.upgrades`; null: the usual one. */
  private readonly ofUpgrades: readonly (ChangingChain | null)[];

  constructor(data: HcmData, environment: HttpEnvironment, context: BuildContext) {
    this.data = data;
    this.environment = environment;
    this.context = context;
    this.usual = this.build(data.httpFilters);
    this.ofUpgrades = data.upgrades.map(({ filters }) => (filters === null ? null : this.build(filters)));
  }

  /** As they are now. */
  get chain(): HttpFilterChain {
    return this.usual.chain;
  }

  get upgrades(): Upgrades {
    const rules = this.data.upgrades.map(({ type, isEnabled }, i): [string, UpgradeRule] => [
      type,
      { isEnabled, chain: this.ofUpgrades[i]?.chain ?? null },
    ]);
    return new Upgrades(new Map(rules), this.usual.chain);
  }

  /** Filters that come by ECDS are what they are then, for streams of `manager` that begin from there on. */
  follow(manager: HttpConnectionManager): void {
    const onChanged = (): void => {
      manager.chain = this.chain;
      manager.upgrades = this.upgrades;
    };
    this.followIn(this.usual, this.data.httpFilters, manager, onChanged);
    for (const [i, { filters }] of this.data.upgrades.entries())
      if (filters !== null) this.followIn(this.ofUpgrades[i]!, filters, manager, onChanged);
  }

  private followIn(
    chain: ChangingChain,
    configured: readonly HttpFilterData[],
    manager: HttpConnectionManager,
    onChanged: () => void,
  ): void {
    const { environment, context } = this;
    const { discoveredExtensions } = environment;
    for (const [i, { name, discovery }] of withoutRouter(configured).entries()) {
      if (discovery === undefined || discoveredExtensions === undefined) continue;
      // As in Envoy it counts where its configuration is counted.
      const counted = environment.stats.scope('extension_config_discovery.http_filter').scope(name);
      const build = ({ kind, data }: ExtensionData): FilterFactory =>
        environment.filterBuilder(kind).build(data, { ...context, stats: counted, filterName: name });
      manager.follows(chain.follow(i, discovery.key, discoveredExtensions, build, onChanged));
    }
  }

  private build(configured: readonly HttpFilterData[]): ChangingChain {
    const { environment, context } = this;
    const router = configured.find((filter) => filter.kind === routerKind)!.data as RouterData;
    const { upstreamFilters } = router;
    return new ChangingChain(
      withoutRouter(configured).map(({ name, kind, data, disabled, discovery }) => ({
        name,
        factory:
          discovery === undefined
            ? environment.filterBuilder(kind).build(data, { ...context, filterName: name })
            : missingFilter,
        isOff: disabled,
      })),
      router,
      upstreamFilters === undefined
        ? null
        : buildStreamFilters(upstreamFilters, { ...context, stats: environment.stats }, (kind) =>
            environment.filterBuilder(kind),
          ),
    );
  }
}

/** The router is not a filter here: it is what `HttpStream.routeRequest` does when the others are done. */
function withoutRouter(configured: readonly HttpFilterData[]): readonly HttpFilterData[] {
  return configured.filter((filter) => filter.kind !== routerKind);
}
