import { MetadataCriteria } from '../core/metadata-criteria.ts';
import {
  FixedCluster,
  HeaderCluster,
  WeightedClusters,
  type ChoiceParts,
  type ClusterSpecifier,
} from './action/cluster-specifier.ts';
import { Alike } from './alike.ts';
import { DirectResponse } from './action/direct-response.ts';
import { Forward } from './action/forward.ts';
import { Redirect } from './action/redirect.ts';
import { ConfiguredRetryPolicy } from './action/retry-policy.ts';
import { HashPolicy } from './hash/hash-policy.ts';
import { DomainTable } from './domain-table.ts';
import { LiteralTree } from './literal-tree.ts';
import { RouteMatcher } from './match/route-matcher.ts';
import type { MirrorData } from './mirror/mirror-data.ts';
import { ConfiguredMirror } from './mirror/mirror.ts';
import { RateLimits } from './rate-limit/rate-limits.ts';
import { HeaderMutations, noMutations, type MutationLevels } from './mutate/header-mutations.ts';
import { buildHostRewrite } from './mutate/host-rewrite.ts';
import { buildPathRewrite } from './mutate/path-rewrite.ts';
import { FilterSettingsBuilder, noFilterSettings, type FilterSettings } from './per-filter.ts';
import { RouteEntry } from './route-entry.ts';
import { literalsOf, RouteIndex } from './route-index.ts';
import { ConfiguredRouteTable } from './route-table.ts';
import type {
  ForwardData,
  HeaderMutationsData,
  MetadataData,
  RetryPolicyData,
  RouteConfigurationData,
  RouteData,
  VirtualClusterData,
  VirtualHostData,
  WeightedClusterData,
} from './route-data.ts';
import type { Mirror, RetryPolicy, Route, RouteBuildContext, RouteTable } from './route.ts';
import { VirtualClusters } from './virtual-clusters.ts';
import { VirtualHost } from './virtual-host.ts';

/** Null: neither the route nor its virtual host has any. */
function rateLimitsOf(route: ForwardData, host: VirtualHostData): RateLimits | null {
  const { rateLimits: own = [], includesHostRateLimits: includes = false } = route;
  const { rateLimits: hosts = [] } = host;
  return own.length === 0 && hosts.length === 0 ? null : new RateLimits(own, hosts, includes);
}

const noMirrors: readonly Mirror[] = [];

/** From this many routes on, the index is faster than trying them one after the other. */
const indexFrom = 12;

/** Plain data → what the hot path asks. Regular expressions are compiled when first used. */
export function buildRouteTable(data: RouteConfigurationData, context: RouteBuildContext): RouteTable {
  const builder = new TableBuilder(data, context);
  const domains = new DomainTable<VirtualHost>();
  for (const virtualHost of data.virtualHosts) {
    const built = builder.virtualHost(virtualHost);
    for (const domain of virtualHost.domains) domains.add(domain, built);
  }
  return new ConfiguredRouteTable(data, domains);
}

/** What the routes of a virtual host share. */
interface Surroundings {
  readonly data: VirtualHostData;
  readonly mirrors: readonly MirrorData[] | null;
  readonly filters: FilterSettings;
  readonly requestLevels: Levels;
  readonly responseLevels: Levels;
  readonly virtualClusters: VirtualClusters;
}

type Side = 'request' | 'response';

/** The outer two levels, and all of a route that has none of its own. */
interface Levels {
  readonly table: HeaderMutations | null;
  readonly virtualHost: HeaderMutations | null;
  readonly withoutRoute: MutationLevels;
}

class TableBuilder {
  private readonly context: RouteBuildContext;
  private readonly mostSpecificWins: boolean;
  private readonly filterSettings: FilterSettingsBuilder;
  private readonly tableFilters: FilterSettings;
  private readonly tableRequest: HeaderMutations | null;
  private readonly tableResponse: HeaderMutations | null;
  private readonly retryPolicies: Alike<RetryPolicyData, RetryPolicy>;
  private readonly requestMutations: Alike<HeaderMutationsData, HeaderMutations>;
  private readonly responseMutations: Alike<HeaderMutationsData, HeaderMutations>;
  private readonly virtualClusters: Alike<readonly VirtualClusterData[], VirtualClusters>;
  private readonly fixedClusters: Alike<string, FixedCluster>;
  private readonly tableMirrors: readonly MirrorData[] | null;
  private readonly mirrors: Alike<readonly MirrorData[], readonly Mirror[]>;
  private readonly trees: Alike<readonly string[], LiteralTree>;

  constructor(data: RouteConfigurationData, context: RouteBuildContext) {
    this.context = context;
    this.mostSpecificWins = data.mostSpecificHeaderMutationsWins;
    this.filterSettings = new FilterSettingsBuilder(context.buildFilterConfig);
    this.tableFilters = this.filterSettings.over(noFilterSettings, data.perFilter);
    const { compileFormat } = context;
    this.retryPolicies = new Alike((policy) => new ConfiguredRetryPolicy(policy));
    this.requestMutations = new Alike((mutations) => new HeaderMutations(mutations, 'request', compileFormat));
    this.responseMutations = new Alike((mutations) => new HeaderMutations(mutations, 'response', compileFormat));
    this.virtualClusters = new Alike((clusters) => new VirtualClusters(clusters));
    this.fixedClusters = new Alike((name) => new FixedCluster(name));
    this.trees = new Alike((literals) => new LiteralTree(literals));
    this.tableMirrors = data.mirrors ?? null;
    this.mirrors = new Alike((policies) =>
      policies.map((policy) => new ConfiguredMirror(policy, compileFormat, context.runtime)),
    );
    this.tableRequest = this.mutations(data.requestHeaders, 'request');
    this.tableResponse = this.mutations(data.responseHeaders, 'response');
  }

  virtualHost(data: VirtualHostData): VirtualHost {
    const around: Surroundings = {
      data,
      mirrors: data.mirrors ?? this.tableMirrors,
      filters: this.filterSettings.over(this.tableFilters, data.perFilter),
      requestLevels: this.levels(this.tableRequest, data.requestHeaders, 'request'),
      responseLevels: this.levels(this.tableResponse, data.responseHeaders, 'response'),
      virtualClusters: this.virtualClusters.of(data.virtualClusters),
    };
    const routes = data.routes.map((route) => this.route(route, around));
    const { matcher = null } = data;
    if (matcher !== null) return new VirtualHost(data, routes, new RouteMatcher(matcher, routes));
    const index = routes.length < indexFrom ? null : new RouteIndex(routes, this.trees.of(literalsOf(routes)));
    return new VirtualHost(data, routes, index);
  }

  private route(data: RouteData, around: Surroundings): RouteEntry {
    const filters = this.filterSettings.over(around.filters, data.perFilter);
    return new RouteEntry(data, {
      virtualHostName: around.data.name,
      virtualHostMetadata: around.data.metadata,
      action: this.action(data, around, filters),
      filters,
      responseLevels: this.withRoute(around.responseLevels, data.responseHeaders, 'response'),
      virtualClusters: around.virtualClusters,
      runtime: this.context.runtime,
    });
  }

  private action(data: RouteData, around: Surroundings, filters: FilterSettings): Route['action'] {
    const { action } = data;
    switch (action.kind) {
      case 'forward':
        return this.forward(action, data, around, filters);
      case 'redirect':
        return new Redirect(action, data.path, this.context.compileFormat);
      case 'direct':
        return new DirectResponse(action, this.context);
    }
  }

  private forward(action: ForwardData, data: RouteData, around: Surroundings, filters: FilterSettings): Forward {
    const { compileFormat } = this.context;
    const { hostRewrite, pathRewrite } = action;
    const hashPolicy = action.hashPolicy === null ? null : new HashPolicy(action.hashPolicy);
    return new Forward(action, around.data, {
      specifier: this.specifier(action, hashPolicy, filters),
      retry: action.retry === null ? null : this.retryPolicies.of(action.retry),
      levels: this.withRoute(around.requestLevels, data.requestHeaders, 'request'),
      hostRewrite: hostRewrite === null ? null : buildHostRewrite(hostRewrite, compileFormat),
      pathRewrite: pathRewrite === null ? null : buildPathRewrite(pathRewrite, data.path, compileFormat),
      hashPolicy,
      mirrors: this.mirrorsOf(action.mirrors ?? around.mirrors),
      rateLimits: rateLimitsOf(action, around.data),
    });
  }

  private mirrorsOf(data: readonly MirrorData[] | null): readonly Mirror[] {
    return data === null ? noMirrors : this.mirrors.of(data);
  }

  private specifier(
    { cluster: data, metadataMatch }: ForwardData,
    hashPolicy: HashPolicy | null,
    filters: FilterSettings,
  ): ClusterSpecifier {
    switch (data.kind) {
      case 'fixed':
        return this.fixedClusters.of(data.name);
      case 'header':
        return new HeaderCluster(data.header);
      case 'weighted': {
        const entries = data.clusters.map((entry) => ({
          name: entry.name,
          weight: entry.weight,
          specifier: this.weightedEntry(entry, metadataMatch, filters),
        }));
        const decider = data.usesHashPolicy ? hashPolicy : null;
        return new WeightedClusters(entries, data.randomHeader, data.runtimeKeyPrefix, this.context.runtime, decider);
      }
    }
  }

  /** `wanted`: of the route's hosts. */
  private weightedEntry(
    data: WeightedClusterData,
    wanted: MetadataData | null,
    filters: FilterSettings,
  ): ClusterSpecifier {
    const own = data.perFilter === null ? null : this.filterSettings.over(filters, data.perFilter);
    const parts: ChoiceParts = {
      perFilter: own === null ? null : own.perFilter,
      filterDisabled: own === null ? null : own.filterDisabled,
      requestHeaders: this.mutations(data.requestHeaders, 'request'),
      responseHeaders: this.mutations(data.responseHeaders, 'response'),
      hostRewrite: data.hostRewrite,
      metadataMatch: data.metadataMatch === null ? null : new MetadataCriteria({ ...wanted, ...data.metadataMatch }),
    };
    return data.name === '' ? new HeaderCluster(data.header, parts) : new FixedCluster(data.name, parts);
  }

  private mutations(data: HeaderMutationsData | null, side: Side): HeaderMutations | null {
    if (data === null) return null;
    return (side === 'request' ? this.requestMutations : this.responseMutations).of(data);
  }

  private levels(table: HeaderMutations | null, data: HeaderMutationsData | null, side: Side): Levels {
    const virtualHost = this.mutations(data, side);
    return { table, virtualHost, withoutRoute: this.ordered(null, virtualHost, table) };
  }

  private withRoute(levels: Levels, data: HeaderMutationsData | null, side: Side): MutationLevels {
    if (data === null) return levels.withoutRoute;
    return this.ordered(this.mutations(data, side), levels.virtualHost, levels.table);
  }

  /** Most specific first, so that outer levels win; the other way round with `most_specific_header_mutations_wins`. */
  private ordered(...levels: (HeaderMutations | null)[]): MutationLevels {
    const present = levels.filter((level) => level !== null);
    if (present.length === 0) return noMutations;
    return this.mostSpecificWins ? present.toReversed() : present;
  }
}
