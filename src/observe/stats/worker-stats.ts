import { cellOf, cellsOf, partOf } from './histogram-bins.ts';
import { StatKind, StatsSlabs, type Cells, type ScopeRegistrations, type StatsPublisher } from './stats-slab.ts';
import type { Counter, Gauge, GaugeCombination, Histogram, StatsScope, StatTags } from './stats.ts';

class SlabCounter implements Counter {
  private readonly values: Float64Array;
  private readonly cell: number;

  constructor({ values, start }: Cells) {
    this.values = values;
    this.cell = start;
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

  constructor({ values, start }: Cells) {
    this.values = values;
    this.cell = start;
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
  private readonly tags: StatTags | null;
  /** Values 0 … 99, the most frequent ones; empty until the first of them. */
  private first: Float64Array;
  /** By part; [0] is not used. */
  private readonly further: (Float64Array | null)[];

  constructor(scope: WorkerScope, name: string, tags: StatTags | null) {
    this.scope = scope;
    this.name = name;
    this.tags = tags;
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
      cells = this.scope.allotPart(this.name, this.tags, part);
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

/** Registrations in the making. */
interface Pending extends ScopeRegistrations {
  tagged?: NonNullable<ScopeRegistrations['tagged']>;
}

/** As Envoy joins names and tags. */
function joined(name: string, tags: StatTags | null): string {
  return tags === null || tags.length === 0 ? name : `${name}.${tags.join('.')}`;
}

/** The memory of a stat that may be given back. */
class Lease {
  private readonly cells: Cells[];
  private readonly counts: number[];
  /** The sum of all when it was last asked whether it has moved. */
  private seen: number;

  constructor() {
    this.cells = [];
    this.counts = [];
    this.seen = 0;
  }

  add(cells: Cells, count: number): void {
    this.cells.push(cells);
    this.counts.push(count);
  }

  hasMoved(): boolean {
    let total = 0;
    for (let i = 0; i < this.cells.length; i++) {
      const { values, start } = this.cells[i];
      for (let at = start; at < start + this.counts[i]; at++) total += values[at];
    }
    const isOther = total !== this.seen;
    this.seen = total;
    return isOther;
  }

  release(slabs: StatsSlabs): void {
    for (let i = 0; i < this.cells.length; i++) slabs.release(this.cells[i], this.counts[i]);
  }
}

const nothing = new Lease();

/** Stats below one prefix, in one thread. */
class WorkerScope implements StatsScope {
  readonly prefix: string;
  private readonly stats: WorkerStats;
  /** By name, with its tags joined. */
  private readonly known: Map<string, Counter | Gauge | Histogram>;
  /** Of those with tags. */
  private leases: Map<string, Lease> | null;
  private children: Map<string, WorkerScope> | null;
  private pending: Pending | null;
  private isForgotten: boolean;

  constructor(stats: WorkerStats, prefix: string) {
    this.stats = stats;
    this.prefix = prefix;
    this.known = new Map();
    this.leases = null;
    this.children = null;
    this.pending = null;
    this.isForgotten = false;
  }

  counter(name: string, tags: StatTags | null = null): Counter {
    const whole = joined(name, tags);
    const known = this.known.get(whole);
    if (known !== undefined) return this.sameKind(whole, known, SlabCounter);
    const cells = this.allotNumber(tags === null ? null : this.lease(whole));
    this.register(name, tags, StatKind.Counter, cells, 0);
    const counter = new SlabCounter(cells);
    this.known.set(whole, counter);
    return counter;
  }

  gauge(name: string, combination: GaugeCombination = 'sum', tags: StatTags | null = null): Gauge {
    const whole = joined(name, tags);
    const known = this.known.get(whole);
    if (known !== undefined) return this.sameKind(whole, known, SlabGauge);
    const cells = this.allotNumber(tags === null ? null : this.lease(whole));
    this.register(name, tags, combination === 'sum' ? StatKind.GaugeSum : StatKind.GaugeMax, cells, 0);
    const gauge = new SlabGauge(cells);
    this.known.set(whole, gauge);
    return gauge;
  }

  histogram(name: string, tags: StatTags | null = null): Histogram {
    const whole = joined(name, tags);
    const known = this.known.get(whole);
    if (known !== undefined) return this.sameKind(whole, known, SlabHistogram);
    this.register(name, tags, StatKind.Histogram, null, 0);
    const histogram = new SlabHistogram(this, name, tags);
    this.known.set(whole, histogram);
    return histogram;
  }

  remove(name: string, tags: StatTags): void {
    const whole = joined(name, tags);
    if (!this.known.delete(whole)) return;
    const lease = this.leases?.get(whole) ?? nothing;
    this.leases?.delete(whole);
    this.stats.removed(this.prefix === '' ? whole : `${this.prefix}.${whole}`, lease);
  }

  forget(prefix: string): void {
    const child = this.children?.get(prefix);
    if (child === undefined) return;
    this.children!.delete(prefix);
    child.forgetAll();
  }

  /** Their memory is not given to others: somebody may still count there. */
  private forgetAll(): void {
    this.isForgotten = true;
    for (const child of this.children?.values() ?? []) child.forgetAll();
    for (const whole of this.known.keys()) this.stats.removed(`${this.prefix}.${whole}`, nothing);
  }

  scope(prefix: string): StatsScope {
    this.children ??= new Map();
    const known = this.children.get(prefix);
    if (known !== undefined) return known;
    const child = new WorkerScope(this.stats, this.prefix === '' ? prefix : `${this.prefix}.${prefix}`);
    this.children.set(prefix, child);
    return child;
  }

  hasMoved(name: string, tags: StatTags): boolean {
    return this.leases?.get(joined(name, tags))?.hasMoved() === true;
  }

  /** Cells for one part of a histogram. */
  allotPart(name: string, tags: StatTags | null, part: number): Float64Array {
    const count = cellsOf(part);
    const cells = this.stats.slabs.allot(count);
    if (tags !== null) this.lease(joined(name, tags)).add(cells, count);
    this.register(name, tags, StatKind.Histogram, cells, part);
    return cells.values.subarray(cells.start, cells.start + count);
  }

  takePending(): ScopeRegistrations | null {
    const taken = this.pending;
    this.pending = null;
    return taken;
  }

  private allotNumber(lease: Lease | null): Cells {
    const cells = this.stats.slabs.allot(1);
    cells.values[cells.start] = -0;
    lease?.add(cells, 1);
    return cells;
  }

  private lease(whole: string): Lease {
    this.leases ??= new Map();
    let lease = this.leases.get(whole);
    if (lease === undefined) this.leases.set(whole, (lease = new Lease()));
    return lease;
  }

  private register(name: string, tags: StatTags | null, kind: StatKind, cells: Cells | null, part: number): void {
    if (this.isForgotten) return;
    let pending: Pending | null = this.pending;
    if (pending === null) {
      pending = { prefix: this.prefix, names: [], kinds: [], slabs: [], cells: [], parts: [] };
      this.pending = pending;
      this.stats.changed(this);
    }
    if (tags !== null) (pending.tagged ??= []).push({ at: pending.names.length, name, tags });
    pending.names.push(joined(name, tags));
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
  private gone: string[];
  /** Their memory is given to others when stats are forgotten again: the main thread has been told of these by then. */
  private released: Lease[];

  constructor(publish: StatsPublisher) {
    this.publish = publish;
    this.slabs = new StatsSlabs();
    this.dirty = [];
    this.gone = [];
    this.released = [];
    this.root = new WorkerScope(this, '');
  }

  /** A scope has something to tell. Called by scopes. */
  changed(scope: WorkerScope): void {
    this.wake();
    this.dirty.push(scope);
  }

  /** A stat with this whole name is forgotten. Called by scopes. */
  removed(name: string, lease: Lease): void {
    // What a scope has said before of a stat of this name must not come after this.
    if (this.dirty.length > 0) this.flush();
    if (this.gone.length === 0) {
      for (const earlier of this.released) earlier.release(this.slabs);
      this.released = [];
    }
    this.wake();
    this.gone.push(name);
    this.released.push(lease);
  }

  private wake(): void {
    if (this.dirty.length === 0 && this.gone.length === 0) queueMicrotask(() => this.flush());
  }

  /** Tells the main thread now what it does not know yet. */
  flush(): void {
    if (this.dirty.length === 0 && this.gone.length === 0) return;
    const removed = this.gone;
    this.gone = [];
    const scopes: ScopeRegistrations[] = [];
    for (const scope of this.dirty) {
      const pending = scope.takePending();
      if (pending !== null) scopes.push(pending);
    }
    this.dirty = [];
    this.publish({ slabs: this.slabs.takeNew(), scopes, ...(removed.length > 0 && { removed }) });
  }
}
