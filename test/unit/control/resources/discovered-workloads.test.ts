import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { DiscoveredWorkloads } from '../../../../src/control/resources/discovered-workloads.ts';
import type { WorkloadChanges } from '../../../../src/filter/istio/workload/workload-directory.ts';
import { WorkloadSchema, WorkloadType } from '../../../../src/proto/istio/workload_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';
import { TestStats } from '../../filter/filter-fixture.ts';

function resource(name: string, message: MessageInitShape<typeof WorkloadSchema>) {
  return { name, packed: toBinary(WorkloadSchema, create(WorkloadSchema, message)), version: '1', aliases: [] };
}

function world() {
  const told: WorkloadChanges[] = [];
  const stats = new TestStats();
  return { told, stats, workloads: new DiscoveredWorkloads(stats, (changes) => void told.push(changes)) };
}

it('workloads are told with what is usual filled in', () => {
  const { told, workloads, stats } = world();
  const full = {
    uid: 'u',
    name: 'pod',
    namespace: 'ns',
    addresses: [Uint8Array.of(10, 0, 0, 1), new Uint8Array(16).fill(1, 15), Uint8Array.of(1)],
    trustDomain: 'td',
    serviceAccount: 'sa',
    canonicalName: 'c',
    canonicalRevision: 'r',
    workloadType: WorkloadType.JOB,
    workloadName: 'w',
    clusterId: 'k',
    locality: { region: 'a', zone: 'b' },
  };
  expect(workloads.onDelta([resource('u', full), resource('bare', {})], [])).toBe('');
  expect(told[0].set[0]).toMatchObject({
    uid: 'u',
    addresses: ['10.0.0.1', '::1'],
    fields: {
      instance: 'pod',
      cluster: 'k',
      namespace: 'ns',
      workload: 'w',
      canonicalName: 'c',
      canonicalRevision: 'r',
      app: 'c',
      version: 'r',
      type: 'job',
      identity: 'spiffe://td/ns/ns/sa/sa',
      region: 'a',
      zone: 'b',
    },
  });
  const { uid, fields } = told[0].set[1];
  expect([uid, fields.namespace, fields.type, fields.identity]).toEqual([
    'bare',
    'default',
    'deployment',
    'spiffe://cluster.local/ns/default/sa/default',
  ]);
  expect(stats.values.get('workload_discovery.total')).toBe(2);
});

it('what is gone is told, and a fresh worker gets all', () => {
  const { told, workloads } = world();
  workloads.onDelta([resource('a', {}), resource('b', {})], []);
  workloads.onDelta([resource('c', {})], ['a']);
  expect(told[1].removed).toEqual(['a']);
  expect(workloads.message.changes.set.map(({ uid }) => uid)).toEqual(['b', 'c']);
  workloads.onResources([resource('c', {})]);
  expect(told[2].removed).toEqual(['b']);
  expect(workloads.message.changes.set.map(({ uid }) => uid)).toEqual(['c']);
});

it('what cannot be read is refused, and nothing changes', () => {
  const { told, workloads } = world();
  const broken = { ...resource('a', {}), packed: Uint8Array.of(255) };
  expect(workloads.onDelta([broken], [])).toMatch(/^a workload cannot be read/);
  expect(workloads.onResources([broken])).toMatch(/^a workload cannot be read/);
  workloads.onGivenUp();
  expect(told).toEqual([]);
});
