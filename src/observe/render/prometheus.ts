import { setImmediate as nextTurn } from 'node:timers/promises';

import { Registry, type Metric, type MetricType } from 'prom-client';

import { QUANTILES, type HistogramSummary } from '../stats/histogram-summary.ts';
import type { HistogramReading, StatsSnapshot } from '../stats/stats-snapshot.ts';
import type { Tag, TagExtraction, TaggedName } from '../stats/tag-extraction.ts';
import type { HistogramView } from './stats-query.ts';

type Labels = Record<string, string | number>;

interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

interface PrometheusOptions {
  /** `summary` gives quantiles of the last interval; anything else cumulative buckets. */
  readonly histograms: HistogramView;
  /** Texts become gauges with the value 1 and a label `text_value`. */
  readonly textReadouts: boolean;
}

/**
 * `/stats/prometheus`: Envoy's names (`envoy_…`) and labels, printed by prom-client, a piece per metric. There may be a
 * hundred thousand samples: only one metric's are made at a time, and other work comes in between.
 */
export async function renderPrometheus(
  snapshot: StatsSnapshot,
  tags: TagExtraction,
  options: PrometheusOptions = { histograms: 'quantiles', textReadouts: false },
): Promise<string[]> {
  const families = new Families(tags);
  for (const { name, value, tagged } of snapshot.counters) families.add('counter', name, value, tagged);
  for (const { name, value, tagged } of snapshot.gauges) families.add('gauge', name, value, tagged);
  if (options.textReadouts) for (const { name, value } of snapshot.texts) families.add('gauge', name, value);
  const isSummary = options.histograms === 'summary';
  for (const histogram of snapshot.histograms) {
    families.add(isSummary ? 'summary' : 'histogram', histogram.name, histogram, histogram.tagged);
  }
  return families.print();
}

/** Adds a sample to a family; `suffix` and further labels for the lines of a histogram. */
type Adder = (labels: Labels, value: number, suffix?: string) => void;

/** A stat as it stands in its family: a number, a text, or a histogram. */
type Reading = number | string | HistogramReading;

/** All stats of one name, told apart by their tags. Index i of both arrays is one stat. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly tags: (readonly Tag[])[];
  readonly readings: Reading[];
}

class Families {
  private readonly extraction: TagExtraction;
  private readonly byName: Map<string, Family>;

  constructor(extraction: TagExtraction) {
    this.extraction = extraction;
    this.byName = new Map();
  }

  /** `known`: where its tags stand apart from its name. */
  add(type: string, statName: string, reading: Reading, known?: TaggedName): void {
    const tagged = known ?? this.extraction.extract(statName);
    const name = metricName(tagged.name);
    let family = this.byName.get(name);
    if (family === undefined) {
      family = { name, type, help: `${type} ${tagged.name}`, tags: [], readings: [] };
      this.byName.set(name, family);
    }
    family.tags.push(tagged.tags);
    family.readings.push(reading);
  }

  async print(): Promise<string[]> {
    const pieces: string[] = [];
    for (const family of this.byName.values()) {
      const registry = new Registry();
      registry.registerMetric(new FamilyMetric(family) as unknown as Metric);
      // An empty line between metrics, as prom-client has it.
      if (pieces.length > 0) pieces.push('\n');
      pieces.push(await registry.metrics());
      await nextTurn();
    }
    return pieces;
  }
}

/** What prom-client's registry needs of a metric. */
class FamilyMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  private readonly family: Family;

  constructor(family: Family) {
    this.name = family.name;
    this.help = family.help;
    this.type = family.type as unknown as MetricType;
    this.family = family;
  }

  get(): Promise<Omit<Family, 'tags' | 'readings'> & { readonly values: Sample[] }> {
    const { name, help, type, tags, readings } = this.family;
    const values: Sample[] = [];
    const add: Adder = (labels, value, suffix = '') => values.push({ metricName: name + suffix, labels, value });
    for (const [i, reading] of readings.entries()) addReading(add, labelsOf(tags[i]), reading, type);
    return Promise.resolve({ name, help, type, values });
  }
}

function addReading(add: Adder, labels: Labels, reading: Reading, type: string): void {
  if (typeof reading === 'number') add(labels, reading);
  else if (typeof reading === 'string') add({ ...labels, text_value: reading }, 1);
  else if (type === 'summary') addQuantiles(add, labels, reading.interval);
  else addBuckets(add, labels, reading);
}

function addBuckets(add: Adder, labels: Labels, { bounds, cumulative }: HistogramReading): void {
  const counts = cumulative.cumulative(bounds);
  for (let i = 0; i < bounds.length; i++) add({ ...labels, le: bounds[i] }, counts[i], '_bucket');
  add({ ...labels, le: '+Inf' }, cumulative.count, '_bucket');
  addTotals(add, labels, cumulative);
}

function addQuantiles(add: Adder, labels: Labels, interval: HistogramSummary): void {
  const values = interval.quantiles();
  for (let i = 0; i < QUANTILES.length; i++) add({ ...labels, quantile: QUANTILES[i] }, values[i]);
  addTotals(add, labels, interval);
}

function addTotals(add: Adder, labels: Labels, { sum, count }: HistogramSummary): void {
  add(labels, sum, '_sum');
  add(labels, count, '_count');
}

function labelsOf(tags: readonly Tag[]): Labels {
  const labels: Labels = {};
  for (const { name, value } of tags) labels[sanitize(name)] = value;
  return labels;
}

/** Names of Istio's own namespace have it taken off, and no prefix: they are what its dashboards ask for. */
const ownNamespace = 'istiocustom.';

function metricName(name: string): string {
  return name.startsWith(ownNamespace) ? sanitize(name.slice(ownNamespace.length)) : `envoy_${sanitize(name)}`;
}

function sanitize(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}
