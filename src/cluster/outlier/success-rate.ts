/** What a host has answered within one interval. */
export interface Volume {
  readonly total: number;
  readonly success: number;
}

/** Percent; NaN: nothing was asked of it. */
export function rateOf({ total, success }: Volume): number {
  return total === 0 ? NaN : (success * 100) / total;
}

/** Below `threshold` a host is an outlier; -1 for both: there were too few hosts to tell. */
export interface SuccessRates {
  readonly average: number;
  readonly threshold: number;
}

export const noRates: SuccessRates = { average: -1, threshold: -1 };

/** Mean less so many standard deviations (of the population). Source: Envoy `successRateEjectionThreshold`. */
export function successRates(rates: readonly number[], stdevFactor: number): SuccessRates {
  const average = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - average) ** 2, 0) / rates.length;
  return { average, threshold: average - stdevFactor * Math.sqrt(variance) };
}
