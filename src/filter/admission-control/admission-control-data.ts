import type { RuntimeFlagData } from '../../core/runtime-view.ts';

/** A number that the runtime may say otherwise; an empty key: it is fixed. */
export interface RuntimeNumberData {
  readonly key: string;
  readonly value: number;
}

/** `envoy.extensions.filters.http.admission_control.v3.AdmissionControl` as plain data. Defaults are Envoy's. */
export interface AdmissionControlData {
  readonly enabled: RuntimeFlagData;
  /** How far back answers count. */
  readonly windowMs: number;
  readonly aggression: RuntimeNumberData;
  /** Percent of answers that are good enough. */
  readonly successThreshold: RuntimeNumberData;
  /** Requests a second below which none is rejected. */
  readonly rpsThreshold: RuntimeNumberData;
  /** Percent. */
  readonly rejectionMax: RuntimeNumberData;
  /** Statuses from … to below …; null: all below 500. */
  readonly httpSuccess: readonly (readonly [from: number, below: number])[] | null;
  readonly grpcSuccess: readonly number[];
}
