import type { Timed } from '../../../core/clock.ts';
import { Outcome } from '../../../observe/outcome.ts';
import { buildEngine, noteHint, noteMetadata, type Decision, type RbacEngine } from '../../rbac/engine.ts';
import { RbacStats } from '../../rbac/rbac-stats.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';
import { networkRbacKind, type NetworkRbacData } from './network-rbac-data.ts';

const namespace = 'envoy.filters.network.rbac';

/** The rules of one filter chain. */
class ConnectionRules implements NetworkFilterFactory {
  readonly data: NetworkRbacData;
  readonly tools: NetworkFilterTools;
  private readonly enforced: RbacEngine | null;
  private readonly shadow: RbacEngine | null;
  private readonly stats: RbacStats;
  private readonly shadowStats: RbacStats;

  constructor(data: NetworkRbacData, tools: NetworkFilterTools) {
    this.data = data;
    this.tools = tools;
    this.enforced = data.rules === null ? null : buildEngine(data.rules);
    this.shadow = data.shadowRules === null ? null : buildEngine(data.shadowRules);
    const bare = data.statPrefix.replace(/\.$/, '');
    const scope = bare === '' ? tools.stats.scope('rbac') : tools.stats.scope(bare).scope('rbac');
    this.stats = new RbacStats(scope, '', false);
    this.shadowStats = new RbacStats(scope, data.shadowRulesStatPrefix, true);
  }

  create(): NetworkFilter {
    return new NetworkRbac(this);
  }

  /** Null: nothing is enforced. What the shadow says is noted. */
  decide(outcome: Outcome): Decision | null {
    if (this.shadow !== null) {
      const decision = this.shadow.decide(outcome);
      this.shadowStats.count(decision, false);
      noteMetadata(outcome, namespace, decision.metadata(`${this.data.shadowRulesStatPrefix}shadow`));
    }
    if (this.enforced === null) return null;
    const decision = this.enforced.decide(outcome);
    noteHint(outcome, decision);
    this.stats.count(decision, false);
    return decision;
  }
}

/** `envoy.filters.network.rbac`: the first bytes of a client, or all of them, are let through or the connection closed. */
class NetworkRbac implements NetworkFilter, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly rules: ConnectionRules;
  private isDecided: boolean;
  /** That is to be closed; null: it may stay. */
  private denied: FilteredStream | null;
  /** What rules know of the connection; null: nothing was asked yet. */
  private outcome: Outcome | null;

  constructor(rules: ConnectionRules) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.rules = rules;
    this.isDecided = false;
    this.denied = null;
    this.outcome = null;
  }

  onData(stream: FilteredStream): NetworkVerdict {
    if (this.denied !== null) return NetworkVerdict.Stop;
    if (this.isDecided) return NetworkVerdict.Continue;
    const { data, tools } = this.rules;
    const decision = this.rules.decide((this.outcome ??= outcomeOf(stream)));
    this.isDecided = !data.isContinuous;
    if (decision === null || decision.isAllowed) return NetworkVerdict.Continue;
    stream.notes.terminationDetails = decision.details;
    this.denied = stream;
    if (data.delayMs > 0) {
      stream.pause();
      tools.timers.schedule(this, tools.clock.now + data.delayMs);
    } else this.tick();
    return NetworkVerdict.Stop;
  }

  tick(): void {
    this.denied?.close('rbac_deny_close');
  }

  onClosed(): void {
    this.rules.tools.timers.cancel(this);
  }
}

function outcomeOf({ id, peer, notes }: FilteredStream): Outcome {
  const outcome = new Outcome();
  outcome.connectionId = id;
  outcome.peer = peer;
  notes.describe(outcome);
  return outcome;
}

export const networkRbacBuilder: NetworkFilterBuilder = {
  kind: networkRbacKind,
  build: (data, tools) => new ConnectionRules(data as NetworkRbacData, tools),
};
