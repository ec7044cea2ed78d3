import type { OverloadData } from '../../../../src/control/overload/overload-data.ts';

/** An overload manager that does nothing unless told. */
export function overloadData(change: Partial<OverloadData>): OverloadData {
  return {
    refreshMs: 1000,
    monitors: [],
    actions: [],
    shedPoints: [],
    timers: [],
    shrinkMs: 10_000,
    connectionsMax: 0,
    ...change,
  };
}
