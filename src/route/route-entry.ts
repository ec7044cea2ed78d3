import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Outcome } from '../observe/outcome.ts';
import type { RouteTracingData } from '../observe/trace/trace-data.ts';
import { RouteConditions } from './match/route-conditions.ts';
import { applyAll, type MutationLevels } from './mutate/header-mutations.ts';
import type { FilterSettings } from './per-filter.ts';
import { PathMatch } from './path-match.ts';
import type { RouteData } from './route-data.ts';
import type { MatchContext, Route, RouteRuntime } from './route.ts';
import type { VirtualCluster, VirtualClusters } from './virtual-clusters.ts';

/** A route as configured: what it matches and what becomes of the request. */
export class RouteEntry implements Route {
  readonly name: string;
  readonly virtualHostName: string;
  readonly action: Route['action'];
  readonly perFilter: ReadonlyMap<string, readonly unknown[]>;
  readonly filterDisabled: ReadonlyMap<string, boolean>;
  readonly statPrefix: string;
  readonly decorator: string;
  readonly decoratorPropagate: boolean;
  readonly tracing: RouteTracingData | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly virtualHostMetadata: Readonly<Record<string, unknown>> | null;
  private readonly path: PathMatch;
  private readonly conditions: RouteConditions | null;
  private readonly responseLevels: MutationLevels;
  private readonly virtualClusters: VirtualClusters;

  constructor(data: RouteData, parts: RouteParts) {
    this.name = data.name;
    this.virtualHostName = parts.virtualHostName;
    this.action = parts.action;
    this.perFilter = parts.filters.perFilter;
    this.filterDisabled = parts.filters.filterDisabled;
    this.statPrefix = data.statPrefix;
    this.decorator = data.decorator === null ? '' : data.decorator.operation;
    this.decoratorPropagate = data.decorator === null || data.decorator.propagate;
    this.tracing = data.tracing ?? null;
    this.metadata = data.metadata;
    this.virtualHostMetadata = parts.virtualHostMetadata;
    this.path = new PathMatch(data.path);
    this.conditions = data.conditions === null ? null : new RouteConditions(data.conditions, parts.runtime);
    this.responseLevels = parts.responseLevels;
    this.virtualClusters = parts.virtualClusters;
  }

  /** What every path that matches begins with, for the index; null: nothing certain. */
  get literal(): string | null {
    return this.path.literal;
  }

  /** `path`: without query, and without path parameters where those are ignored; `ownPath`: with them. */
  matches(path: string, ownPath: string, head: RequestHead, context: MatchContext): boolean {
    return (
      this.path.matches(path, ownPath, head.method) && (this.conditions === null || this.conditions.hold(head, context))
    );
  }

  /** As `matches`, of a path that begins with `literal`. */
  matchesBeyondLiteral(path: string, ownPath: string, head: RequestHead, context: MatchContext): boolean {
    return (
      this.path.matchesBeyondLiteral(path, ownPath, head.method) &&
      (this.conditions === null || this.conditions.hold(head, context))
    );
  }

  virtualCluster(head: RequestHead): VirtualCluster {
    return this.virtualClusters.of(head);
  }

  mutateResponse(head: ResponseHead, outcome: Outcome): void {
    applyAll(this.responseLevels, head.headers, outcome);
  }
}

/** What a route gets from its surroundings. */
export interface RouteParts {
  readonly virtualHostName: string;
  readonly virtualHostMetadata: Readonly<Record<string, unknown>> | null;
  readonly action: Route['action'];
  readonly filters: FilterSettings;
  readonly responseLevels: MutationLevels;
  readonly virtualClusters: VirtualClusters;
  readonly runtime: RouteRuntime;
}
