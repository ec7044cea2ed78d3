import type { ResourceMonitor } from './monitor.ts';

/** Weight of what is new in the moving average. Source: Envoy's `DAMPENING_ALPHA`. */
const damping = 0.05;

/** Work and what would have been possible, in units of the reader's own; both only grow. */
export interface CpuTimes {
  readonly work: number;
  readonly total: number;
  /** What one over the other may say at most: shares of the older cgroups are no limit. */
  readonly utilizationMax: number;
}

/** `envoy.resource_monitors.cpu_utilization`: how busy the processors are, smoothed. */
export class CpuUtilization implements ResourceMonitor {
  private readonly read: () => CpuTimes;
  /** Null: nothing was read yet. */
  private before: CpuTimes | null;
  private utilization: number;

  constructor(read: () => CpuTimes) {
    this.read = read;
    this.before = null;
    this.utilization = 0;
  }

  pressure(): number {
    const now = this.read();
    const { before } = this;
    if (before === null) {
      this.before = now;
      return 0;
    }
    const work = now.work - before.work;
    const total = now.total - before.total;
    if (work < 0 || total <= 0)
      throw new Error(`processor times went from ${JSON.stringify(before)} to ${JSON.stringify(now)}`);
    this.before = now;
    const current = Math.min(now.utilizationMax, work / total);
    this.utilization = current * damping + (1 - damping) * this.utilization;
    return this.utilization;
  }
}
