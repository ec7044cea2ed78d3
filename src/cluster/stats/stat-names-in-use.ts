import type { StatsScope } from '../../observe/stats/stats.ts';

/** What clusters count under: the stats of a name go with the last cluster that has it. */
export class StatNamesInUse {
  private readonly scope: StatsScope;
  private readonly uses: Map<string, number>;

  /** `scope`: of all clusters. */
  constructor(scope: StatsScope) {
    this.scope = scope;
    this.uses = new Map();
  }

  enter(statName: string): void {
    this.uses.set(statName, (this.uses.get(statName) ?? 0) + 1);
  }

  /** True: nobody has it any more. */
  leave(statName: string): boolean {
    const left = (this.uses.get(statName) ?? 1) - 1;
    if (left > 0) {
      this.uses.set(statName, left);
      return false;
    }
    this.uses.delete(statName);
    this.scope.forget?.(statName);
    return true;
  }
}
