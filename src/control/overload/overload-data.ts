import type { LoadShedPointName, OverloadAction, ScaledTimerName, TimerMinimum } from '../../core/overload-view.ts';

/** `overload_manager` as plain data. */
export interface OverloadData {
  readonly refreshMs: number;
  readonly monitors: readonly MonitorData[];
  readonly actions: readonly OverloadActionData[];
  readonly shedPoints: readonly LoadShedPointData[];
  readonly timers: readonly ScaledTimerData[];
  /** `shrink_heap`: between one time and the next. */
  readonly shrinkMs: number;
  /** `global_downstream_max_connections`; 0: it is not monitored. */
  readonly connectionsMax: number;
}

/** A resource that is asked for its pressure again and again. */
export interface MonitorData {
  readonly name: string;
  readonly resource: ResourceData;
}

export type ResourceData =
  /** `runtimeKey` empty: none says otherwise. */
  | { readonly kind: 'fixed_heap'; readonly bytesMax: number; readonly runtimeKey: string }
  /** 0: the cgroup's own limit. */
  | { readonly kind: 'cgroup_memory'; readonly bytesMax: number }
  | { readonly kind: 'cpu_utilization'; readonly ofContainer: boolean }
  | { readonly kind: 'injected_resource'; readonly file: string };

/** Pressure of a resource → state: 0 up to `from`, 1 from `to` on, in proportion between. Equal: 1 from there on. */
export interface TriggerData {
  readonly resource: string;
  readonly from: number;
  readonly to: number;
}

export interface OverloadActionData {
  readonly name: OverloadAction;
  readonly triggers: readonly TriggerData[];
}

export interface LoadShedPointData {
  readonly name: LoadShedPointName;
  readonly triggers: readonly TriggerData[];
}

export interface ScaledTimerData {
  readonly timer: ScaledTimerName;
  readonly minimum: TimerMinimum;
}

/** The proactive resource: it is not asked, it is taken from. */
export const connectionsResource = 'envoy.resource_monitors.global_downstream_max_connections';
