import { Registry, type Metric, type MetricType } from 'prom-client';

import { QUANTILES, type HistogramSummary } from '../histogram-summary.ts';
import type { HistogramReading, StatsSnapshot } from '../stats-snapshot.ts';
import type { Tag, TagExtraction } from '../tag-extraction.ts';
import type { HistogramView } from './stats-query.ts';

type Labels = Record<string, string | number>;

interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/** All samples of one name, in the shape in which prom-client's registry asks for them. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: Sample[];
}

interface PrometheusOptions {
  /** `summary` gives quantiles of the last interval; anything else cumulative buckets. */
  readonly histograms: HistogramView;
  /** Texts become gauges with the value 1 and a label `text_value`. */
  readonly textReadouts: boolean;
}

/** `/stats/prometheus`: Envoy's names (`envoy_…`) and labels, printed by prom-client. */
export async function renderPrometheus(
  snapshot: StatsSnapshot,
  tags: TagExtraction,
  options: PrometheusOptions = { histograms: 'quantiles', textReadouts: false },
): Promise<string> {
  const families = new Families(tags);
  for (const { name, value } of snapshot.counters)
    families.add('counter', name, (family, labels) => family(labels, value));
  for (const { name, value } of snapshot.gauges) families.add('gauge', name, (family, labels) => family(labels, value));
  if (options.textReadouts) {
    for (const { name, value } of snapshot.texts)
      families.add('gauge', name, (family, labels) => family({ ...labels, text_value: value }, 1));
  }
  const isSummary = options.histograms === 'summary';
  for (const histogram of snapshot.histograms) {
    families.add(isSummary ? 'summary' : 'histogram', histogram.name, (family, labels) => {
      if (isSummary) addQuantiles(family, labels, histogram.interval);
      else addBuckets(family, labels, histogram);
    });
  }
  return families.print();
}

/** Adds a sample to a family; `suffix` and further labels for the lines of a histogram. */
type Adder = (labels: Labels, value: number, suffix?: string) => void;

class Families {
  private readonly tags: TagExtraction;
  private readonly byName: Map<string, Family>;

  constructor(tags: TagExtraction) {
    this.tags = tags;
    this.byName = new Map();
  }

  add(type: string, statName: string, fill: (add: Adder, labels: Labels) => void): void {
    const tagged = this.tags.extract(statName);
    const name = `envoy_${sanitize(tagged.name)}`;
    let family = this.byName.get(name);
    if (family === undefined) {
      family = { name, type, help: `${type} ${tagged.name}`, values: [] };
      this.byName.set(name, family);
    }
    const { values } = family;
    fill(
      (labels, value, suffix = '') => values.push({ metricName: name + suffix, labels, value }),
      labelsOf(tagged.tags),
    );
  }

  print(): Promise<string> {
    const registry = new Registry();
    for (const family of this.byName.values()) registry.registerMetric(new FamilyMetric(family) as unknown as Metric);
    return this.byName.size === 0 ? Promise.resolve('') : registry.metrics();
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

  get(): Promise<Family> {
    return Promise.resolve(this.family);
  }
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

function sanitize(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}
