import { describe, expect, it } from 'vitest';
import { allotBreakerSlots, breakerGauges, buildCircuitBreakers } from '../../../src/cluster/circuit-breaker.ts';
import type { BreakerData } from '../../../src/cluster/cluster-data.ts';
import { SharedNumberDirectory, SharedNumbers } from '../../../src/observe/shared-limit.ts';
import { breaker, clusterData } from './cluster-fixture.ts';

function build(change: Partial<BreakerData>) {
  const directory = new SharedNumberDirectory();
  const slots = allotBreakerSlots(directory, 'c').slice(0, 4);
  const data = { ...breaker, ...change };
  const workers = ['worker_0', 'worker_1'].map((name) =>
    buildCircuitBreakers(data, slots, new SharedNumbers(directory.join(name))),
  );
  const gauges = () => Object.fromEntries(breakerGauges(clusterData({ breakers: [data, breaker] }), directory));
  return { directory, workers, gauges };
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
});
