import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { buildEngine, noteHint, noteMetadata, type RbacEngine } from './engine.ts';
import type { RbacData } from './rbac-data.ts';
import { RbacStats } from './rbac-stats.ts';

const namespace = 'envoy.filters.http.rbac';

/** The rules of a filter, or of a route for it. */
export class RbacRules {
  readonly data: RbacData;
  readonly enforced: RbacEngine | null;
  readonly shadow: RbacEngine | null;

  constructor(data: RbacData) {
    this.data = data;
    this.enforced = data.rules === null ? null : buildEngine(data.rules);
    this.shadow = data.shadowRules === null ? null : buildEngine(data.shadowRules);
  }
}

/** `envoy.filters.http.rbac`. One object for all streams. */
export class RbacFilter implements HttpFilter, FilterFactory {
  private readonly rules: RbacRules;
  private readonly filterName: string;
  private readonly stats: RbacStats;
  private readonly shadowStats: RbacStats;

  constructor(rules: RbacRules, { filterName, stats }: FilterContext) {
    const { rulesStatPrefix, shadowRulesStatPrefix } = rules.data;
    this.rules = rules;
    this.filterName = filterName;
    this.stats = new RbacStats(stats.scope('rbac'), rulesStatPrefix, false);
    this.shadowStats = new RbacStats(stats.scope('rbac'), shadowRulesStatPrefix, true);
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream): Verdict {
    const ofRoute = stream.perFilterConfig(this.filterName) as RbacRules | undefined;
    const { enforced, shadow, data } = ofRoute ?? this.rules;
    const { outcome } = stream;
    if (shadow !== null) {
      const decision = shadow.decide(outcome);
      this.shadowStats.count(decision, data.tracksRules);
      const prefix = data.shadowRulesStatPrefix || this.rules.data.shadowRulesStatPrefix;
      noteMetadata(outcome, namespace, decision.metadata(`${prefix}shadow`));
    }
    if (enforced === null) return Verdict.Continue;
    const decision = enforced.decide(outcome);
    noteHint(outcome, decision);
    this.stats.count(decision, data.tracksRules);
    const prefix = data.rulesStatPrefix || this.rules.data.rulesStatPrefix;
    noteMetadata(outcome, namespace, decision.metadata(`${prefix}enforced`));
    if (decision.isAllowed) return Verdict.Continue;
    stream.reply({ status: 403, body: 'RBAC: access denied', details: decision.details });
    return Verdict.Stop;
  }
}

/** Behind the router it decides before a connection to the host is asked for. Source: Envoy `upstream_rbac`. */
export class HostRbacFilter implements HttpFilter, FilterFactory {
  private readonly filter: RbacFilter;

  constructor(filter: RbacFilter) {
    this.filter = filter;
  }

  create(): HttpFilter {
    return this;
  }

  onHostSelected(stream: Stream): boolean {
    return this.filter.onRequestHead(stream) === Verdict.Continue;
  }
}
