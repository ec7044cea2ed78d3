import type { RuntimeView } from '../core/runtime-view.ts';
import type { Counter } from '../observe/stats/stats.ts';

/** A number counted over all workers that several may not raise beyond a limit. */
export interface BoundedCount {
  tryInc(limit: number): boolean;
  dec(): number;
}

/** What the overload manager says of it. */
export interface MonitoredConnections {
  readonly max: number;
  /** `failed_updates` of its monitor. */
  readonly refused: Counter;
}

const key = 'overload.global_downstream_max_connections';

/**
 * The open connections of all listeners and workers together, and how many there may be: as the overload manager's
 * monitor says, and where there is none, as the runtime does.
 */
export class ProcessConnections {
  private readonly open: BoundedCount;
  /** Null: it is not monitored. */
  private readonly monitored: MonitoredConnections | null;
  private readonly runtime: RuntimeView;

  constructor(open: BoundedCount, monitored: MonitoredConnections | null, runtime: RuntimeView) {
    this.open = open;
    this.monitored = monitored;
    this.runtime = runtime;
  }

  get isMonitored(): boolean {
    return this.monitored !== null;
  }

  /** False: there is no place left. `unlimited`: it is counted and not refused. */
  enter(unlimited: boolean): boolean {
    if (this.open.tryInc(unlimited ? Infinity : this.max)) return true;
    this.monitored?.refused.inc();
    return false;
  }

  left(): void {
    this.open.dec();
  }

  private get max(): number {
    if (this.monitored !== null) return this.monitored.max;
    const max = this.runtime.number(key, -1);
    return max < 0 ? Infinity : max;
  }
}
