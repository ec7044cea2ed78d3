import { expect, it } from 'vitest';
import { RuntimeValues } from '../../../../src/control/runtime-view.ts';
import type { LbData } from '../../../../src/cluster/lb/lb-data.ts';
import { runtimeLb } from '../../../../src/cluster/lb/runtime-lb.ts';
import { clusterData, runtimeOf } from '../cluster-fixture.ts';

const roundRobin = clusterData().lb;
const leastRequest: LbData = {
  ...roundRobin,
  policy: {
    kind: 'least-request',
    choiceCount: 2,
    activeRequestBias: 1.5,
    activeRequestBiasKey: 'bias',
    fullScan: false,
  },
};

const withKeys = (data: LbData, keys: Record<string, string>): LbData =>
  runtimeLb(data, new RuntimeValues(runtimeOf(keys)));

it('is what is configured where the runtime says nothing', () => {
  expect(withKeys(roundRobin, {})).toBe(roundRobin);
  expect(withKeys(leastRequest, { other: '3' })).toEqual(leastRequest);
});

it.each([
  ['20', 20],
  ['0', 0],
  ['300', 100],
  ['-1', 50],
  ['1.5', 50],
])('takes the panic threshold from the runtime: %s', (text, threshold) => {
  expect(withKeys(roundRobin, { 'upstream.healthy_panic_threshold': text }).panicThreshold).toBe(threshold);
});

it.each([
  ['0.25', 0.25],
  ['0', 0],
  ['-2', 1],
  ['much', 1.5],
])('takes the bias of active requests from its own key: %s', (text, bias) => {
  expect(withKeys(leastRequest, { bias: text }).policy).toMatchObject({ activeRequestBias: bias });
});
