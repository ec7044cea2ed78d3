import { cellOf, cellsOf, partOf } from './histogram-bins.ts';
import { StatKind, StatsSlabs, type Cells, type ScopeRegistrations, type StatsPublisher } from './stats-slab.ts';
import type { Counter, Gauge, GaugeCombination, Histogram, StatsScope } from './stats.ts';

class SlabCounter implements Counter {
  private readonly values: Float64Array;
  private readonly cell: number;

  constructor(values: Float64Array, cell: number) {
    this.values = values;
    this.cell = cell;
  }

  inc(): void {
    this.values[this.cell] = this.values[this.cell] + 1;
  }

  add(amount: number): void {
    this.values[this.cell] = this.values[this.cell] + amount;
  }
}

class SlabGauge implements Gauge {
  private readonly values: Float64Array;
  private readonly cell: number;

  constructor(values: Float64Array, cell: number) {
    this.values = values;
    this.cell = cell;
  }

  inc(): void {
    this.values[this.cell] = this.values[this.cell] + 1;
  }

  dec(): void {
    this.values[this.cell] = this.values[this.cell] - 1;
  }

  add(amount: number): void {
    this.values[this.cell] = this.values[this.cell] + amount;
  }

  set(value: number): void {
    this.values[this.cell] = value;
  }
}

const NOTHING = new Float64Array(0);

class SlabHistogram implements Histogram {
  private readonly scope: WorkerScope;
  private readonly name: string;
  /** Values 0 … 99, the most frequent ones; empty until the first of them. */
  private first: Float64Array;
  /** By part; [0] is not used. */
  private readonly further: (Float64Array | null)[];

  constructor(scope: WorkerScope, name: string) {
    this.scope = scope;
    this.name = name;
    this.first = NOTHING;
    this.further = [];
  }

  // hot: bench/access-log.ts (stats)
  record(value: number): void {
    const whole = value <= 0x7fffffff ? value | 0 : Math.floor(value);
    const first = this.first;
    if (whole < first.length && whole >= 0) first[whole] = first[whole] + 1;
    else this.recordRare(whole);
  }

  private recordRare(value: number): void {
    if (!(value >= 0)) return;
    const part = partOf(value);
    let cells = part === 0 ? null : this.further[part];
    if (cells === null || cells === undefined) {
      cells = this.scope.allotPart(this.name, part);
      if (part === 0) this.first = cells;
      else this.openPart(part, cells);
    }
    const cell = cellOf(value, part);
    cells[cell] = cells[cell] + 1;
  }

  private openPart(part: number, cells: Float64Array): void {
    while (this.further.length <= part) this.further.push(null);
    this.further[part] = cells;
  }
}

/** Stats below one prefix, in one thread. */
class WorkerScope implements StatsScope {
  readonly prefix: string;
  private readonly stats: WorkerStats;
  private readonly known: Map<string, Counter | Gauge | Histogram>;
  private children: Map<string, WorkerScope> | null;
  private pending: ScopeRegistrations | null;

  constructor(stats: WorkerStats, prefix: string) {
    this.stats = stats;
    this.prefix = prefix;
    this.known = new Map();
    this.children = null;
    this.pending = null;
  }

  counter(name: string): Counter {
    const known = this.known.get(name);
    if (known !== undefined) return this.sameKind(name, known, SlabCounter);
    const cells = this.allotNumber();
    this.register(name, StatKind.Counter, cells, 0);
    const counter = new SlabCounter(cells.values, cells.start);
    this.known.set(name, counter);
    return counter;
  }

  gauge(name: string, combination: GaugeCombination = 'sum'): Gauge {
    const known = this.known.get(name);
    if (known !== undefined) return this.sameKind(name, known, SlabGauge);
    const cells = this.allotNumber();
    this.register(name, combination === 'sum' ? StatKind.GaugeSum : StatKind.GaugeMax, cells, 0);
    const gauge = new SlabGauge(cells.values, cells.start);
    this.known.set(name, gauge);
    return gauge;
  }

  histogram(name: string): Histogram {
    const known = this.known.get(name);
    if (known !== undefined) return this.sameKind(name, known, SlabHistogram);
    this.register(name, StatKind.Histogram, null, 0);
    const histogram = new SlabHistogram(this, name);
    this.known.set(name, histogram);
    return histogram;
  }

  scope(prefix: string): StatsScope {
    this.children ??= new Map();
    const known = this.children.get(prefix);
    if (known !== undefined) return known;
    const child = new WorkerScope(this.stats, this.prefix === '' ? prefix : `${this.prefix}.${prefix}`);
    this.children.set(prefix, child);
    return child;
  }

  /** Cells for one part of a histogram. */
  allotPart(name: string, part: number): Float64Array {
    const count = cellsOf(part);
    const cells = this.stats.slabs.allot(count);
    this.register(name, StatKind.Histogram, cells, part);
    return cells.values.subarray(cells.start, cells.start + count);
  }

  takePending(): ScopeRegistrations | null {
    const taken = this.pending;
    this.pending = null;
    return taken;
  }

  private allotNumber(): Cells {
    const cells = this.stats.slabs.allot(1);
    cells.values[cells.start] = -0;
    return cells;
  }

  private register(name: string, kind: StatKind, cells: Cells | null, part: number): void {
    let pending = this.pending;
    if (pending === null) {
      pending = { prefix: this.prefix, names: [], kinds: [], slabs: [], cells: [], parts: [] };
      this.pending = pending;
      this.stats.changed(this);
    }
    pending.names.push(name);
    pending.kinds.push(kind);
    pending.slabs.push(cells === null ? -1 : cells.slab);
    pending.cells.push(cells === null ? 0 : cells.start);
    pending.parts.push(part);
  }

  private sameKind<T>(name: string, known: unknown, kind: abstract new (...args: never[]) => T): T {
    if (known instanceof kind) return known;
    throw new Error(`stat ${this.prefix}.${name} is asked for as two kinds`);
  }
}

/**
 * All stats that one thread writes, the main thread included. Names are told to the main thread's `StatsStore` through
 * `publish`, gathered until the current tick ends; from then on reading them costs this thread nothing.
 */
export class WorkerStats {
  readonly root: StatsScope;
  readonly slabs: StatsSlabs;
  private readonly publish: StatsPublisher;
  private dirty: WorkerScope[];

  constructor(publish: StatsPublisher) {
    this.publish = publish;
    this.slabs = new StatsSlabs();
    this.dirty = [];
    this.root = new WorkerScope(this, '');
  }

  /** A scope has something to tell. Called by scopes. */
  changed(scope: WorkerScope): void {
    if (this.dirty.length === 0) queueMicrotask(() => this.flush());
    this.dirty.push(scope);
  }

  /** Tells the main thread now what it does not know yet. */
  flush(): void {
    if (this.dirty.length === 0) return;
    const scopes: ScopeRegistrations[] = [];
    for (const scope of this.dirty) {
      const pending = scope.takePending();
      if (pending !== null) scopes.push(pending);
    }
    this.dirty = [];
    this.publish({ slabs: this.slabs.takeNew(), scopes });
  }
}
