import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { Decision } from './engine.ts';

/** One half of a filter's counters: `allowed` and `denied`, or those of the shadow. */
export class RbacStats {
  private readonly allowed: Counter;
  private readonly denied: Counter;
  private readonly ofPolicies: StatsScope;
  private readonly word: string;
  /** By policy and answer; made when there is something to count, as in Envoy. */
  private readonly counters: Map<Decision, Counter>;

  /** `scope`: `…rbac`. `prefix` stands behind it as configured; empty: none. */
  constructor(scope: StatsScope, prefix: string, isShadow: boolean) {
    const bare = prefix.endsWith('.') ? prefix.slice(0, -1) : prefix;
    const own = bare === '' ? scope : scope.scope(bare);
    this.word = isShadow ? 'shadow_' : '';
    this.allowed = own.counter(`${this.word}allowed`);
    this.denied = own.counter(`${this.word}denied`);
    this.ofPolicies = own.scope('policy');
    this.counters = new Map();
  }

  count(decision: Decision, tracksRules: boolean): void {
    if (decision.isAllowed) this.allowed.inc();
    else this.denied.inc();
    if (tracksRules && decision.policy !== '') this.counterOf(decision).inc();
  }

  private counterOf(decision: Decision): Counter {
    let counter = this.counters.get(decision);
    if (counter === undefined) {
      const answer = `${this.word}${decision.isAllowed ? 'allowed' : 'denied'}`;
      counter = this.ofPolicies.scope(decision.policy).counter(answer);
      this.counters.set(decision, counter);
    }
    return counter;
  }
}
