import { describe, expect, it } from 'vitest';
import { HostCounters, HostStat } from '../../../../src/cluster/host/host-counters.ts';
import { hostKeys } from '../../../../src/cluster/host/host-key.ts';
import { HostReports } from '../../../../src/cluster/host/host-report.ts';
import { hostData } from '../cluster-fixture.ts';

describe('HostReports', () => {
  it('adds up what the workers count, and forgets blocks and workers that are gone', () => {
    const reports = new HostReports();
    const workers = ['worker_0', 'worker_1'].map(
      (name) => new HostCounters((message) => reports.receive(name, structuredClone(message))),
    );
    const blocks = workers.map((worker) => worker.open('c', '10.0.0.1:80'));
    blocks[0].values[HostStat.RqTotal] = 3;
    blocks[1].values[HostStat.RqTotal] = 4;
    const total = () => reports.collect().totalsOf('c', '10.0.0.1:80')[HostStat.RqTotal];
    expect(total()).toBe(7);
    expect(reports.collect().totalsOf('c', 'other')[HostStat.RqTotal]).toBe(0);
    reports.forget('worker_1');
    expect(total()).toBe(3);
    workers[0].close(blocks[0]);
    expect(total()).toBe(0);
    // The block is used again, from zero.
    const again = workers[0].open('c', '10.0.0.2:80');
    expect(again.values).toEqual(new Float64Array(9));
    again.values[HostStat.CxActive] = 1;
    expect(reports.collect().totalsOf('c', '10.0.0.2:80')[HostStat.CxActive]).toBe(1);
  });

  it('has room for more hosts than one slab', () => {
    const reports = new HostReports();
    const worker = new HostCounters((message) => reports.receive('worker_0', message));
    for (let i = 0; i < 1200; i++) worker.open('c', String(i)).values[HostStat.CxTotal] = i;
    const totals = reports.collect();
    for (const i of [0, 511, 512, 1199]) expect(totals.totalsOf('c', String(i))[HostStat.CxTotal]).toBe(i);
  });
});

describe('hostKeys', () => {
  it('numbers repeated addresses', () => {
    const hosts = [hostData('10.0.0.1'), hostData('10.0.0.2'), hostData('10.0.0.1')];
    expect(hostKeys(hosts)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.1:80#1']);
  });
});
