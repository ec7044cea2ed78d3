import { fromBinary, toBinary, fromJson } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import * as fc from '../../../../property/chance.ts';
import { describe, expect, it } from 'vitest';
import { baggageOf, workloadOfBaggage } from '../../../../../src/filter/istio/workload/baggage.ts';
import { ownWorkload } from '../../../../../src/filter/istio/workload/own-workload.ts';
import {
  KnownPeers,
  peerBytesMax,
  readPeerHeader,
  writePeerHeader,
} from '../../../../../src/filter/istio/workload/peer-header.ts';
import { WorkloadDirectory } from '../../../../../src/filter/istio/workload/workload-directory.ts';
import { upstreamWorkload } from '../../../../../src/filter/istio/workload/workload-lookup.ts';
import { workloadOfEndpoint, workloadOfStruct } from '../../../../../src/filter/istio/workload/workload-struct.ts';
import { unknownWorkload, Workload, workloadTypes } from '../../../../../src/filter/istio/workload/workload.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';

const metadata = {
  NAME: 'reviews-v1-abc',
  NAMESPACE: 'default',
  WORKLOAD_NAME: 'reviews-v1',
  CLUSTER_ID: 'Kubernetes',
  OWNER: 'kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v1',
  LABELS: {
    app: 'reviews',
    version: 'v1',
    role: 'backend',
    'service.istio.io/canonical-name': 'reviews',
    'service.istio.io/canonical-revision': 'latest',
  },
  INTERCEPTION_MODE: 'REDIRECT',
};
const locality = { region: 'r1', zone: 'z1' };
const own = ownWorkload({ metadata, locality }, ['role', 'absent']);
const none: ReadonlySet<string> = new Set();

describe('a workload', () => {
  it('is made of the metadata of a node', () => {
    expect(own.struct).toEqual({
      type: 'deployment',
      workload: 'reviews-v1',
      name: 'reviews-v1-abc',
      cluster: 'Kubernetes',
      namespace: 'default',
      service: 'reviews',
      revision: 'latest',
      app: 'reviews',
      version: 'v1',
      region: 'r1',
      availability_zone: 'z1',
      labels: { role: 'backend' },
    });
  });

  it('prefers the qualified labels, and takes no text that is too long', () => {
    const labels = { app: 'a', 'app.kubernetes.io/name': 'b', version: '1', 'app.kubernetes.io/version': '2' };
    const { app, version, workload } = workloadOfStruct({ LABELS: labels, WORKLOAD_NAME: 'x'.repeat(257) }, none);
    expect([app, version, workload]).toEqual(['b', '2', '']);
  });

  it('has fields, a text and a structure in filter state', () => {
    const state = new Map<string, unknown>();
    own.setIn(state, 'downstream_peer', false);
    expect(state.get('downstream_peer')).toBe(own.struct);
    expect(own.field('workload')).toBe('reviews-v1');
    expect(own.field('labels')).toBeUndefined();
    expect(new Workload(unknownWorkload).field('type')).toBe('unknown');
    expect(own.toPlain()).toBe(
      'type=deployment,workload=reviews-v1,name=reviews-v1-abc,cluster=Kubernetes,namespace=default,service=reviews,' +
        'revision=latest,app=reviews,version=v1,region=r1,availability_zone=z1,labels[]role=backend',
    );
    expect(Workload.in(state, 'downstream_peer')).toBe(own);
  });

  it('is shared with upstream connections where that is asked for', () => {
    const state = new Map<string, unknown>();
    own.setIn(state, 'downstream_peer', true);
    expect(Workload.in(state, 'downstream_peer')).toBe(own);
    const alone = [...state].map(([key, value]) => [key, (value as { alone(): unknown }).alone()]);
    expect(alone).toEqual([
      ['downstream_peer', own.struct],
      ['downstream_peer_obj', own],
    ]);
  });

  it('is read of the metadata of an endpoint', () => {
    expect(workloadOfEndpoint('reviews-v1;default;reviews;latest;Kubernetes')).toMatchObject({
      workload: 'reviews-v1',
      namespace: 'default',
      canonicalName: 'reviews',
      canonicalRevision: 'latest',
      cluster: 'Kubernetes',
      app: '',
    });
    expect(workloadOfEndpoint('reviews-v1;default')).toBeNull();
  });

  it('is looked up by the address of the upstream', () => {
    const lookup = { byAddress: (address: string) => (address === '10.0.0.1' || address === '::1' ? own : null) };
    const outcome = new Outcome();
    const at = (host: string, hostMetadata: Outcome['upstreamHostMetadata'] = null) => {
      outcome.upstreamHost = host;
      outcome.upstreamHostMetadata = hostMetadata;
      return upstreamWorkload(lookup, outcome);
    };
    expect(at('10.0.0.1:80')).toBe(own);
    expect(at('[::1]:80')).toBe(own);
    expect(at('')).toBeNull();
    const local = { 'envoy.filters.listener.original_dst': { local: '10.0.0.1:80' } };
    expect(at('envoy://connect_originate/x', local)).toBe(own);
    expect(at('envoy://connect_originate/x', { ...local, istio: { double_hbone: {} } })).toBeNull();
  });
});

describe('the directory of workloads', () => {
  it('knows who is at an address now', () => {
    const directory = new WorkloadDirectory();
    const data = (uid: string, workload: string, ...addresses: string[]) => ({
      uid,
      addresses,
      fields: { ...unknownWorkload, workload },
    });
    directory.apply({ set: [data('1', 'a', '10.0.0.1', '::1'), data('2', 'b', '10.0.0.2')], removed: [] });
    const at = (address: string) => directory.byAddress(address)?.workload;
    expect([at('10.0.0.1'), at('::1'), at('10.0.0.2'), at('10.0.0.3')]).toEqual(['a', 'a', 'b', undefined]);
    directory.apply({ set: [data('1', 'c', '10.0.0.3'), data('3', 'd', '10.0.0.2')], removed: [] });
    directory.apply({ set: [], removed: ['2', '9'] });
    expect([at('10.0.0.1'), at('::1'), at('10.0.0.2'), at('10.0.0.3')]).toEqual([undefined, undefined, 'd', 'c']);
  });
});

describe('the header of a peer', () => {
  it('is a struct, its keys in the order of their bytes', () => {
    const struct = fromBinary(StructSchema, Buffer.from(writePeerHeader(own), 'base64'));
    expect(Object.keys(struct.fields)).toEqual(Object.keys(struct.fields).toSorted());
    expect(readPeerHeader(writePeerHeader(own), new Set(['role']))!.struct).toEqual(own.struct);
    expect(readPeerHeader(writePeerHeader(own), none)!.labels).toEqual({});
  });

  it('is read of what Istio itself sends: protobuf of any order', () => {
    const theirs = toBinary(StructSchema, fromJson(StructSchema, metadata));
    expect(readPeerHeader(Buffer.from(theirs).toString('base64').replaceAll('=', ''), none)!.workload).toBe(
      'reviews-v1',
    );
  });

  it('that is none is no peer', () => {
    for (const value of ['~', 'CgQ', 'x'.repeat(peerBytesMax + 1)]) expect(readPeerHeader(value, none)).toBeNull();
  });

  it('is whatever was told, whatever that was', () => {
    // A slash parts the kind of a workload from its name.
    const text = fc.string({ maxLength: 40 }).map((one) => one.replaceAll('/', '-'));
    const fields = fc.record({
      ...Object.fromEntries(Object.keys(unknownWorkload).map((name) => [name, text])),
      type: fc.constantFrom(...workloadTypes),
      labels: fc.constant({}),
    });
    fc.assert(
      fc.property(fields, (record) => {
        const told = new Workload({ ...unknownWorkload, ...record });
        expect(readPeerHeader(writePeerHeader(told), none)!.struct).toEqual(told.struct);
      }),
    );
  });

  it('of any bytes is a peer or none, and never more than that', () => {
    fc.assert(
      fc.property(fc.oneof(fc.base64String(), fc.string(), fc.uint8Array()), (value) => {
        const text = typeof value === 'string' ? value : Buffer.from(value).toString('base64');
        const read = readPeerHeader(text, none);
        expect(read === null || read instanceof Workload).toBe(true);
      }),
    );
  });

  it('is read once for the same id and value, and anew for another value', () => {
    const peers = new KnownPeers(none);
    const first = peers.of('a', writePeerHeader(own));
    expect(peers.of('a', writePeerHeader(own))).toBe(first);
    expect(peers.of('a', writePeerHeader(ownWorkload({ metadata: { WORKLOAD_NAME: 'other' } })))!.workload).toBe(
      'other',
    );
    for (let i = 0; i < 5000; i++) peers.of(`id ${i}`, 'CgA=');
    expect((peers as unknown as { byId: Map<string, unknown> }).byId.size).toBeLessThanOrEqual(500);
  });
});

describe('baggage', () => {
  it('tells of a workload by Istio’s keys', () => {
    const told = ownWorkload({ metadata, locality });
    expect(baggageOf(told)).toBe(
      'k8s.deployment.name=reviews-v1,service.name=reviews,service.version=latest,app.version=v1,' +
        'k8s.namespace.name=default,k8s.cluster.name=Kubernetes,k8s.instance.name=reviews-v1-abc,' +
        'cloud.region=r1,cloud.availability_zone=z1',
    );
    expect(workloadOfBaggage(`other=1, ${baggageOf(told)}`)).toEqual(told);
  });

  it('of any text is a workload', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(workloadOfBaggage(text)).toBeInstanceOf(Workload);
      }),
    );
  });
});
