import { runtimeInteger, runtimePercent, type RuntimeView } from '../../core/runtime-view.ts';
import type { EjectionType, OutlierData } from './outlier-data.ts';

/** Where the runtime's key is not `enforcing_` and the type. */
const enforcingKeys: Partial<Readonly<Record<EjectionType, string>>> = {
  local_origin_failure_percentage: 'failure_percentage_local_origin',
};

/** What is configured, with what the runtime says of it now: `outlier_detection.*`, of all clusters alike. */
export class OutlierLimits {
  private readonly data: OutlierData;
  private readonly runtime: RuntimeView;

  constructor(data: OutlierData, runtime: RuntimeView) {
    this.data = data;
    this.runtime = runtime;
  }

  get intervalMs(): number {
    return this.integer('interval_ms', this.data.intervalMs);
  }

  get baseEjectionMs(): number {
    return this.integer('base_ejection_time_ms', this.data.baseEjectionMs);
  }

  get maxEjectionMs(): number {
    return this.integer('max_ejection_time_ms', this.data.maxEjectionMs);
  }

  get ejectionJitterMs(): number {
    return this.integer('max_ejection_time_jitter_ms', this.data.ejectionJitterMs);
  }

  get maxEjectionPercent(): number {
    return Math.min(100, this.integer('max_ejection_percent', this.data.maxEjectionPercent));
  }

  get successRateMinimumHosts(): number {
    return this.integer('success_rate_minimum_hosts', this.data.successRateMinimumHosts);
  }

  get successRateRequestVolume(): number {
    return this.integer('success_rate_request_volume', this.data.successRateRequestVolume);
  }

  /** Not in thousandths. */
  get successRateStdevFactor(): number {
    return this.integer('success_rate_stdev_factor', this.data.successRateStdevFactor) / 1000;
  }

  get failurePercentageThreshold(): number {
    return this.integer('failure_percentage_threshold', this.data.failurePercentageThreshold);
  }

  get failurePercentageMinimumHosts(): number {
    return this.integer('failure_percentage_minimum_hosts', this.data.failurePercentageMinimumHosts);
  }

  get failurePercentageRequestVolume(): number {
    return this.integer('failure_percentage_request_volume', this.data.failurePercentageRequestVolume);
  }

  enforces(type: EjectionType, random: number): boolean {
    const key = `outlier_detection.enforcing_${enforcingKeys[type] ?? type}`;
    return runtimePercent(this.runtime, key, this.data.enforcing[type], random);
  }

  private integer(key: string, configured: number): number {
    return runtimeInteger(this.runtime, `outlier_detection.${key}`, configured);
  }
}
