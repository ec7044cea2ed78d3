import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Outcome } from '../observe/outcome.ts';
import { RouteConditions } from './match/route-conditions.ts';
import { applyAll, type MutationLevels } from './mutate/header-mutations.ts';
import type { FilterSettings } from './per-filter.ts';
import { Regex } from './regex.ts';
import { literalPrefix } from './regex/literal-prefix.ts';
import type { PathMatchData, RouteData } from './route-data.ts';
import type { MatchContext, Route, RouteRuntime } from './route.ts';
import { UriTemplate } from './uri-template.ts';
import type { VirtualClusters } from './virtual-clusters.ts';
import { lowerAscii } from './wire-text.ts';

const PathKind = { Prefix: 0, Exact: 1, SeparatedPrefix: 2, Regex: 3, Template: 4, Connect: 5 } as const;
const pathKinds: Readonly<Record<PathMatchData['kind'], number>> = {
  prefix: PathKind.Prefix,
  exact: PathKind.Exact,
  separatedPrefix: PathKind.SeparatedPrefix,
  regex: PathKind.Regex,
  template: PathKind.Template,
  connect: PathKind.Connect,
};

const slash = 47;

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
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly virtualHostMetadata: Readonly<Record<string, unknown>> | null;
  private readonly pathKind: number;
  private readonly value: string;
  private readonly foldsCase: boolean;
  private readonly regex: Regex | null;
  private readonly template: UriTemplate | null;
  private readonly conditions: RouteConditions | null;
  private readonly responseLevels: MutationLevels;
  private readonly virtualClusters: VirtualClusters;

  constructor(data: RouteData, parts: RouteParts) {
    const { path } = data;
    this.name = data.name;
    this.virtualHostName = parts.virtualHostName;
    this.action = parts.action;
    this.perFilter = parts.filters.perFilter;
    this.filterDisabled = parts.filters.filterDisabled;
    this.statPrefix = data.statPrefix;
    this.decorator = data.decorator === null ? '' : data.decorator.operation;
    this.decoratorPropagate = data.decorator === null || data.decorator.propagate;
    this.metadata = data.metadata;
    this.virtualHostMetadata = parts.virtualHostMetadata;
    this.pathKind = pathKinds[path.kind];
    this.value = path.caseSensitive ? path.value : lowerAscii(path.value);
    this.foldsCase = !path.caseSensitive;
    this.regex = path.kind === 'regex' ? new Regex(path.value) : null;
    this.template = path.kind === 'template' ? new UriTemplate(path.value) : null;
    this.conditions = data.conditions === null ? null : new RouteConditions(data.conditions, parts.runtime);
    this.responseLevels = parts.responseLevels;
    this.virtualClusters = parts.virtualClusters;
  }

  /** What every path that matches begins with, for the index; null: nothing certain. */
  get literal(): string | null {
    if (this.foldsCase) return null;
    switch (this.pathKind) {
      case PathKind.Prefix:
      case PathKind.Exact:
      case PathKind.SeparatedPrefix:
        return this.value;
      case PathKind.Regex:
        return literalPrefix(this.value);
      default:
        return null;
    }
  }

  /** `path`: without query, and without path parameters where those are ignored; `ownPath`: with them. */
  matches(path: string, ownPath: string, head: RequestHead, context: MatchContext): boolean {
    return this.matchesPath(path, ownPath, head) && (this.conditions === null || this.conditions.hold(head, context));
  }

  /** As `matches`, of a path that begins with `literal`. */
  matchesBeyondLiteral(path: string, ownPath: string, head: RequestHead, context: MatchContext): boolean {
    const isKnown = this.pathKind === PathKind.Prefix && !this.foldsCase && path !== '';
    return (
      (isKnown || this.matchesPath(path, ownPath, head)) &&
      (this.conditions === null || this.conditions.hold(head, context))
    );
  }

  virtualCluster(head: RequestHead): string {
    return this.virtualClusters.nameFor(head);
  }

  mutateResponse(head: ResponseHead, outcome: Outcome): void {
    applyAll(this.responseLevels, head.headers, outcome);
  }

  private matchesPath(path: string, ownPath: string, head: RequestHead): boolean {
    const { value } = this;
    if (this.pathKind === PathKind.Connect) return head.method === 'CONNECT';
    if (path === '') return false;
    const subject = this.foldsCase ? lowerAscii(path) : path;
    switch (this.pathKind) {
      case PathKind.Prefix:
        return subject.startsWith(value);
      case PathKind.Exact:
        return subject === value;
      case PathKind.SeparatedPrefix:
        return (
          subject.startsWith(value) && (subject.length === value.length || subject.charCodeAt(value.length) === slash)
        );
      case PathKind.Regex:
        return this.regex!.matches(path);
      default:
        return this.template!.matches(ownPath);
    }
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
