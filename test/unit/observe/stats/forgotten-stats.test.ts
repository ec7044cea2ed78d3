import { describe, expect, it } from 'vitest';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

describe('a scope that is forgotten', () => {
  it('is listed no more, and whoever still counts there counts for nobody', () => {
    const store = new StatsStore();
    const stats = new WorkerStats((batch) => store.receive('worker_0', batch));
    const { root } = stats;
    const clusters = root.scope('cluster');
    const counter = clusters.scope('a').counter('upstream_rq_total');
    const histogram = clusters.scope('a').histogram('upstream_rq_time');
    const codes = clusters.scope('a').scope('external');
    codes.counter('upstream_rq_200').inc();
    clusters.scope('b').counter('upstream_rq_total').inc();
    counter.inc();
    stats.flush();
    clusters.forget!('a');
    clusters.scope('a').counter('upstream_rq_total').add(3);
    counter.inc();
    histogram.record(1);
    codes.counter('upstream_rq_503').inc();
    stats.flush();
    const { counters, histograms } = store.snapshot();
    expect(counters.map(({ name, value }) => `${name} ${value}`)).toEqual([
      'cluster.a.upstream_rq_total 3',
      'cluster.b.upstream_rq_total 1',
    ]);
    expect(histograms).toEqual([]);
  });
});
