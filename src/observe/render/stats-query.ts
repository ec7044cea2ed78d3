import { re2 } from '../../core/re2.ts';

import type { StatsSnapshot } from '../stats/stats-snapshot.ts';

export type StatsFormat = 'text' | 'json' | 'prometheus';
type StatsType = 'All' | 'Counters' | 'Gauges' | 'Histograms' | 'TextReadouts';
/** Absent in the query: quantiles in text and JSON, cumulative buckets for Prometheus. */
export type HistogramView = 'quantiles' | 'cumulative' | 'disjoint' | 'detailed' | 'summary';

/** What a reader of `/stats` asks for. */
export interface StatsQuery {
  readonly format: StatsFormat;
  readonly type: StatsType;
  readonly histograms: HistogramView;
  readonly usedOnly: boolean;
  readonly textReadouts: boolean;
  readonly matches: ((name: string) => boolean) | null;
}

const TYPES: readonly StatsType[] = ['All', 'Counters', 'Gauges', 'Histograms', 'TextReadouts'];
const VIEWS = new Map<string | null, HistogramView>([
  [null, 'quantiles'],
  ['', 'quantiles'],
  ['none', 'quantiles'],
  ['cumulative', 'cumulative'],
  ['disjoint', 'disjoint'],
  ['detailed', 'detailed'],
  ['summary', 'summary'],
]);

/** Reads the query parameters of `/stats`; a string is the sentence to answer with status 400. */
export function parseStatsQuery(parameters: URLSearchParams, format?: StatsFormat): StatsQuery | string {
  const wanted = format ?? parameters.get('format') ?? 'text';
  if (wanted !== 'text' && wanted !== 'json' && wanted !== 'prometheus')
    return 'usage: /stats?format=(json|prometheus|text)\n\n';
  const type = (parameters.get('type') ?? 'All') as StatsType;
  if (!TYPES.includes(type)) return 'invalid &type= param';
  const view = VIEWS.get(parameters.get('histogram_buckets'));
  if (view === undefined) return 'usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary)\n';
  if (wanted === 'prometheus' && (view === 'disjoint' || view === 'detailed'))
    return 'unsupported prometheus histogram bucket mode';
  const filter = parameters.get('filter');
  let matches: StatsQuery['matches'] = null;
  if (filter !== null && filter !== '') {
    try {
      const regex = re2().RE2JS.compile(filter);
      matches = (name) => regex.matcher(name).find();
    } catch (error) {
      return `Invalid re2 regex: ${(error as Error).message}`;
    }
  }
  return {
    format: wanted,
    type,
    histograms: view,
    usedOnly: parameters.has('usedonly'),
    textReadouts: parameters.has('text_readouts'),
    matches,
  };
}

/** The part of the snapshot that the query asks for. */
export function selectStats(snapshot: StatsSnapshot, query: StatsQuery): StatsSnapshot {
  const { type, usedOnly, matches } = query;
  const wants = (one: StatsType) => type === 'All' || type === one;
  const shows = (stat: { readonly name: string; readonly isUsed: boolean }) =>
    (!usedOnly || stat.isUsed) && (matches === null || matches(stat.name));
  return {
    texts: wants('TextReadouts')
      ? snapshot.texts.filter(({ name, value }) => shows({ name, isUsed: value !== '' }))
      : [],
    counters: wants('Counters') ? snapshot.counters.filter(shows) : [],
    gauges: wants('Gauges') ? snapshot.gauges.filter(shows) : [],
    histograms: wants('Histograms') ? snapshot.histograms.filter(shows) : [],
  };
}

/** Counters and gauges in one list by name, as `/stats` shows them. Both lists are sorted. */
export function mergeNumbers(snapshot: StatsSnapshot): StatsSnapshot['counters'] {
  const { counters, gauges } = snapshot;
  const merged: StatsSnapshot['counters'][number][] = [];
  let g = 0;
  for (const counter of counters) {
    while (g < gauges.length && gauges[g].name < counter.name) merged.push(gauges[g++]);
    merged.push(counter);
  }
  while (g < gauges.length) merged.push(gauges[g++]);
  return merged;
}
