import { expect, it } from 'vitest';
import { UpstreamStats } from '../../../../src/cluster/stats/cluster-stats.ts';
import { RecordingStats } from '../recording-stats.ts';

it('is what requests and tries use of their timeouts', () => {
  const recorded: string[] = [];
  const scope = Object.assign(new RecordingStats(), {
    histogram: (name: string) => ({ record: (value: number) => recorded.push(`${name} ${value}`) }),
  });
  const budget = new UpstreamStats(scope, '', true).timeoutBudget!;
  budget.recordRequest(150.9, 1000);
  budget.recordRequest(150, 0);
  budget.recordTry(30, 20);
  expect(recorded).toEqual([
    'upstream_rq_timeout_budget_percent_used 15',
    'upstream_rq_timeout_budget_percent_used 0',
    'upstream_rq_timeout_budget_per_try_percent_used 150',
  ]);
});

it('is not kept unless somebody wants it', () => {
  expect(new UpstreamStats(new RecordingStats()).timeoutBudget).toBeNull();
});
