import { expect, test } from 'vitest';
import { RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { PickContext } from '../../../../src/cluster/cluster.ts';
import type { OverrideLbData } from '../../../../src/cluster/lb/lb-data.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { anyHost } from '../cluster-fixture.ts';
import { Bench, hostsOf } from './lb-fixture.ts';

const policy: OverrideLbData = {
  kind: 'override-host',
  sources: [
    { kind: 'header', name: 'x-host' },
    { kind: 'metadata', path: ['f', 'host'] },
  ],
  inner: { policy: { kind: 'round-robin' }, localityWeighted: false, failTrafficOnPanic: false },
};

function asking(header: string | null, metadata: string | null, attempt = 1): PickContext {
  const headers = header === null ? new Headers() : Headers.of(['x-host', header]);
  const outcome = new Outcome();
  outcome.attemptCount = attempt;
  if (metadata !== null) outcome.dynamicMetadata = new Map([['f', { host: metadata }]]);
  return { ...anyHost, head: new RequestHead('GET', 'h', '/', 11, headers), outcome };
}

test('the header comes before the metadata, and a later try has the next of the list', () => {
  const hosts = hostsOf({}, {}, {});
  const { balancer } = new Bench(hosts, policy);
  expect(balancer.pick(asking('10.0.0.2:80', '10.0.0.3:80'))).toBe(hosts[1]);
  expect(balancer.pick(asking(null, '10.0.0.3:80'))).toBe(hosts[2]);
  expect(balancer.pick(asking('10.0.0.2:80, 10.0.0.1:80', null, 2))).toBe(hosts[0]);
});

test('who is not known, or not named, is balanced as usual', () => {
  const hosts = hostsOf({}, {});
  const { balancer } = new Bench(hosts, policy);
  const picked = Array.from({ length: 10 }, (_, i) => balancer.pick(asking(i % 2 === 0 ? '192.0.2.1:1' : null, null)));
  expect(new Set(picked)).toEqual(new Set(hosts));
});
