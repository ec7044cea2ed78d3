import { describe, expect, it } from 'vitest';
import { ClusterCounter, clusterCounterNames } from '../../../../src/cluster/stats/cluster-stat-names.ts';
import { UpstreamStats } from '../../../../src/cluster/stats/cluster-stats.ts';
import { RecordingStats } from '../recording-stats.ts';

describe('UpstreamStats', () => {
  it('allots nothing before it is asked for', () => {
    const recording = new RecordingStats();
    const stats = new UpstreamStats(recording.scope('cluster').scope('c'));
    expect(recording.names).toEqual([]);
    stats.rqRetry.inc();
    expect(recording.names).toEqual(['cluster.c.upstream_rq_retry']);
    expect(stats.rqRetry).toBe(stats.rqRetry);
  });

  it('counts a status under its code, its class and its origin', () => {
    const recording = new RecordingStats();
    const stats = new UpstreamStats(recording.scope('cluster').scope('c'));
    stats.recordCode(200, false, false, '');
    stats.recordCode(503, true, false, '');
    stats.recordCode(200, false, true, '');
    expect(recording.read()).toEqual({
      upstream_rq_completed: 3,
      upstream_rq_200: 2,
      upstream_rq_2xx: 2,
      upstream_rq_503: 1,
      upstream_rq_5xx: 1,
      'external.upstream_rq_completed': 2,
      'external.upstream_rq_200': 2,
      'external.upstream_rq_2xx': 2,
      'internal.upstream_rq_completed': 1,
      'internal.upstream_rq_503': 1,
      'internal.upstream_rq_5xx': 1,
      'canary.upstream_rq_completed': 1,
      'canary.upstream_rq_200': 1,
      'canary.upstream_rq_2xx': 1,
    });
  });

  it('has no class for statuses that have none', () => {
    const recording = new RecordingStats();
    const stats = new UpstreamStats(recording.scope('cluster').scope('c'));
    stats.recordCode(799, false, false, '');
    expect(recording.read()).toMatchObject({ upstream_rq_799: 1 });
    expect(recording.names.filter((name) => name.includes('xx'))).toEqual([]);
  });

  it('records times under their origins', () => {
    const recording = new RecordingStats();
    const stats = new UpstreamStats(recording.scope('cluster').scope('c'));
    stats.recordTime(5, true, true, '');
    for (const name of ['', 'internal.', 'canary.'])
      expect(recording.records(`cluster.c.${name}upstream_rq_time`)).toEqual([5]);
  });

  it('records under both zones, where both are known', () => {
    const recording = new RecordingStats();
    const stats = new UpstreamStats(recording.scope('cluster').scope('c'), 'here');
    stats.recordCode(404, false, false, 'there');
    stats.recordTime(7, false, false, 'there');
    stats.recordCode(200, false, false, '');
    new UpstreamStats(recording.scope('cluster').scope('c')).recordCode(200, false, false, 'there');
    expect(recording.read('cluster.c.zone.')).toEqual({
      'here.there.upstream_rq_completed': 1,
      'here.there.upstream_rq_404': 1,
      'here.there.upstream_rq_4xx': 1,
    });
    expect(recording.records('cluster.c.zone.here.there.upstream_rq_time')).toEqual([7]);
  });

  it('has a name for every counter', () => {
    expect(Object.values(ClusterCounter)).toEqual(clusterCounterNames.map((_, i) => i));
  });
});
