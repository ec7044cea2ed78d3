import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../../src/core/clock.ts';
import { ClusterLookups } from '../../../../src/cluster/on-demand/cluster-lookups.ts';
import type { OnDemandClustersData } from '../../../../src/cluster/on-demand/on-demand-data.ts';
import { ManualTimers } from '../../filter/filter-fixture.ts';

const from = (timeoutMs: number): OnDemandClustersData => ({
  source: { key: 'ads', config: { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } },
  timeoutMs,
});

let asked: string[];
let told: string[];
let timers: ManualTimers;
let lookups: ClusterLookups;

beforeEach(() => {
  asked = [];
  told = [];
  const clock = new Clock();
  timers = new ManualTimers(clock);
  lookups = new ClusterLookups(clock, timers, ({ source, name }) => asked.push(`${source.key} ${name}`));
});

const waiter = (id: string) => ({ onCluster: (isThere: boolean) => void told.push(`${id} ${isThere}`) });

describe('clusters that a worker waits for', () => {
  it('are asked for once, and all who wait are told when they come', () => {
    expect(lookups.want(from(100), 'c', waiter('a'))).toBe('waiting');
    expect(lookups.want(from(100), 'c', waiter('b'))).toBe('waiting');
    const gone = waiter('gone');
    lookups.want(from(100), 'c', gone);
    lookups.cancel('c', gone);
    lookups.cancel('other', gone);
    lookups.found([{ name: 'other' }, { name: 'c' }]);
    lookups.found([{ name: 'c' }]);
    expect([asked, told]).toEqual([['ads c'], ['a true', 'b true']]);
    expect(timers.size).toBe(0);
  });

  it('are not waited for when there are none, nor for longer than the first said', () => {
    lookups.want(from(100), 'none', waiter('a'));
    lookups.missing('none');
    lookups.want(from(100), 'late', waiter('b'));
    timers.pass(60);
    lookups.want(from(100), 'late', waiter('c'));
    timers.pass(60);
    lookups.found([{ name: 'late' }]);
    expect(told).toEqual(['a false', 'b false', 'c false']);
    // Whoever comes then asks anew.
    lookups.want(from(100), 'none', waiter('d'));
    expect(asked).toEqual(['ads none', 'ads late', 'ads none']);
  });

  it('are bounded in number and length, and may be asked for without being waited for by nobody', () => {
    for (let i = 0; i < 1024; i++) expect(lookups.want(from(1), `c${i}`, waiter(`${i}`))).toBe('waiting');
    expect(lookups.want(from(1), 'more', waiter('x'))).toBe('refused');
    expect(lookups.want(from(1), 'c7', waiter('x'))).toBe('waiting');
    timers.pass(2);
    expect(lookups.want(from(1), 'x'.repeat(1025), waiter('x'))).toBe('refused');
    expect(lookups.want(from(0), 'c', waiter('x'))).toBe('refused');
    expect(asked).toHaveLength(1024);
  });
});
