import { create, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { Headers } from '../../../../../src/core/headers.ts';
import { ResponseHead } from '../../../../../src/core/head.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { peerMetadataBuilder } from '../../../../../src/filter/istio/peer-metadata/build.ts';
import { peerMetadataDecoder } from '../../../../../src/filter/istio/peer-metadata/decode.ts';
import { writePeerHeader } from '../../../../../src/filter/istio/workload/peer-header.ts';
import { unknownWorkload, Workload } from '../../../../../src/filter/istio/workload/workload.ts';
import { ConfigSchema, type Config } from '../../../../../src/proto/istio/peer_metadata_pb.js';
import { filterContext, request, TestStream } from '../../filter-fixture.ts';

type Fields = Omit<Partial<Config>, '$typeName' | '$unknown'>;
const headers = { methodSpecifier: { case: 'istioHeaders', value: { skipExternalClusters: false } } } as const;
const discovery = { methodSpecifier: { case: 'workloadDiscovery', value: {} } } as const;
const baggage = { methodSpecifier: { case: 'baggage', value: {} } } as const;

const peer = new Workload({ ...unknownWorkload, workload: 'productpage-v1', namespace: 'default' });
const sent = writePeerHeader(peer);
const node = {
  id: 'sidecar~10.0.0.2~reviews.default~d',
  cluster: 'reviews',
  metadata: { WORKLOAD_NAME: 'reviews-v1', NETWORK: 'n1' },
};

function dataOf(fields: object) {
  const reasons = new Reasons();
  const message = create(ConfigSchema, fields as Fields);
  const data = peerMetadataDecoder.decode(toBinary(ConfigSchema, message), reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  return data;
}

function streamOf(fields: object, fieldsOfRequest: Record<string, string> = {}) {
  const context = { ...filterContext(), localNode: node, workloads: { byAddress: () => peer } };
  const filter = peerMetadataBuilder.build(dataOf(fields), context).create();
  const stream = new TestStream(context, request());
  for (const [name, value] of Object.entries(fieldsOfRequest)) stream.requestHead.headers.add(name, value);
  return { stream, filter, outcome: stream.outcome };
}

it('a server finds out who its client is, and tells it who it is if that is asked for', () => {
  const inbound = { downstreamDiscovery: [headers, discovery], downstreamPropagation: [headers] };
  const told = { 'x-envoy-peer-metadata': sent, 'x-envoy-peer-metadata-id': 'a' };
  const { stream, filter, outcome } = streamOf(inbound, told);
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(outcome.filterState!.get('downstream_peer')).toEqual(peer.struct);
  expect(stream.requestHead.headers.names.filter((name) => name.includes('peer'))).toEqual([]);
  const head = new ResponseHead(200, new Headers());
  filter.onResponseHead!(stream, head, true);
  expect(head.headers.get('x-envoy-peer-metadata-id')).toBe(node.id);
  expect(head.headers.get('x-envoy-peer-metadata')).toBe(
    writePeerHeader(new Workload({ ...unknownWorkload, workload: 'reviews-v1' })),
  );

  const silent = streamOf(inbound);
  silent.filter.onRequestHead!(silent.stream, silent.stream.requestHead, true);
  const answer = new ResponseHead(200, new Headers());
  silent.filter.onResponseHead!(silent.stream, answer, true);
  expect(answer.headers.length).toBe(0);
});

it('a client tells who it is, and learns who its upstream is', () => {
  const { stream, filter, outcome } = streamOf({ upstreamDiscovery: [headers], upstreamPropagation: [headers] });
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(stream.requestHead.headers.get('x-envoy-peer-metadata-id')).toBe(node.id);
  const head = new ResponseHead(200, Headers.of(['x-envoy-peer-metadata', sent], ['x-envoy-peer-metadata-id', 'b']));
  filter.onResponseHead!(stream, head, true);
  expect(Workload.in(outcome.filterState, 'upstream_peer')).toEqual(peer);
  expect(head.headers.length).toBe(0);
});

it('clusters outside of the mesh are told nothing', () => {
  const skipping = { methodSpecifier: { case: 'istioHeaders', value: { skipExternalClusters: true } } } as const;
  const toldTo = (method: object, metadata: Record<string, unknown> | null, name = 'c') => {
    const { stream, filter, outcome } = streamOf({ upstreamPropagation: [method] });
    outcome.upstreamClusterRaw = name;
    outcome.clusterMetadata = metadata;
    filter.onRequestHead!(stream, stream.requestHead, true);
    return stream.requestHead.headers.has('x-envoy-peer-metadata');
  };
  expect(toldTo(skipping, null)).toBe(true);
  expect(toldTo(skipping, null, 'PassthroughCluster')).toBe(false);
  expect(toldTo(headers, null, 'PassthroughCluster')).toBe(true);
  expect(toldTo(skipping, { istio: { external: true } })).toBe(false);
  expect(toldTo(headers, { istio: { external: true } })).toBe(true);
  expect(toldTo(headers, { istio: { disable_mx: true } })).toBe(false);
});

it('by workload discovery a peer is who is at its address, unless it comes from another network', () => {
  const fields = { downstreamDiscovery: [discovery], upstreamDiscovery: [discovery], sharedWithUpstream: true };
  const { stream, filter, outcome } = streamOf(fields, { 'x-forwarded-network': 'n1' });
  outcome.remoteAddress = { kind: 'ip', host: '10.0.0.1', port: 1 };
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(Workload.in(outcome.filterState, 'downstream_peer')).toBe(peer);
  outcome.upstreamHost = '10.0.0.3:80';
  filter.onResponseHead!(stream, new ResponseHead(200, new Headers()), true);
  expect(Workload.in(outcome.filterState, 'upstream_peer')).toBe(peer);

  const far = streamOf(fields, { 'x-forwarded-network': 'n2' });
  far.outcome.remoteAddress = { kind: 'ip', host: '10.0.0.1', port: 1 };
  far.filter.onRequestHead!(far.stream, far.stream.requestHead, true);
  expect(far.outcome.filterState).toBeNull();
});

it('baggage tells and is told', () => {
  const { stream, filter, outcome } = streamOf(
    { downstreamDiscovery: [baggage], upstreamDiscovery: [baggage], upstreamPropagation: [baggage] },
    { baggage: 'k8s.pod.name=client' },
  );
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(Workload.in(outcome.filterState, 'downstream_peer')!.workload).toBe('client');
  expect(stream.requestHead.headers.get('baggage')).toBe('k8s.pod.name=reviews-v1');
});

it('labels that are asked for are told and kept', () => {
  expect(dataOf({ additionalLabels: ['role'] })).toMatchObject({
    additionalLabels: ['role'],
    sharedWithUpstream: false,
  });
});
