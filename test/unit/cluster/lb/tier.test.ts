import { expect, it } from 'vitest';
import type { LbPolicyData } from '../../../../src/cluster/lb/lb-data.ts';
import { anyHost } from '../cluster-fixture.ts';
import { Bench, hostsOf, withMetadata } from './lb-fixture.ts';

const random: LbPolicyData = { kind: 'random' };
const inner = { policy: random, localityWeighted: false, failTrafficOnPanic: false };
const policies: readonly LbPolicyData[] = [
  random,
  { kind: 'maglev', tableSize: 65_537, usesHostname: false, balanceFactor: 0 },
  { kind: 'override-host', sources: [], inner },
  {
    kind: 'subset',
    inner,
    fallback: 'any',
    defaultSubset: {},
    selectors: [],
    localityWeightAware: false,
    scaleLocalityWeight: false,
    panicModeAny: false,
    listAsAny: false,
    fallbackList: false,
  },
];

it.each(policies)('$kind: somebody else may choose the priority', (policy) => {
  const hosts = hostsOf(withMetadata({}), withMetadata({}, { priority: 1 }), withMetadata({}, { priority: 2 }));
  const { balancer } = new Bench(hosts, policy);
  const hash = { high: 7, low: 9 };
  for (const priority of [2, 1, 0, 1])
    expect(balancer.pick({ ...anyHost, hash }, { priority, isDegraded: false })?.priority).toBe(priority);
});
