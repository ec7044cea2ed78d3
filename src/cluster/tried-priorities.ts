/** The priorities that the tries of one request have gone to: the next one goes to others while there are any. */
export class TriedPriorities {
  /** After so many tries what has been tried is looked at, and again after as many more. */
  readonly updateFrequency: number;
  /** Of the hosts that were tried since priorities ran out. */
  attempted: number[];
  readonly excluded: Set<number>;
  /** How the chances of the next try were spread last; null: as those of a first try. */
  latest: { readonly healthy: readonly number[]; readonly degraded: readonly number[] } | null;

  constructor(updateFrequency: number) {
    this.updateFrequency = updateFrequency;
    this.attempted = [];
    this.excluded = new Set();
    this.latest = null;
  }
}
