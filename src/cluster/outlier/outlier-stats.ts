import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';
import { ejectionTypes, type EjectionType } from './outlier-data.ts';

/** `cluster.<name>.outlier_detection.*`, old names among them. */
export class OutlierStats {
  readonly active: Gauge;
  readonly overflow: Counter;
  readonly detectedDegradation: Counter;
  /** Without the enforcement: of 5xx in a row, and of success rates. */
  readonly total: Counter;
  readonly consecutive5xx: Counter;
  readonly successRate: Counter;
  readonly enforcedTotal: Counter;
  private readonly detected: ReadonlyMap<EjectionType, Counter>;
  private readonly enforced: ReadonlyMap<EjectionType, Counter>;

  /** `scope`: of the cluster. */
  constructor(scope: StatsScope) {
    const below = scope.scope('outlier_detection');
    const counter = (name: string): Counter => below.counter(`ejections_${name}`);
    this.active = below.gauge('ejections_active');
    this.overflow = counter('overflow');
    this.detectedDegradation = counter('detected_degradation');
    this.total = counter('total');
    this.consecutive5xx = counter('consecutive_5xx');
    this.successRate = counter('success_rate');
    this.enforcedTotal = counter('enforced_total');
    this.detected = new Map(ejectionTypes.map((type) => [type, counter(`detected_${type}`)]));
    this.enforced = new Map(ejectionTypes.map((type) => [type, counter(`enforced_${type}`)]));
  }

  wasDetected(type: EjectionType): void {
    this.detected.get(type)!.inc();
  }

  wasEnforced(type: EjectionType): void {
    this.enforcedTotal.inc();
    this.enforced.get(type)!.inc();
  }
}
