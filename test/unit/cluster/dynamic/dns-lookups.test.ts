import { expect, test } from 'vitest';
import { WorkerClusters } from '../../../../src/cluster/clusters.ts';
import type { DnsCacheData } from '../../../../src/cluster/dynamic/dns-cache-data.ts';
import type { LookupQuestion } from '../../../../src/cluster/dynamic/dns-lookups.ts';
import type { PickContext } from '../../../../src/cluster/cluster.ts';
import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { MemoryConnection } from '../memory-network.ts';
import { anyHost, hostData, World } from '../cluster-fixture.ts';

const cache = { name: 'names', maxPending: 2 } as DnsCacheData;
const named = (name: string) => hostData('10.0.0.1', { hostname: name, key: name });

function wanting(host: string, port: number): PickContext {
  const outcome = new Outcome();
  outcome.filterState = new Map<string, unknown>([
    ['envoy.upstream.dynamic_host', host],
    ['envoy.upstream.dynamic_port', port],
  ]);
  return { ...anyHost, outcome };
}

class Waiter {
  readonly heard: string[] = [];
  onLookup(how: string): void {
    this.heard.push(how);
  }
}

function world(): { clusters: WorkerClusters; asked: LookupQuestion[]; at: World } {
  const at = new World();
  const asked: LookupQuestion[] = [];
  const clusters = new WorkerClusters(at.environment, 'worker_0', (question) => asked.push(question));
  const data = at.data({ hosts: [named('a.test:1')], discovery: { kind: 'dynamic', cache } });
  clusters.apply({ set: [data], removed: [], hosts: [] });
  return { clusters, asked, at };
}

test('names that the clusters of a cache have are known', () => {
  const { clusters, asked } = world();
  const { lookups } = clusters;
  expect(lookups.want(cache, 'a.test:1', new Waiter())).toBe('cached');
  clusters.apply({ set: [], removed: [], hosts: [{ name: 'c', hosts: [named('b.test:1')] }] });
  expect(lookups.want(cache, 'b.test:1', new Waiter())).toBe('cached');
  expect(lookups.want(cache, 'a.test:1', new Waiter())).toBe('waiting');
  clusters.apply({ set: [], removed: ['c'], hosts: [] });
  expect(lookups.want(cache, 'b.test:1', new Waiter())).toBe('waiting');
  expect(asked.map(({ name }) => name)).toEqual(['a.test:1', 'b.test:1']);
});

test('those who want the same wait together, and so many at a time', () => {
  const { clusters, asked, at } = world();
  const { lookups } = clusters;
  const [first, second, third] = [new Waiter(), new Waiter(), new Waiter()];
  expect(lookups.want(cache, 'b.test:1', first)).toBe('waiting');
  expect(lookups.want(cache, 'b.test:1', second)).toBe('waiting');
  expect(asked).toHaveLength(1);
  expect(lookups.want(cache, 'b.test:1', third)).toBe('full');
  expect(at.stats.read('dns_cache.names.')).toEqual({ dns_rq_pending_overflow: 1 });
  lookups.cancel('names', 'b.test:1', first);
  lookups.cancel('names', 'b.test:1', first);
  expect(lookups.want(cache, 'b.test:1', third)).toBe('waiting');
  lookups.answered({ cache: 'names', name: 'b.test:1' }, 'cached');
  lookups.answered({ cache: 'names', name: 'b.test:1' }, 'cached');
  expect([first, second, third].map(({ heard }) => heard)).toEqual([[], ['cached'], ['cached']]);
});

test('a host is who is asked for', () => {
  const { clusters } = world();
  const cluster = clusters.get('c')!;
  const pick = (host: string, port: number) => cluster.pick(wanting(host, port));
  expect(pick('a.test', 1)!.hostname).toBe('a.test:1');
  expect(pick('A.TEST:1', 5)!.hostname).toBe('a.test:1');
  expect(pick('a.test', 0)).toBeNull();
  expect(pick('', 1)).toBeNull();
  expect(cluster.pick(anyHost)).toBeNull();
  const head = new RequestHead('GET', 'a.test:1', '/', HttpVersion.Http11, new Headers());
  expect(cluster.pick({ ...anyHost, head })!.hostname).toBe('a.test:1');
  const outcome = new Outcome();
  outcome.peer = { ...new MemoryConnection(1, { kind: 'ip', host: '10.0.0.2', port: 2 }).peer, serverName: 'a.test:1' };
  expect(cluster.pick({ ...anyHost, outcome })!.hostname).toBe('a.test:1');
});

test('two names may have one address, and a name another', () => {
  const { clusters } = world();
  clusters.apply({ set: [], removed: [], hosts: [{ name: 'c', hosts: [named('a.test:1'), named('b.test:1')] }] });
  const cluster = clusters.get('c')!;
  const pick = (host: string) => cluster.pick(wanting(host, 1));
  const before = pick('b.test');
  expect(before!.hostname).toBe('b.test:1');
  const moved = { ...named('b.test:1'), address: { kind: 'ip', host: '10.0.0.9', port: 1 } } as const;
  clusters.apply({ set: [], removed: [], hosts: [{ name: 'c', hosts: [moved] }] });
  expect(pick('b.test')).not.toBe(before);
  expect(pick('b.test')!.addressText).toBe('10.0.0.9:1');
  expect(pick('a.test')).toBeNull();
});
