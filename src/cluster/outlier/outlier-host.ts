import { HealthCell } from '../health/health-memory.ts';
import type { WatchedHost } from '../health/watched-host.ts';
import type { Volume } from './success-rate.ts';

/** How long something holds that grows with every time, and shrinks again in good ones. */
export class Backoff {
  private times: number;

  constructor() {
    this.times = 0;
  }

  /** The moment has come once more. */
  grow(baseMs: number, maxMs: number): void {
    if (this.times * baseMs < maxMs + baseMs) this.times++;
  }

  shrink(): void {
    if (this.times > 0) this.times--;
  }

  length(baseMs: number, maxMs: number): number {
    return Math.min(baseMs * this.times, maxMs);
  }
}

/** What outlier detection keeps of a host. Moments are monotonic milliseconds; NaN: never. */
export class OutlierHost {
  readonly watched: WatchedHost;
  readonly backoff: Backoff;
  readonly degradedBackoff: Backoff;
  ejections: number;
  ejectedMs: number;
  unejectedMs: number;
  jitterMs: number;
  degradedMs: number;
  undegradedMs: number;
  /** Percent, of the last interval; -1: not known. */
  externalRate: number;
  localRate: number;
  /** What the last interval brought. */
  external: Volume;
  local: Volume;
  /** Where the counts stood at its end. */
  private readonly before: Map<HealthCell, number>;

  constructor(watched: WatchedHost) {
    this.watched = watched;
    this.backoff = new Backoff();
    this.degradedBackoff = new Backoff();
    this.ejections = 0;
    this.ejectedMs = NaN;
    this.unejectedMs = NaN;
    this.jitterMs = 0;
    this.degradedMs = NaN;
    this.undegradedMs = NaN;
    this.externalRate = -1;
    this.localRate = -1;
    this.external = { total: 0, success: 0 };
    this.local = this.external;
    this.before = new Map();
    this.endInterval();
  }

  endInterval(): void {
    this.external = {
      total: this.grown(HealthCell.ExternalTotal),
      success: this.grown(HealthCell.ExternalSuccess),
    };
    this.local = { total: this.grown(HealthCell.LocalTotal), success: this.grown(HealthCell.LocalSuccess) };
    this.externalRate = -1;
    this.localRate = -1;
  }

  resetRows(): void {
    this.watched.resetRow(HealthCell.Consecutive5xx);
    this.watched.resetRow(HealthCell.ConsecutiveGatewayFailure);
    this.watched.resetRow(HealthCell.ConsecutiveLocalOriginFailure);
  }

  private grown(cell: HealthCell): number {
    const now = this.watched.read(cell);
    const before = this.before.get(cell) ?? now;
    this.before.set(cell, now);
    // They wrap around at 32 bits.
    return (now - before) | 0;
  }
}
