import { cellsOf } from './histogram-bins.ts';
import { BinCounts, DEFAULT_BUCKETS, HistogramSummary } from './histogram-summary.ts';
import { buildNameMatcher, buildStatsMatcher, type NamePredicate } from './stat-name-matcher.ts';
import { DEFAULT_STATS_CONFIG, type StatsConfigData } from './stats-data.ts';
import type { StatTags } from './stats.ts';
import { StatKind, type ScopeRegistrations, type StatsBatch } from './stats-slab.ts';
import type { HistogramReading, NumberReading, StatsSnapshot, TextReading } from './stats-snapshot.ts';
import type { StatNames, StatsReport, StatsSource } from './stats-source.ts';
import type { TaggedName } from './tag-extraction.ts';

interface Owner {
  readonly name: string;
  readonly slabs: Float64Array[];
}

/** Where one thread keeps a number; a list, since there are as many of these as stats × threads. */
class Cell {
  readonly owner: Owner;
  readonly slab: Float64Array;
  readonly index: number;
  readonly next: Cell | null;

  constructor(owner: Owner, slab: Float64Array, index: number, next: Cell | null) {
    this.owner = owner;
    this.slab = slab;
    this.index = index;
    this.next = next;
  }
}

/** One number and the cells, one or more per thread, that it is made of. */
class NumberStat {
  readonly name: string;
  readonly kind: StatKind;
  readonly tagged: TaggedName | undefined;
  cells: Cell | null;
  /** What threads that have ended had counted. */
  retired: number;
  /** Subtracted since `reset_counters`: only the writer may write a cell. */
  baseline: number;
  wasUsed: boolean;

  constructor(name: string, kind: StatKind, tagged?: TaggedName) {
    this.name = name;
    this.kind = kind;
    this.tagged = tagged;
    this.cells = null;
    this.retired = 0;
    this.baseline = 0;
    this.wasUsed = false;
  }

  get total(): number {
    let total = this.retired;
    const isMax = this.kind === StatKind.GaugeMax;
    for (let cell = this.cells; cell !== null; cell = cell.next) {
      const value = cell.slab[cell.index];
      if (isMax) total = Math.max(total, value);
      else total += value;
    }
    return total;
  }

  get isUsed(): boolean {
    if (this.wasUsed) return true;
    for (let cell = this.cells; cell !== null; cell = cell.next) {
      if (!Object.is(cell.slab[cell.index], -0)) return true;
    }
    return false;
  }

  /** A thread has ended: a counter keeps what it had counted, a gauge does not. */
  drop(owner: Owner): void {
    this.wasUsed = this.isUsed;
    let kept: Cell | null = null;
    for (let cell = this.cells; cell !== null; cell = cell.next) {
      if (cell.owner !== owner) kept = new Cell(cell.owner, cell.slab, cell.index, kept);
      else if (this.kind === StatKind.Counter) this.retired += cell.slab[cell.index];
    }
    this.cells = kept;
  }
}

interface HistogramPart {
  readonly owner: Owner;
  readonly part: number;
  readonly cells: Float64Array;
}

const EMPTY_SUMMARY = new HistogramSummary([]);

class HistogramStat {
  readonly name: string;
  readonly bounds: readonly number[];
  readonly tagged: TaggedName | undefined;
  parts: HistogramPart[];
  readonly retired: BinCounts;
  flushed: BinCounts | null;
  cumulative: HistogramSummary;
  interval: HistogramSummary;

  constructor(name: string, bounds: readonly number[], tagged?: TaggedName) {
    this.name = name;
    this.bounds = bounds;
    this.tagged = tagged;
    this.parts = [];
    this.retired = new BinCounts();
    this.flushed = null;
    this.cumulative = EMPTY_SUMMARY;
    this.interval = EMPTY_SUMMARY;
  }

  flush(): void {
    if (this.parts.length === 0 && this.flushed === null && this.retired.parts.length === 0) return;
    const counts = new BinCounts();
    counts.addAll(this.retired);
    for (const { part, cells } of this.parts) counts.addPart(part, cells);
    this.interval = new HistogramSummary(counts.since(this.flushed).bins());
    if (this.interval.count > 0) this.cumulative = new HistogramSummary(counts.bins());
    this.flushed = counts;
  }

  drop(owner: Owner): void {
    for (const { owner: of, part, cells } of this.parts) if (of === owner) this.retired.addPart(part, cells);
    this.parts = this.parts.filter((part) => part.owner !== owner);
  }
}

/**
 * All stats of the process, on the main thread. Threads announce names and shared memory in batches; reading adds their
 * cells up without asking them. A thread that ended leaves its counts and takes its gauges with it.
 */
export class StatsStore {
  private readonly accepts: NamePredicate;
  private readonly buckets: readonly { readonly matches: NamePredicate; readonly bounds: readonly number[] }[];
  private readonly owners: Map<string, Owner>;
  private readonly numbers: Map<string, NumberStat>;
  private readonly histograms: Map<string, HistogramStat>;
  private readonly computed: Map<string, () => number>;
  private readonly sources: StatsSource[];
  private readonly texts: Map<string, string>;

  constructor(config: StatsConfigData = DEFAULT_STATS_CONFIG) {
    this.accepts = buildStatsMatcher(config.matcher);
    this.buckets = config.histogramBuckets.map(({ match, bounds }) => ({ matches: buildNameMatcher(match), bounds }));
    this.owners = new Map();
    this.numbers = new Map();
    this.histograms = new Map();
    this.computed = new Map();
    this.sources = [];
    this.texts = new Map();
  }

  /** Takes a batch of the thread `owner` (`worker_0`, `main_thread`). */
  receive(ownerName: string, batch: StatsBatch): void {
    let owner = this.owners.get(ownerName);
    if (owner === undefined) {
      owner = { name: ownerName, slabs: [] };
      this.owners.set(ownerName, owner);
    }
    for (const slab of batch.slabs) owner.slabs.push(new Float64Array(slab));
    for (const name of batch.removed ?? []) this.remove(owner, name);
    for (const scope of batch.scopes) this.register(owner, scope);
  }

  /** The thread has ended. The same name may come again, with new memory. */
  drop(ownerName: string): void {
    const owner = this.owners.get(ownerName);
    if (owner === undefined) return;
    this.owners.delete(ownerName);
    for (const stat of this.numbers.values()) stat.drop(owner);
    for (const stat of this.histograms.values()) stat.drop(owner);
  }

  /** A gauge that is asked for when it is read: uptime, memory. */
  gaugeFrom(name: string, read: () => number): void {
    if (this.accepts(name)) this.computed.set(name, read);
  }

  /** What is asked for more whenever stats are read. */
  addSource(source: StatsSource): void {
    this.sources.push(source);
  }

  /** A text readout, e.g. `control_plane.identifier`. */
  setText(name: string, value: string): void {
    if (this.accepts(name)) this.texts.set(name, value);
  }

  removeText(name: string): void {
    this.texts.delete(name);
  }

  /** Ends the interval of every histogram. To be called every `stats_flush_interval`. */
  flush(): void {
    for (const histogram of this.histograms.values()) histogram.flush();
  }

  /** Every counter is 0 again. Histograms and gauges stay, as in Envoy. */
  resetCounters(): void {
    for (const stat of this.numbers.values()) if (stat.kind === StatKind.Counter) stat.baseline = stat.total;
  }

  /** `usedOnly` leaves out what was never used, which is most of it where there are many clusters. */
  snapshot(usedOnly = false): StatsSnapshot {
    const collected = new Collected(
      this.accepts,
      this.numbers,
      this.histograms,
      (name) => this.boundsOf(name),
      usedOnly,
    );
    const { counters, gauges, histograms } = collected;
    for (const stat of this.numbers.values()) {
      const { name, isUsed, tagged } = stat;
      if (usedOnly && !isUsed) continue;
      const list = stat.kind === StatKind.Counter ? counters : gauges;
      list.push({ name, value: stat.total - stat.baseline, isUsed, tagged });
    }
    for (const [name, read] of this.computed) gauges.push({ name, value: read(), isUsed: true });
    for (const { name, bounds, cumulative, interval, tagged } of this.histograms.values()) {
      const isUsed = cumulative.count > 0;
      if (isUsed || !usedOnly) histograms.push({ name, bounds, cumulative, interval, isUsed, tagged });
    }
    for (const source of this.sources) source.reportStats(collected);
    const texts: TextReading[] = Array.from(this.texts, ([name, value]) => ({ name, value }));
    return {
      texts: texts.sort(byName),
      counters: counters.sort(byName),
      gauges: gauges.sort(byName),
      histograms: histograms.sort(byName),
    };
  }

  private register(owner: Owner, scope: ScopeRegistrations): void {
    const { prefix, tagged = [] } = scope;
    let nextTagged = 0;
    for (let i = 0; i < scope.names.length; i++) {
      const name = prefix === '' ? scope.names[i] : `${prefix}.${scope.names[i]}`;
      const kind = scope.kinds[i];
      const slab = scope.slabs[i] < 0 ? null : owner.slabs[scope.slabs[i]];
      const tags = tagged[nextTagged]?.at === i ? taggedName(prefix, tagged[nextTagged++]) : undefined;
      if (kind === StatKind.Histogram) {
        const stat = this.histogramOf(name, tags);
        if (stat === null || slab === null) continue;
        const cell = scope.cells[i];
        const part = scope.parts[i];
        stat.parts.push({ owner, part, cells: slab.subarray(cell, cell + cellsOf(part)) });
      } else this.registerNumber(name, tags, kind, owner, slab!, scope.cells[i]);
    }
  }

  private registerNumber(
    name: string,
    tagged: TaggedName | undefined,
    kind: StatKind,
    owner: Owner,
    slab: Float64Array,
    cell: number,
  ): void {
    let stat = this.numbers.get(name);
    if (stat === undefined) {
      if (!this.accepts(name)) return;
      stat = new NumberStat(name, kind, tagged);
      this.numbers.set(name, stat);
    }
    stat.cells = new Cell(owner, slab, cell, stat.cells);
  }

  /** Null: it is not wanted. */
  private histogramOf(name: string, tagged: TaggedName | undefined): HistogramStat | null {
    let stat = this.histograms.get(name);
    if (stat === undefined) {
      if (!this.accepts(name)) return null;
      stat = new HistogramStat(name, this.boundsOf(name), tagged);
      this.histograms.set(name, stat);
    }
    return stat;
  }

  /** A thread has forgotten it: what it had counted stays as long as another thread counts. */
  private remove(owner: Owner, name: string): void {
    const number = this.numbers.get(name);
    number?.drop(owner);
    if (number?.cells === null) this.numbers.delete(name);
    const histogram = this.histograms.get(name);
    histogram?.drop(owner);
    if (histogram?.parts.length === 0) this.histograms.delete(name);
  }

  private boundsOf(name: string): readonly number[] {
    return this.buckets.find(({ matches }) => matches(name))?.bounds ?? DEFAULT_BUCKETS;
  }
}

function taggedName(prefix: string, { name, tags }: { readonly name: string; readonly tags: StatTags }): TaggedName {
  const found = [];
  for (let i = 0; i < tags.length; i += 2) found.push({ name: tags[i], value: tags[i + 1] });
  return { name: prefix === '' ? name : `${prefix}.${name}`, tags: found };
}

/** A snapshot in the making. */
class Collected implements StatsReport {
  readonly counters: NumberReading[];
  readonly gauges: NumberReading[];
  readonly histograms: HistogramReading[];
  private readonly accepts: NamePredicate;
  private readonly numbers: ReadonlyMap<string, NumberStat>;
  private readonly kept: ReadonlyMap<string, HistogramStat>;
  private readonly boundsOf: (name: string) => readonly number[];
  private readonly usedOnly: boolean;

  constructor(
    accepts: NamePredicate,
    numbers: ReadonlyMap<string, NumberStat>,
    kept: ReadonlyMap<string, HistogramStat>,
    boundsOf: (name: string) => readonly number[],
    usedOnly: boolean,
  ) {
    this.counters = [];
    this.gauges = [];
    this.histograms = [];
    this.accepts = accepts;
    this.numbers = numbers;
    this.kept = kept;
    this.boundsOf = boundsOf;
    this.usedOnly = usedOnly;
  }

  known(prefix: string, names: StatNames): void {
    if (this.usedOnly) return;
    this.addZeros(this.counters, prefix, names.counters);
    this.addZeros(this.gauges, prefix, names.gauges);
    for (const last of names.histograms) {
      const name = `${prefix}.${last}`;
      if (this.kept.has(name) || !this.accepts(name)) continue;
      const nothing = { cumulative: EMPTY_SUMMARY, interval: EMPTY_SUMMARY, isUsed: false };
      this.histograms.push({ name, bounds: this.boundsOf(name), ...nothing });
    }
  }

  gauge(name: string, value: number, isUsed: boolean): void {
    if ((isUsed || !this.usedOnly) && this.accepts(name)) this.gauges.push({ name, value, isUsed });
  }

  private addZeros(list: NumberReading[], prefix: string, names: readonly string[]): void {
    for (const last of names) {
      const name = `${prefix}.${last}`;
      if (!this.numbers.has(name) && this.accepts(name)) list.push({ name, value: 0, isUsed: false });
    }
  }
}

/** Envoy sorts by bytes; names are ASCII, so UTF-16 order is the same. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
