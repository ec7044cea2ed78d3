/** Runtime keys (static, disk and admin layers merged), as whoever acts on them asks. The answers follow every change. */
export interface RuntimeView {
  number(key: string, otherwise: number): number;
  /** Numerator over denominator against `random` (0 ≤ x < 1). */
  fraction(key: string, numerator: number, denominator: number, random: number): boolean;
  /** What is no boolean counts as absent. Absent: there are none. */
  boolean?(key: string, otherwise: boolean): boolean;
}

/** `envoy.config.core.v3.RuntimeFeatureFlag` as plain data. */
export interface RuntimeFlagData {
  /** Empty: the value is fixed. */
  readonly key: string;
  readonly value: boolean;
}

export function isFlagOn(runtime: RuntimeView, { key, value }: RuntimeFlagData): boolean {
  return runtime.boolean?.(key, value) ?? value;
}

/** A whole number from 0 on; what is none counts as absent. As Envoy's `getInteger`. */
export function runtimeInteger(runtime: RuntimeView, key: string, otherwise: number): number {
  const value = runtime.number(key, otherwise);
  return Number.isInteger(value) && value >= 0 ? value : otherwise;
}

/** A whole percentage against `random` (0 ≤ x < 1); a fraction counts as absent. As Envoy's `featureEnabled` of a number. */
export function runtimePercent(runtime: RuntimeView, key: string, otherwise: number, random: number): boolean {
  return random * 100 < runtimeInteger(runtime, key, otherwise);
}

/** Where nothing is configured. */
export const emptyRuntime: RuntimeView = {
  number: (_key, otherwise) => otherwise,
  fraction: (_key, numerator, denominator, random) => random * denominator < numerator,
};
