import { expect, it } from 'vitest';
import {
  downstreamConnectionsKey,
  filterKey,
  listenerKey,
  networkFilterKey,
  SharedNumberAllotment,
  sharedNumberKeys,
  sharedNumberKeysOf,
} from '../../../src/control/shared-number-keys.ts';
import { anything } from '../../../src/listener/filter-chain/match-decode.ts';
import type { ListenerData } from '../../../src/listener/listener-data.ts';
import { SharedNumberDirectory } from '../../../src/observe/limit/shared-limit.ts';
import { hcmKind } from '../../../src/proxy/http/hcm-data.ts';
import { hcmData } from '../proxy/http/hcm-fixture.ts';

const fault = 'envoy.extensions.filters.http.fault.v3.HTTPFault';

function listener(name: string, statPrefix: string, ...kinds: string[]): ListenerData {
  const httpFilters = kinds.map((kind) => ({ name: kind, kind, data: {}, disabled: false }));
  const filter = { name: 'hcm', kind: hcmKind, data: hcmData({ statPrefix, httpFilters }) };
  const chain = { name: '', match: anything, filters: [filter] };
  return { name, filterChains: [chain], defaultFilterChain: null } as unknown as ListenerData;
}

it('every listener counts its connections, and filters what they say', () => {
  expect([...sharedNumberKeys([listener('a', 'p', fault), listener('b', 'q')])]).toEqual([
    downstreamConnectionsKey,
    listenerKey('a'),
    filterKey('p', 'fault.active_faults'),
    listenerKey('b'),
  ]);
});

it('connection_limit counts where it stands', () => {
  const one = listener('a', 'p');
  const [chain] = one.filterChains;
  const limit = {
    name: 'limit',
    kind: 'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit',
    data: {},
  };
  const limited = { ...chain, filters: [limit, limit, ...chain.filters] };
  const both = { ...one, filterChains: [chain, limited], defaultFilterChain: limited };
  expect([...sharedNumberKeys([both])]).toEqual([
    downstreamConnectionsKey,
    listenerKey('a'),
    'network/a/1/0',
    'network/a/1/1',
  ]);
  expect(networkFilterKey(both, { ...limited }, 1)).toBe('network/a/-1/1');
});

it('connection managers of one stat_prefix share', () => {
  const keys = sharedNumberKeys([listener('a', 'p', fault), listener('b', 'p', fault)]);
  expect([...keys].filter((key) => key.startsWith('http/'))).toEqual([filterKey('p', 'fault.active_faults')]);
});

it('a number stays where it is for as long as it is counted, and then goes to another', () => {
  const allotment = new SharedNumberAllotment(new SharedNumberDirectory());
  const { a, b } = allotment.allot('one', new Set(['a', 'b']));
  expect(a).not.toBe(b);
  expect(allotment.allot('one', new Set(['b'])).b).toBe(b);
  expect(allotment.allot('one', new Set(['b', 'c'])).c).toBe(a);
});

it('what two count stays for as long as one of them is there', () => {
  const allotment = new SharedNumberAllotment(new SharedNumberDirectory());
  const { a } = allotment.allot('one', new Set(['a']));
  allotment.allot('other', new Set(['a', 'b']));
  allotment.release('one');
  expect(allotment.allot('third', new Set(['c'])).c).not.toBe(a);
  allotment.release('other');
  expect(allotment.allot('fourth', new Set(['d', 'e']))).toSatisfy((found) => Object.values(found).includes(a));
});

it('a connection manager that comes by ECDS counts what its filters do', () => {
  const [{ filters }] = listener('a', 'p', fault).filterChains;
  expect([...sharedNumberKeysOf({ config: filters[0] })]).toEqual([filterKey('p', 'fault.active_faults')]);
  expect([...sharedNumberKeysOf({ config: null })]).toEqual([]);
});
