import { renderStatsJson } from '../../observe/render/json.ts';
import { parseStatsQuery, selectStats, type StatsFormat } from '../../observe/render/stats-query.ts';
import { renderStatsText } from '../../observe/render/text.ts';
import type { AdminSource } from '../admin-source.ts';
import { escapeHtml, html, text, type Page, type PageResponse } from '../page.ts';

/** `/stats`. */
export const statsPage: Page = ({ query }, source) => show(query, source);

/** `/stats/prometheus`. */
export const prometheusPage: Page = ({ query }, source) => show(query, source, 'prometheus');

const formats = ['html', 'active-html', 'json', 'prometheus', 'text'];

async function show(parameters: URLSearchParams, source: AdminSource, format?: StatsFormat): Promise<PageResponse> {
  const wanted = format ?? parameters.get('format') ?? 'text';
  if (!formats.includes(wanted)) return text(`usage: /stats?format=(${formats.join('|')})\n\n`, 400);
  const isHtml = wanted === 'html' || wanted === 'active-html';
  const query = parseStatsQuery(parameters, isHtml ? 'text' : (wanted as StatsFormat));
  if (typeof query === 'string') return text(query, 400);
  const stats = selectStats(source.stats(query.usedOnly), query);
  if (isHtml) return html(framed(renderStatsText(stats, query.histograms), wanted === 'active-html'));
  if (query.format === 'json') return text(renderStatsJson(stats, query.histograms), 200, 'application/json');
  if (query.format === 'text') return text(renderStatsText(stats, query.histograms));
  // prom-client is loaded when Prometheus first asks.
  const { renderPrometheus } = await import('../../observe/render/prometheus.ts');
  const { histograms, textReadouts } = query;
  return text(await renderPrometheus(stats, source.tags, { histograms, textReadouts }));
}

/** The text for a browser; the active one comes anew every five seconds, as often as Envoy's default flush. */
function framed(stats: string, isActive: boolean): string {
  const refresh = isActive ? '<meta http-equiv="refresh" content="5">' : '';
  const head = `<meta charset="UTF-8"><title>sekisho stats</title>${refresh}`;
  return `<!DOCTYPE html>\n<html lang="en"><head>${head}</head><body><pre>\n${escapeHtml(stats)}</pre></body></html>\n`;
}

/** Envoy counts look-ups of stat names while that is switched on; here names are resolved when configuration is built. */
export const recentLookupsPage: Page = () =>
  text('Lookup tracking is not enabled. sekisho resolves stat names once.\n\ntotal: 0\n');
