import { describe, expect, it } from 'vitest';

import { DEFAULT_STATS_CONFIG } from '../../../../src/observe/stats/stats-data.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

/** A store with two threads; batches go through structuredClone as they would through postMessage. */
function threads(store = new StatsStore()) {
  const open = (name: string) => new WorkerStats((batch) => store.receive(name, structuredClone(batch)));
  return { store, open, a: open('worker_0'), b: open('worker_1') };
}

const valueOf = (store: StatsStore, name: string) =>
  [...store.snapshot().counters, ...store.snapshot().gauges].find((stat) => stat.name === name)?.value;

describe('StatsStore', () => {
  it('adds up the counters and gauges of all threads', () => {
    const { store, a, b } = threads();
    a.root.scope('cluster').scope('up').counter('upstream_rq_total').add(3);
    b.root.scope('cluster.up').counter('upstream_rq_total').inc();
    b.root.gauge('server.live').set(1);
    a.flush();
    b.flush();
    expect(valueOf(store, 'cluster.up.upstream_rq_total')).toBe(4);
    expect(valueOf(store, 'server.live')).toBe(1);
  });

  it('sees later increments without being told', () => {
    const { store, a } = threads();
    const counter = a.root.counter('c');
    a.flush();
    counter.inc();
    counter.inc();
    expect(valueOf(store, 'c')).toBe(2);
  });

  it('hears of new stats by the end of the tick', async () => {
    const { store, a } = threads();
    a.root.counter('c').inc();
    await Promise.resolve();
    expect(valueOf(store, 'c')).toBe(1);
  });

  it('gives the same stat for the same name', () => {
    const { a } = threads();
    expect(a.root.scope('x').counter('c')).toBe(a.root.scope('x').counter('c'));
    expect(() => a.root.scope('x').gauge('c')).toThrow('x.c is asked for as two kinds');
  });

  it('shows the largest of a gauge that every thread sets', () => {
    const { store, a, b } = threads();
    a.root.gauge('membership_total', 'max').set(5);
    b.root.gauge('membership_total', 'max').set(5);
    a.flush();
    b.flush();
    expect(valueOf(store, 'membership_total')).toBe(5);
  });

  it('keeps what an ended thread counted, and not its gauges', () => {
    const { store, a, b, open } = threads();
    for (const thread of [a, b]) {
      thread.root.counter('rq_total').add(10);
      thread.root.gauge('rq_active').inc();
      thread.root.histogram('rq_time').record(7);
      thread.flush();
    }
    store.drop('worker_0');
    const again = open('worker_0');
    again.root.counter('rq_total').inc();
    again.root.gauge('rq_active').inc();
    again.root.histogram('rq_time').record(8);
    again.flush();
    store.flush();
    expect(valueOf(store, 'rq_total')).toBe(21);
    expect(valueOf(store, 'rq_active')).toBe(2);
    expect(store.snapshot().histograms[0].cumulative.bins).toEqual([
      { lower: 7, width: 0.1, count: 2 },
      { lower: 8, width: 0.1, count: 1 },
    ]);
  });

  it('resets counters and nothing else', () => {
    const { store, a } = threads();
    const counter = a.root.counter('c');
    a.root.gauge('g').set(4);
    counter.add(5);
    a.flush();
    store.resetCounters();
    expect(valueOf(store, 'c')).toBe(0);
    counter.inc();
    expect(valueOf(store, 'c')).toBe(1);
    expect(valueOf(store, 'g')).toBe(4);
  });

  it('knows which stats were ever written', () => {
    const { store, a } = threads();
    a.root.counter('never');
    a.root.counter('by nothing').add(0);
    const gauge = a.root.gauge('up and down');
    gauge.inc();
    gauge.dec();
    a.root.gauge('untouched');
    a.flush();
    const used = (list: readonly { name: string; isUsed: boolean }[]) =>
      list.filter((s) => s.isUsed).map((s) => s.name);
    expect(used(store.snapshot().counters)).toEqual(['by nothing']);
    expect(used(store.snapshot().gauges)).toEqual(['up and down']);
  });

  it('gives histograms an interval that ends with each flush', () => {
    const { store, a } = threads();
    const histogram = a.root.histogram('h');
    a.flush();
    for (const value of [0, 5, 55, 104, 104, 12_345]) histogram.record(value);
    a.flush();
    store.flush();
    const first = store.snapshot().histograms[0];
    expect(first.interval.bins).toEqual([
      { lower: 0, width: 0, count: 1 },
      { lower: 5, width: 0.1, count: 1 },
      { lower: 55, width: 1, count: 1 },
      { lower: 100, width: 10, count: 2 },
      { lower: 12_000, width: 1000, count: 1 },
    ]);
    histogram.record(5);
    store.flush();
    const second = store.snapshot().histograms[0];
    expect(second.interval.bins).toEqual([{ lower: 5, width: 0.1, count: 1 }]);
    expect(second.cumulative.count).toBe(7);
    store.flush();
    expect(store.snapshot().histograms[0].interval.count).toBe(0);
    expect(store.snapshot().histograms[0].cumulative.count).toBe(7);
  });

  it('ignores what is no measurement', () => {
    const { store, a } = threads();
    const histogram = a.root.histogram('h');
    histogram.record(-1);
    histogram.record(NaN);
    histogram.record(2.9);
    histogram.record(3e9);
    a.flush();
    store.flush();
    expect(store.snapshot().histograms[0].cumulative.bins.map((bin) => bin.lower)).toEqual([2, 3e9]);
  });

  it('leaves out what the stats matcher refuses and uses the configured buckets', () => {
    const { store, a } = threads(
      new StatsStore({
        ...DEFAULT_STATS_CONFIG,
        matcher: { kind: 'exclude', patterns: [{ kind: 'prefix', value: 'secret.', ignoreCase: false }] },
        histogramBuckets: [{ match: { kind: 'suffix', value: '_ms', ignoreCase: false }, bounds: [1, 2] }],
      }),
    );
    a.root.scope('secret').counter('c').inc();
    a.root.scope('secret').histogram('h').record(1);
    a.root.histogram('connect_ms').record(1);
    a.flush();
    expect(store.snapshot().counters).toEqual([]);
    expect(store.snapshot().histograms.map(({ name, bounds }) => ({ name, bounds }))).toEqual([
      { name: 'connect_ms', bounds: [1, 2] },
    ]);
  });

  it('asks computed gauges when it is read', () => {
    const { store } = threads();
    let uptime = 1;
    store.gaugeFrom('server.uptime', () => uptime);
    uptime = 2;
    expect(valueOf(store, 'server.uptime')).toBe(2);
  });

  describe('lists what nobody has counted yet', () => {
    const names = { counters: ['rq_total', 'rq_timeout'], gauges: ['rq_active'], histograms: ['rq_time'] };
    const withSource = (store: StatsStore): void =>
      store.addSource({
        reportStats: (report) => {
          report.known('cluster.up', names);
          report.gauge('cluster.up.limit_open', 0, false);
          report.gauge('cluster.up.members', 2, true);
        },
      });

    it('as zeros beside what has been counted', () => {
      const { store, a } = threads();
      withSource(store);
      a.root.scope('cluster.up').counter('rq_total').inc();
      a.flush();
      const { counters, gauges, histograms } = store.snapshot();
      expect(counters).toEqual([
        { name: 'cluster.up.rq_timeout', value: 0, isUsed: false },
        { name: 'cluster.up.rq_total', value: 1, isUsed: true },
      ]);
      expect(gauges.map(({ name, value, isUsed }) => [name, value, isUsed])).toEqual([
        ['cluster.up.limit_open', 0, false],
        ['cluster.up.members', 2, true],
        ['cluster.up.rq_active', 0, false],
      ]);
      expect(histograms.map(({ name, isUsed }) => [name, isUsed])).toEqual([['cluster.up.rq_time', false]]);
    });

    it('but not where only what was used is wanted', () => {
      const { store, a } = threads();
      withSource(store);
      a.root.scope('cluster.up').counter('rq_total').inc();
      a.root.scope('cluster.up').counter('rq_cancelled');
      a.root.scope('cluster.up').histogram('rq_time');
      a.flush();
      const { counters, gauges, histograms } = store.snapshot(true);
      expect([...counters, ...gauges, ...histograms].map(({ name }) => name)).toEqual([
        'cluster.up.rq_total',
        'cluster.up.members',
      ]);
    });

    it('and not what the matcher keeps out', () => {
      const exact = { kind: 'suffix', value: 'rq_timeout', ignoreCase: false } as const;
      const { store } = threads(
        new StatsStore({ ...DEFAULT_STATS_CONFIG, matcher: { kind: 'include', patterns: [exact] } }),
      );
      withSource(store);
      const { counters, gauges, histograms } = store.snapshot();
      expect([...counters, ...gauges, ...histograms].map(({ name }) => name)).toEqual(['cluster.up.rq_timeout']);
    });
  });

  it('carries ten thousand stats over several slabs', () => {
    const { store, a } = threads();
    for (let i = 0; i < 10_000; i++) a.root.scope('cluster').counter(`c${i}`).add(i);
    a.flush();
    expect(valueOf(store, 'cluster.c9999')).toBe(9999);
    expect(valueOf(store, 'cluster.c8192')).toBe(8192);
  });
});
