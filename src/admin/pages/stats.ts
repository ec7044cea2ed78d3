import { renderStatsJson } from '../../observe/render/json.ts';
import { parseStatsQuery, selectStats, type StatsFormat } from '../../observe/render/stats-query.ts';
import { renderStatsText } from '../../observe/render/text.ts';
import type { AdminSource } from '../admin-source.ts';
import { text, type Page, type PageResponse } from '../page.ts';

/** `/stats`. */
export const statsPage: Page = ({ query }, source) => show(query, source);

/** `/stats/prometheus`. */
export const prometheusPage: Page = ({ query }, source) => show(query, source, 'prometheus');

async function show(parameters: URLSearchParams, source: AdminSource, format?: StatsFormat): Promise<PageResponse> {
  const query = parseStatsQuery(parameters, format);
  if (typeof query === 'string') return text(query, 400);
  const stats = selectStats(source.stats(), query);
  if (query.format === 'json') return text(renderStatsJson(stats, query.histograms), 200, 'application/json');
  if (query.format === 'text') return text(renderStatsText(stats, query.histograms));
  // prom-client is loaded when Prometheus first asks.
  const { renderPrometheus } = await import('../../observe/render/prometheus.ts');
  const { histograms, textReadouts } = query;
  return text(await renderPrometheus(stats, source.tags, { histograms, textReadouts }));
}

/** Envoy counts look-ups of stat names while that is switched on; here names are resolved when configuration is built. */
export const recentLookupsPage: Page = () =>
  text('Lookup tracking is not enabled. sekisho resolves stat names once.\n\ntotal: 0\n');
