import type { Counter, StatsScope } from './stats.ts';

/** `_<N>xx` and `_<code>` of one class of statuses. */
class CodeClass {
  /** Null above 5xx: Envoy has no such class. */
  private readonly total: Counter | null;
  private readonly codes: Map<number, Counter>;
  private readonly scope: StatsScope;
  /** Mostly the same one again. */
  private last: number;
  private lastCode: Counter | null;

  constructor(scope: StatsScope, group: number) {
    this.total = group >= 1 && group <= 5 ? scope.counter(`upstream_rq_${group}xx`) : null;
    this.codes = new Map();
    this.scope = scope;
    this.last = 0;
    this.lastCode = null;
  }

  record(status: number): void {
    if (this.total !== null) this.total.inc();
    if (status === this.last) this.lastCode!.inc();
    else this.recordOther(status);
  }

  private recordOther(status: number): void {
    let counter = this.codes.get(status);
    if (counter === undefined) {
      counter = this.scope.counter(`upstream_rq_${status}`);
      this.codes.set(status, counter);
    }
    this.last = status;
    this.lastCode = counter;
    counter.inc();
  }
}

/** `upstream_rq_completed`, `_<N>xx` and `_<code>` below one prefix; made when they first occur. */
export class CodeStats {
  private readonly scope: StatsScope;
  private readonly completed: Counter;
  private readonly classes: (CodeClass | null)[];

  constructor(scope: StatsScope) {
    this.scope = scope;
    this.completed = scope.counter('upstream_rq_completed');
    this.classes = Array.from({ length: 10 }, () => null);
  }

  record(status: number): void {
    this.completed.inc();
    const group = (status / 100) | 0;
    (this.classes[group] ?? this.makeClass(group)).record(status);
  }

  private makeClass(group: number): CodeClass {
    const made = new CodeClass(this.scope, group);
    this.classes[group] = made;
    return made;
  }
}
