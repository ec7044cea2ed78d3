import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventLines } from '../../../../src/cluster/health/event-lines.ts';
import { HealthCell, HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { WatchedHost } from '../../../../src/cluster/health/watched-host.ts';
import { healthFlagNames } from '../../../../src/cluster/host/host-health.ts';
import { OutlierDetector } from '../../../../src/cluster/outlier/detector.ts';
import type { OutlierData } from '../../../../src/cluster/outlier/outlier-data.ts';
import { RuntimeValues } from '../../../../src/control/runtime-view.ts';
import { AccessLogFiles } from '../../../../src/observe/access-log/access-log-files.ts';
import { hostData, runtimeOf } from '../cluster-fixture.ts';
import { MemoryNetwork } from '../memory-network.ts';
import { RecordingStats } from '../recording-stats.ts';
import { outlierData } from './outlier-fixture.ts';

const often = { intervalMs: 1000, baseEjectionMs: 3000, maxEjectionMs: 6000, maxEjectionPercent: 50 };

class Subject {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly runtime = new RuntimeValues();
  readonly memory = new HealthMemory();
  readonly folder = mkdtempSync(join(tmpdir(), 'sekisho-outlier-'));
  readonly files = new AccessLogFiles(3_600_000);
  readonly hosts: WatchedHost[];
  readonly detector: OutlierDetector;
  random = 0;

  constructor(change: Partial<OutlierData> = {}, hosts = 4) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    const { clock, timers } = this.network;
    this.detector = new OutlierDetector(outlierData({ ...often, ...change }), {
      clock,
      timers,
      random: () => this.random,
      runtime: this.runtime,
      scope: this.stats.scope('cluster').scope('c'),
      lines: new EventLines([this.files.open(join(this.folder, 'events'))], clock),
    });
    this.hosts = Array.from({ length: hosts }, (_, i) => {
      const data = hostData(`10.0.0.${i}`, { healthSlot: i });
      return new WatchedHost('c', `h${i}`, data, this.memory, () => {});
    });
    this.detector.update(this.hosts);
  }

  flags(index: number): string[] {
    return healthFlagNames(this.memory.load(index, HealthCell.Flags));
  }

  answered(index: number, total: number, success: number): void {
    for (let i = 0; i < total; i++) this.memory.inc(index, HealthCell.ExternalTotal);
    for (let i = 0; i < success; i++) this.memory.inc(index, HealthCell.ExternalSuccess);
  }

  get counts(): Readonly<Record<string, number>> {
    const none = { active: 0, total: 0, enforced_total: 0, overflow: 0, detected_success_rate: 0 };
    return { ...none, ...this.stats.read('cluster.c.outlier_detection.ejections_') };
  }

  async events(): Promise<Record<string, unknown>[]> {
    await this.files.close();
    const lines = readFileSync(join(this.folder, 'events'), 'utf8').trim().split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

const ejected = ['failed_outlier_check'];

describe('failures in a row', () => {
  it('eject a host for as long as it is told, and longer the next time', async () => {
    const subject = new Subject();
    subject.memory.store(0, HealthCell.Consecutive5xx, 5);
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    expect(subject.flags(0)).toEqual(ejected);
    expect(subject.memory.load(0, HealthCell.Consecutive5xx)).toBe(0);
    expect(subject.counts).toMatchObject({
      active: 1,
      enforced_total: 1,
      total: 1,
      consecutive_5xx: 1,
      detected_consecutive_5xx: 1,
      enforced_consecutive_5xx: 1,
    });
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    for (let i = 0; i < 2; i++) subject.network.advance(1000);
    expect(subject.flags(0)).toEqual(ejected);
    subject.network.advance(1000);
    expect(subject.flags(0)).toEqual([]);
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    for (let i = 0; i < 5; i++) subject.network.advance(1000);
    expect(subject.flags(0)).toEqual(ejected);
    subject.network.advance(1000);
    expect(subject.flags(0)).toEqual([]);
    expect(subject.counts).toMatchObject({ active: 0, enforced_total: 2 });
    expect(await subject.events()).toMatchObject([
      { type: 'CONSECUTIVE_5XX', action: 'EJECT', upstream_url: '10.0.0.0:80', num_ejections: 1, enforced: true },
      { action: 'UNEJECT', secs_since_last_action: '3', enforced: false },
      { action: 'EJECT', secs_since_last_action: '0', num_ejections: 2 },
      { action: 'UNEJECT', secs_since_last_action: '6' },
    ]);
  });

  it('eject less long again after good times', () => {
    const subject = new Subject();
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    for (let i = 0; i < 6; i++) subject.network.advance(1000);
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    for (let i = 0; i < 3; i++) subject.network.advance(1000);
    expect(subject.flags(0)).toEqual([]);
  });

  it('eject no more hosts than they may, but one where that is wanted', () => {
    const subject = new Subject({ maxEjectionPercent: 25 });
    for (const key of ['h0', 'h1', 'none']) subject.detector.onConsecutive(key, 'consecutive_5xx');
    expect(subject.flags(1)).toEqual([]);
    expect(subject.counts).toMatchObject({ active: 1, overflow: 1 });
    const other = new Subject({ maxEjectionPercent: 0, alwaysEjectsOne: true });
    for (const key of ['h0', 'h1']) other.detector.onConsecutive(key, 'consecutive_5xx');
    expect(other.counts).toMatchObject({ active: 1, overflow: 1 });
  });

  it('are only counted where they are not enforced, as the runtime says', async () => {
    const subject = new Subject();
    subject.detector.onConsecutive('h0', 'consecutive_gateway_failure');
    expect(subject.flags(0)).toEqual([]);
    expect(subject.counts).toMatchObject({ detected_consecutive_gateway_failure: 1, enforced_total: 0, total: 0 });
    const key = 'outlier_detection.enforcing_consecutive_gateway_failure';
    subject.runtime.update(runtimeOf({ [key]: '100' }));
    subject.detector.onConsecutive('h0', 'consecutive_gateway_failure');
    expect(subject.flags(0)).toEqual(ejected);
    expect(await subject.events()).toMatchObject([{ enforced: false }, { enforced: true }]);
  });

  it('are over when an active check has passed', () => {
    const subject = new Subject();
    subject.detector.onConsecutive('h0', 'consecutive_local_origin_failure');
    subject.detector.onCheckPassed(subject.hosts[0]);
    expect(subject.flags(0)).toEqual([]);
    const other = new Subject({ healthCheckUnejects: false });
    other.detector.onConsecutive('h0', 'consecutive_local_origin_failure');
    other.detector.onCheckPassed(other.hosts[0]);
    expect(other.flags(0)).toEqual(ejected);
    other.detector.stop();
    expect(other.flags(0)).toEqual([]);
    expect(other.counts).toMatchObject({ active: 0 });
  });

  it('of hosts that have gone are forgotten', () => {
    const subject = new Subject();
    subject.detector.onConsecutive('h0', 'consecutive_5xx');
    subject.detector.update(subject.hosts.slice(1));
    expect(subject.counts).toMatchObject({ active: 0 });
    expect(subject.detector.hostOf('h0')).toBeUndefined();
  });
});

describe('success rates', () => {
  const few = { successRateMinimumHosts: 4, successRateRequestVolume: 10, failurePercentageMinimumHosts: 99 };

  it('eject who is far below the others', async () => {
    const subject = new Subject({ ...few, successRateStdevFactor: 1500 });
    for (const index of [0, 1, 2]) subject.answered(index, 10, 10);
    subject.answered(3, 10, 2);
    subject.network.advance(1000);
    expect(subject.flags(3)).toEqual(ejected);
    expect(subject.detector.report.external.average).toBe(80);
    expect(subject.detector.hostOf('h0')!.externalRate).toBe(100);
    expect(subject.counts).toMatchObject({ detected_success_rate: 1, enforced_success_rate: 1, success_rate: 1 });
    subject.network.advance(1000);
    expect(subject.detector.report.external.average).toBe(-1);
    expect(await subject.events()).toMatchObject([
      {
        type: 'SUCCESS_RATE',
        eject_success_rate_event: { host_success_rate: 20, cluster_average_success_rate: 80 },
      },
    ]);
  });

  it('do not judge by few requests or few hosts', () => {
    const subject = new Subject(few);
    for (const index of [0, 1, 2]) subject.answered(index, 10, 10);
    subject.answered(3, 9, 0);
    subject.network.advance(1000);
    expect(subject.detector.report.external.average).toBe(-1);
    expect(subject.counts).toMatchObject({ detected_success_rate: 0 });
  });

  it('may have a limit of their own', async () => {
    const subject = new Subject({
      successRateMinimumHosts: 99,
      failurePercentageMinimumHosts: 2,
      failurePercentageRequestVolume: 4,
      failurePercentageThreshold: 50,
      enforcing: { ...outlierData().enforcing, failure_percentage: 100 },
    });
    subject.answered(0, 4, 2);
    subject.answered(1, 4, 3);
    subject.network.advance(1000);
    expect(subject.flags(0)).toEqual(ejected);
    expect(subject.flags(1)).toEqual([]);
    expect(await subject.events()).toMatchObject([
      { type: 'FAILURE_PERCENTAGE', eject_failure_percentage_event: { host_success_rate: 50 } },
    ]);
  });

  it('of connections count for themselves', () => {
    const subject = new Subject({ ...few, successRateStdevFactor: 1000 });
    for (let i = 0; i < 10; i++) {
      for (const index of [0, 1, 2, 3]) subject.memory.inc(index, HealthCell.LocalTotal);
      for (const index of [0, 1, 2]) subject.memory.inc(index, HealthCell.LocalSuccess);
    }
    subject.network.advance(1000);
    expect(subject.flags(3)).toEqual(ejected);
    expect(subject.counts).toMatchObject({ enforced_local_origin_success_rate: 1 });
  });
});

it('holds a host for degraded that says so, longer each time', async () => {
  const subject = new Subject({ maxEjectionPercent: 0 });
  subject.detector.onDegraded('h0');
  subject.detector.onDegraded('h0');
  expect(subject.flags(0)).toEqual(['degraded_outlier_detection']);
  for (let i = 0; i < 3; i++) subject.network.advance(1000);
  expect(subject.flags(0)).toEqual([]);
  subject.detector.onDegraded('h0');
  for (let i = 0; i < 5; i++) subject.network.advance(1000);
  expect(subject.flags(0)).toEqual(['degraded_outlier_detection']);
  expect(subject.counts).toMatchObject({ detected_degradation: 2, active: 0 });
  expect(await subject.events()).toMatchObject([
    { type: 'DEGRADED', action: 'EJECT', num_ejections: 0, enforced: true },
    { type: 'CONSECUTIVE_5XX', action: 'UNEJECT' },
    { type: 'DEGRADED' },
  ]);
});
