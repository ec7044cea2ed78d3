import { expect, test } from 'vitest';
import { CodeStats } from '../../../../src/observe/stats/code-stats.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

/** Counters below `cluster.c` after `statuses` were recorded. */
function counted(...statuses: number[]): Record<string, number> {
  const store = new StatsStore();
  const worker = new WorkerStats((batch) => store.receive('worker_0', structuredClone(batch)));
  const codes = new CodeStats(worker.root.scope('cluster').scope('c'));
  for (const status of statuses) codes.record(status);
  worker.flush();
  return Object.fromEntries(store.snapshot().counters.map(({ name, value }) => [name, value]));
}

test('a status counts as itself, in its class, and as completed', () => {
  expect(counted(200, 204, 200, 503)).toEqual({
    'cluster.c.upstream_rq_completed': 4,
    'cluster.c.upstream_rq_2xx': 3,
    'cluster.c.upstream_rq_200': 2,
    'cluster.c.upstream_rq_204': 1,
    'cluster.c.upstream_rq_5xx': 1,
    'cluster.c.upstream_rq_503': 1,
  });
});

test('what has not occurred has no stat yet', () => {
  expect(counted()).toEqual({ 'cluster.c.upstream_rq_completed': 0 });
});

test.each([
  [100, '1xx'],
  [399, '3xx'],
  [400, '4xx'],
  [599, '5xx'],
])('%s is %s', (status, name) => {
  expect(counted(status)[`cluster.c.upstream_rq_${name}`]).toBe(1);
});

test('statuses above 599 have no class', () => {
  expect(counted(600, 999)).toEqual({
    'cluster.c.upstream_rq_completed': 2,
    'cluster.c.upstream_rq_600': 1,
    'cluster.c.upstream_rq_999': 1,
  });
});
