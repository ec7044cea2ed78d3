import { describe, expect, it } from 'vitest';
import { RuntimeValues } from '../../../../src/control/runtime-view.ts';
import { allotBreakerSlots, ClusterBreakers, reportBreakers } from '../../../../src/cluster/limit/circuit-breaker.ts';
import type { BreakerData } from '../../../../src/cluster/cluster-data.ts';
import { SharedNumberDirectory, SharedNumbers } from '../../../../src/observe/limit/shared-limit.ts';
import { breaker, clusterData, runtimeOf } from '../cluster-fixture.ts';
import { CollectedStats } from '../collected-stats.ts';
import { MemoryNetwork } from '../memory-network.ts';

function build(change: Partial<BreakerData>) {
  const directory = new SharedNumberDirectory();
  const runtime = new RuntimeValues();
  const breakerSlots = allotBreakerSlots(directory, 'c');
  const data = clusterData({ breakerSlots, breakers: [{ ...breaker, ...change }, breaker] });
  const workers = ['worker_0', 'worker_1'].map(
    (name) => new ClusterBreakers(data, 0, new SharedNumbers(directory.join(name)), runtime, new MemoryNetwork()),
  );
  const collect = () =>
    new CollectedStats({ reportStats: (report) => reportBreakers(data, 'c', directory, runtime, report) }).gauges;
  const gauges = () =>
    Object.fromEntries(Array.from(collect(), ([name, { value }]) => [name.slice('c.'.length), value]));
  const used = () => Array.from(collect()).flatMap(([name, { isUsed }]) => (isUsed ? name : []));
  const set = (keys: Record<string, string>) => {
    runtime.update(runtimeOf(keys));
    for (const worker of workers) worker.update(runtime);
  };
  return { directory, workers, gauges, used, set };
}

describe('circuit breakers', () => {
  it('hold for all workers together', () => {
    const { workers } = build({ maxRequests: 2 });
    const [here, there] = workers.map(({ requests }) => requests);
    here.inc();
    expect(there.canCreate).toBe(true);
    there.inc();
    expect([here.canCreate, there.canCreate]).toEqual([false, false]);
    here.dec();
    expect(there.canCreate).toBe(true);
  });

  it('show themselves as gauges', () => {
    const { workers, gauges } = build({ maxConnections: 1, trackRemaining: true });
    expect(gauges()).toEqual({
      'circuit_breakers.default.cx_open': 0,
      'circuit_breakers.default.cx_pool_open': 0,
      'circuit_breakers.default.rq_pending_open': 0,
      'circuit_breakers.default.rq_open': 0,
      'circuit_breakers.default.rq_retry_open': 0,
      'circuit_breakers.default.remaining_cx': 1,
      'circuit_breakers.default.remaining_cx_pools': 2 ** 64,
      'circuit_breakers.default.remaining_pending': 1024,
      'circuit_breakers.default.remaining_rq': 1024,
      'circuit_breakers.default.remaining_retries': 3,
      'circuit_breakers.high.cx_open': 0,
      'circuit_breakers.high.cx_pool_open': 0,
      'circuit_breakers.high.rq_pending_open': 0,
      'circuit_breakers.high.rq_open': 0,
      'circuit_breakers.high.rq_retry_open': 0,
    });
    workers[0].connections.inc();
    workers[1].connections.inc();
    expect(gauges()).toMatchObject({
      'circuit_breakers.default.cx_open': 1,
      'circuit_breakers.default.remaining_cx': 0,
    });
  });

  it('count pools of all workers where they have a limit', () => {
    const { workers, gauges, used, set } = build({ maxConnectionPools: 2, trackRemaining: true });
    for (const { connectionPools } of workers) connectionPools.inc();
    expect(workers[0].connectionPools.canCreate).toBe(false);
    const below = 'circuit_breakers.default.';
    expect(gauges()).toMatchObject({ [`${below}cx_pool_open`]: 1, [`${below}remaining_cx_pools`]: 0 });
    expect(used()).toContain(`c.${below}cx_pool_open`);
    set({ 'circuit_breakers.c.default.max_connection_pools': '3' });
    expect(workers[0].connectionPools.canCreate).toBe(true);
    expect(gauges()).toMatchObject({ [`${below}cx_pool_open`]: 0, [`${below}remaining_cx_pools`]: 1 });
  });

  it('forget what a dead worker held', () => {
    const { directory, workers } = build({ maxRequests: 1 });
    workers[0].requests.inc();
    expect(workers[1].requests.canCreate).toBe(false);
    directory.leave('worker_0');
    expect(workers[1].requests.canCreate).toBe(true);
  });

  it('do not count what has no limit', () => {
    const { directory, workers } = build({ maxRequests: 4294967295 });
    workers[0].requests.inc();
    expect(workers[0].requests.canCreate).toBe(true);
    expect(directory.load('cluster/c/default/rq')).toBe(0);
  });

  it('budget retries by what is under way, over a floor', () => {
    const { workers } = build({
      maxRetries: 0,
      maxRequests: 4294967295,
      retryBudget: { percent: 20, minConcurrency: 3 },
    });
    const { retries, requests, pendingRequests } = workers[0];
    for (let i = 0; i < 3; i++) {
      expect(retries.canCreate).toBe(true);
      retries.inc();
    }
    expect(retries.canCreate).toBe(false);
    // 20 % of 20 are 4.
    for (let i = 0; i < 15; i++) requests.inc();
    for (let i = 0; i < 5; i++) pendingRequests.inc();
    expect(retries.canCreate).toBe(true);
    retries.inc();
    expect(retries.canCreate).toBe(false);
    retries.dec();
    expect(retries.canCreate).toBe(true);
  });

  it('budget retries by what began within an interval, in any worker', () => {
    const { workers, gauges } = build({ retryBudget: { percent: 50, minConcurrency: 0, intervalMs: 1000 } });
    const [here, there] = workers;
    for (let i = 0; i < 4; i++) here.pendingRequests.inc();
    expect(there.retries.canCreate).toBe(false);
    for (const { requests } of [here, there]) {
      requests.inc();
      requests.dec();
    }
    expect(gauges()['circuit_breakers.default.rq_retry_open']).toBe(0);
    expect(there.retries.canCreate).toBe(true);
    there.retries.inc();
    expect(here.retries.canCreate).toBe(false);
    expect(gauges()['circuit_breakers.default.rq_retry_open']).toBe(1);
  });

  it('are told apart by whether they were ever counted on', () => {
    const { workers, used } = build({});
    expect(used()).toEqual([]);
    workers[0].requests.inc();
    workers[0].requests.dec();
    expect(used()).toEqual(['c.circuit_breakers.default.rq_open']);
  });

  describe('by runtime keys', () => {
    it('have other limits than configured, and the configured ones when the keys are gone', () => {
      const { workers, set, gauges } = build({ maxConnections: 2, maxRetries: 3, trackRemaining: true });
      set({
        'circuit_breakers.c.default.max_connections': '1',
        'circuit_breakers.c.default.max_pending_requests': '0',
        'circuit_breakers.c.default.max_requests': '0',
        'circuit_breakers.c.default.max_retries': '0',
        'circuit_breakers.c.high.max_connections': '0',
      });
      const { connections, pendingRequests, requests, retries } = workers[0];
      connections.inc();
      expect([connections, pendingRequests, requests, retries].map(({ canCreate }) => canCreate)).toEqual([
        false,
        false,
        false,
        false,
      ]);
      expect(gauges()).toMatchObject({
        'circuit_breakers.default.cx_open': 1,
        'circuit_breakers.high.cx_open': 1,
        'circuit_breakers.default.remaining_cx': 0,
      });
      set({});
      expect([connections, pendingRequests, requests, retries].every(({ canCreate }) => canCreate)).toBe(true);
    });

    it('get a limit where there was none, with what is open already', () => {
      const { workers, set } = build({ maxRequests: 4294967295 });
      const [here, there] = workers.map(({ requests }) => requests);
      here.inc();
      there.inc();
      set({ 'circuit_breakers.c.default.max_requests': '3' });
      here.inc();
      expect(there.canCreate).toBe(false);
      there.dec();
      expect(there.canCreate).toBe(true);
    });

    it('change a retry budget', () => {
      const { workers, set } = build({ retryBudget: { percent: 20, minConcurrency: 0 } });
      const { requests, retries } = workers[0];
      for (let i = 0; i < 4; i++) requests.inc();
      expect(retries.canCreate).toBe(false);
      set({ 'circuit_breakers.c.default.retry_budget.budget_percent': '50' });
      expect(retries.canCreate).toBe(true);
      set({ 'circuit_breakers.c.default.retry_budget.min_retry_concurrency': '1' });
      expect(retries.canCreate).toBe(true);
    });

    it('ignore what is no whole number', () => {
      const { workers, set } = build({ maxRequests: 1 });
      set({ 'circuit_breakers.c.default.max_requests': '-3' });
      expect(workers[0].requests.canCreate).toBe(true);
      set({ 'circuit_breakers.c.default.max_requests': 'none' });
      expect(workers[0].requests.canCreate).toBe(true);
    });
  });
});
