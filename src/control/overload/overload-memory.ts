import {
  loadShedPoints,
  overloadActions,
  TimerScale,
  type LoadShedPoint,
  type LoadShedPointName,
  type OverloadAction,
  type OverloadState,
  type OverloadView,
  type ScaledTimerName,
} from '../../core/overload-view.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { OverloadData } from './overload-data.ts';

/** A state of 1, as an integer: what shared memory holds whole. */
const whole = 1 << 30;

const cells: readonly string[] = [...overloadActions, ...loadShedPoints];

/** The state of every action and load shed point, by name. The main thread writes, workers read. */
export class OverloadMemory {
  readonly shared: SharedArrayBuffer;
  private readonly values: Int32Array;

  constructor(shared = new SharedArrayBuffer(cells.length * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.values = new Int32Array(shared);
  }

  /** `value`: 0 to 1. */
  set(name: OverloadAction | LoadShedPointName, value: number): void {
    Atomics.store(this.values, cells.indexOf(name), Math.round(value * whole));
  }

  cell(name: OverloadAction | LoadShedPointName): OverloadState {
    return new OverloadCell(this.values, cells.indexOf(name));
  }
}

class OverloadCell implements OverloadState {
  private readonly values: Int32Array;
  private readonly index: number;

  constructor(values: Int32Array, index: number) {
    this.values = values;
    this.index = index;
  }

  get value(): number {
    return this.values[this.index] / whole;
  }
}

class SharedLoadShedPoint implements LoadShedPoint {
  private readonly state: OverloadState;
  private readonly count: Counter;
  private readonly random: () => number;

  constructor(state: OverloadState, count: Counter, random: () => number) {
    this.state = state;
    this.count = count;
    this.random = random;
  }

  shedsLoad(): boolean {
    const { value } = this.state;
    if (value === 0 || (value < 1 && this.random() >= value)) return false;
    this.count.inc();
    return true;
  }
}

/** What a worker is told of the overload manager at its start. */
export interface OverloadInit {
  readonly shared: SharedArrayBuffer;
  readonly data: OverloadData;
}

/** The overload manager as one worker sees it. */
export class WorkerOverload implements OverloadView {
  readonly connectionsMax: number;
  private readonly actions: ReadonlyMap<OverloadAction, OverloadState>;
  private readonly points: ReadonlyMap<LoadShedPointName, LoadShedPoint>;
  private readonly timers: ReadonlyMap<ScaledTimerName, TimerScale>;

  /** `root`: the root scope of the stats. */
  constructor({ shared, data }: OverloadInit, root: StatsScope, random: () => number) {
    const memory = new OverloadMemory(shared);
    this.connectionsMax = data.connectionsMax;
    const stats = root.scope('overload.envoy.load_shed_points');
    this.actions = new Map(data.actions.map(({ name }) => [name, memory.cell(name)]));
    this.points = new Map(
      data.shedPoints.map(({ name }) => {
        const count = stats.scope(name).counter('shed_load_count');
        return [name, new SharedLoadShedPoint(memory.cell(name), count, random)];
      }),
    );
    const reduces = memory.cell('reduce_timeouts');
    this.timers = new Map(data.timers.map(({ timer, minimum }) => [timer, new TimerScale(reduces, minimum)]));
  }

  action(name: OverloadAction): OverloadState | null {
    return this.actions.get(name) ?? null;
  }

  shedPoint(name: LoadShedPointName): LoadShedPoint | null {
    return this.points.get(name) ?? null;
  }

  timer(name: ScaledTimerName): TimerScale | null {
    return this.timers.get(name) ?? null;
  }
}
