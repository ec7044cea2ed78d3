import { describe, expect, it } from 'vitest';

import { renderStatsJson } from '../../../../src/observe/render/json.ts';
import { formatGeneral, formatInteger } from '../../../../src/observe/render/number.ts';
import { renderPrometheus } from '../../../../src/observe/render/prometheus.ts';
import { parseStatsQuery, selectStats, type StatsQuery } from '../../../../src/observe/render/stats-query.ts';
import { renderStatsText } from '../../../../src/observe/render/text.ts';
import { DEFAULT_STATS_CONFIG } from '../../../../src/observe/stats/stats-data.ts';
import type { StatsSnapshot } from '../../../../src/observe/stats/stats-snapshot.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { TagExtraction } from '../../../../src/observe/stats/tag-extraction.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

/** As on the Envoy that was watched: connections of 1 and 5 ms, then a flush without any. */
function snapshot(): StatsSnapshot {
  const store = new StatsStore({
    ...DEFAULT_STATS_CONFIG,
    histogramBuckets: [
      { match: { kind: 'suffix', value: 'length_ms', ignoreCase: false }, bounds: [0.5, 1, 5, 1_800_000] },
    ],
  });
  const stats = new WorkerStats((batch) => store.receive('main_thread', batch));
  const cluster = stats.root.scope('cluster.up');
  cluster.counter('upstream_rq_200').add(2);
  cluster.counter('upstream_cx_total');
  cluster.gauge('circuit_breakers.default.remaining_cx_pools').set(2 ** 64);
  for (const ms of [1, 5]) cluster.histogram('upstream_cx_length_ms').record(ms);
  cluster.histogram('upstream_rq_time');
  stats.flush();
  store.setText('control_plane.identifier', 'istiod "x"');
  store.flush();
  store.flush();
  return store.snapshot();
}

function query(parameters: string): StatsQuery {
  const parsed = parseStatsQuery(new URLSearchParams(parameters));
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

const text = (parameters: string) => {
  const asked = query(parameters);
  return renderStatsText(selectStats(snapshot(), asked), asked.histograms);
};

describe('text', () => {
  it('texts, then numbers, then histograms, each by name', () => {
    expect(text('')).toBe(
      'control_plane.identifier: "istiod "x""\n' +
        'cluster.up.circuit_breakers.default.remaining_cx_pools: 18446744073709551615\n' +
        'cluster.up.upstream_cx_total: 0\n' +
        'cluster.up.upstream_rq_200: 2\n' +
        'cluster.up.upstream_cx_length_ms: P0(nan,1.05) P25(nan,1.05) P50(nan,1.05) P75(nan,5.05) P90(nan,5.05) ' +
        'P95(nan,5.05) P99(nan,5.05) P99.5(nan,5.05) P99.9(nan,5.05) P100(nan,5.05)\n' +
        'cluster.up.upstream_rq_time: No recorded values\n',
    );
  });

  it.each([
    ['cumulative', ' B0.5(0,0) B1(0,1) B5(0,2) B1.8e+06(0,2)\n'],
    ['disjoint', ' B0.5(0,0) B1(0,1) B5(0,1) B1.8e+06(0,0)\n'],
    [
      'detailed',
      '\n  totals=1,0.1:1, 5,0.1:1\n  intervals=\n  summary=P0(nan,1.05) P25(nan,1.05) P50(nan,1.05) P75(nan,5.05) ' +
        'P90(nan,5.05) P95(nan,5.05) P99(nan,5.05) P99.5(nan,5.05) P99.9(nan,5.05) P100(nan,5.05)\n',
    ],
  ])('histogram_buckets=%s', (view, expected) => {
    expect(text(`type=Histograms&usedonly&histogram_buckets=${view}`)).toBe(
      `cluster.up.upstream_cx_length_ms:${expected}`,
    );
  });

  it('filter, type and usedonly', () => {
    expect(text('filter=rq_\\d&type=Counters')).toBe('cluster.up.upstream_rq_200: 2\n');
    expect(text('usedonly&type=Counters')).toBe('cluster.up.upstream_rq_200: 2\n');
    expect(text('type=TextReadouts')).toBe('control_plane.identifier: "istiod "x""\n');
  });
});

describe('JSON', () => {
  const json = (parameters: string) => {
    const asked = query(parameters);
    return JSON.parse(renderStatsJson(selectStats(snapshot(), asked), asked.histograms));
  };

  it('numbers and quantiles', () => {
    const { stats } = json('usedonly');
    expect(stats.slice(0, 3)).toEqual([
      { name: 'control_plane.identifier', value: 'istiod "x"' },
      { name: 'cluster.up.circuit_breakers.default.remaining_cx_pools', value: 2 ** 64 },
      { name: 'cluster.up.upstream_rq_200', value: 2 },
    ]);
    const { supported_quantiles: supported, computed_quantiles: computed } = stats[3].histograms;
    expect(supported).toEqual([0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]);
    expect(computed[0].name).toBe('cluster.up.upstream_cx_length_ms');
    expect(computed[0].values[0]).toEqual({ cumulative: 1.05, interval: null });
  });

  it('buckets', () => {
    const [{ histograms }] = json('type=Histograms&usedonly&histogram_buckets=disjoint').stats;
    expect(histograms[0].buckets.slice(1, 3)).toEqual([
      { upper_bound: 1, interval: 0, cumulative: 1 },
      { upper_bound: 5, interval: 0, cumulative: 1 },
    ]);
    const [{ histograms: detailed }] = json('type=Histograms&usedonly&histogram_buckets=detailed').stats;
    expect(detailed.details[0].totals).toEqual([
      { lower_bound: 1, width: 0.1, count: 1 },
      { lower_bound: 5, width: 0.1, count: 1 },
    ]);
  });

  it('nothing', () => {
    expect(renderStatsJson({ texts: [], counters: [], gauges: [], histograms: [] })).toBe('{"stats":[]}');
  });
});

describe('Prometheus', () => {
  const tags = new TagExtraction(DEFAULT_STATS_CONFIG);
  const lines = async (parameters: string) => {
    const asked = query(`format=prometheus&${parameters}`);
    const page = (await renderPrometheus(selectStats(snapshot(), asked), tags, asked)).join('');
    return page.split('\n').filter((line) => line !== '' && !line.startsWith('# HELP'));
  };

  it("Envoy's names, labels and buckets", async () => {
    expect(await lines('filter=rq_200|length_ms')).toEqual([
      '# TYPE envoy_cluster_upstream_rq counter',
      'envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="up"} 2',
      '# TYPE envoy_cluster_upstream_cx_length_ms histogram',
      'envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name="up",le="0.5"} 0',
      'envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name="up",le="1"} 1',
      'envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name="up",le="5"} 2',
      'envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name="up",le="1800000"} 2',
      'envoy_cluster_upstream_cx_length_ms_bucket{envoy_cluster_name="up",le="+Inf"} 2',
      'envoy_cluster_upstream_cx_length_ms_sum{envoy_cluster_name="up"} 6.097123998114097',
      'envoy_cluster_upstream_cx_length_ms_count{envoy_cluster_name="up"} 2',
    ]);
  });

  it('summaries tell the last interval, texts are gauges of 1', async () => {
    const summary = await lines('filter=length_ms&histogram_buckets=summary');
    expect(summary).toContain('envoy_cluster_upstream_cx_length_ms{envoy_cluster_name="up",quantile="0.5"} Nan');
    expect(summary).toContain('envoy_cluster_upstream_cx_length_ms_count{envoy_cluster_name="up"} 0');
    expect(await lines('filter=identifier&text_readouts')).toEqual([
      '# TYPE envoy_control_plane_identifier gauge',
      'envoy_control_plane_identifier{text_value="istiod \\"x\\""} 1',
    ]);
  });
});

describe('parseStatsQuery', () => {
  it.each([
    ['type=foo', 'invalid &type= param'],
    ['format=foo', 'usage: /stats?format=(json|prometheus|text)\n\n'],
    ['histogram_buckets=x', 'usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary)\n'],
    ['format=prometheus&histogram_buckets=disjoint', 'unsupported prometheus histogram bucket mode'],
  ])('%s', (parameters, expected) => {
    expect(parseStatsQuery(new URLSearchParams(parameters))).toBe(expected);
  });

  it('a filter that is no regular expression', () => {
    expect(parseStatsQuery(new URLSearchParams('filter=('))).toMatch(/^Invalid re2 regex: /);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.5, '0.5'],
    [10_000, '10000'],
    [600_000, '600000'],
    [1_800_000, '1.8e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [99.5, '99.5'],
    [NaN, 'nan'],
  ])('%%g of %d', (value, expected) => {
    expect(formatGeneral(value)).toBe(expected);
  });

  it('integers never have an exponent', () => {
    expect(formatInteger(1e21)).toBe('18446744073709551615');
    expect(formatInteger(2 ** 60)).toBe('1152921504606846976');
    expect(formatInteger(-3)).toBe('-3');
  });
});
