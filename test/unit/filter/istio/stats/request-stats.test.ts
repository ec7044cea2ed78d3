import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../../src/core/head.ts';
import { Headers } from '../../../../../src/core/headers.ts';
import type { Peer } from '../../../../../src/core/peer.ts';
import { ResponseFlag } from '../../../../../src/core/failure.ts';
import type { TrafficDirection } from '../../../../../src/filter/filter.ts';
import { MessageCounts } from '../../../../../src/filter/grpc-stats/message-counts.ts';
import { istioStatsBuilder } from '../../../../../src/filter/istio/stats/build.ts';
import { StatsEviction } from '../../../../../src/filter/istio/stats/eviction.ts';
import { StatsRegistry } from '../../../../../src/filter/istio/stats/registry.ts';
import { unknownWorkload, Workload } from '../../../../../src/filter/istio/workload/workload.ts';
import type { Outcome } from '../../../../../src/observe/outcome.ts';
import { MetricType, Reporter, type PluginConfigSchema } from '../../../../../src/proto/istio/stats_pb.js';
import { filterContext, TestStream } from '../../filter-fixture.ts';
import { node, Page, statsData } from './telemetry-fixture.ts';

const peer = new Workload({
  ...unknownWorkload,
  workload: 'productpage-v1',
  namespace: 'front',
  cluster: 'other',
  canonicalName: 'productpage',
  canonicalRevision: 'latest',
  app: 'productpage',
  version: 'v1',
  identity: 'spiffe://cluster.local/ns/front/sa/productpage',
});
const clusterMetadata = {
  istio: { services: [{ host: 'ratings.default.svc.cluster.local', name: 'ratings', namespace: 'default' }] },
};

/** A peer whose certificate, and ours, have these URIs. */
function withTls(theirs: string, ours: string): Peer {
  return { tls: { peerChain: [{ uris: [theirs] }], local: { uris: [ours] } } } as unknown as Peer;
}

class Bed {
  readonly page: Page;
  readonly context: ReturnType<typeof filterContext>;
  private readonly filter: ReturnType<ReturnType<typeof istioStatsBuilder.build>['create']>;

  constructor(direction: TrafficDirection, fields: MessageInitShape<typeof PluginConfigSchema> = {}) {
    this.page = new Page();
    this.context = filterContext();
    const rootStats = this.page.worker.root;
    const context = { ...this.context, localNode: node, rootStats, trafficDirection: direction };
    this.filter = istioStatsBuilder.build(statsData(fields), context).create();
  }

  begin(grpc = false): TestStream {
    const headers = Headers.of(...(grpc ? [['content-type', 'application/grpc'] as const] : []));
    const head = new RequestHead('GET', 'host.example:80', '/a?b', HttpVersion.Http2, headers);
    const stream = new TestStream(this.context, head);
    this.filter.onRequestHead!(stream, head, true);
    return stream;
  }

  end(stream: TestStream, fields: Partial<Outcome> = {}): void {
    Object.assign(stream.outcome, {
      responseCode: 200,
      startMs: 100,
      endMs: 112.5,
      wireBytesReceived: 900,
      wireBytesSent: 60_000,
    });
    Object.assign(stream.outcome, fields);
    this.filter.onComplete!(stream);
  }

  request(fields: Partial<Outcome> = {}): void {
    this.end(this.begin(), fields);
  }
}

const state = (key: string, workload = peer) => {
  const map = new Map<string, unknown>();
  workload.setIn(map, key, false);
  return map;
};

it('a server counts its client’s requests under Istio’s labels, in its order', async () => {
  const bed = new Bed('INBOUND', { disableHostHeaderFallback: true });
  const tls = withTls('spiffe://cluster.local/ns/front/sa/productpage', 'spiffe://cluster.local/ns/default/sa/reviews');
  bed.request({ filterState: state('downstream_peer'), peer: tls });
  bed.request({ filterState: state('downstream_peer'), peer: tls });
  expect(await bed.page.lines('istio_requests_total')).toEqual([
    'istio_requests_total{reporter="destination",source_workload="productpage-v1",' +
      'source_canonical_service="productpage",source_canonical_revision="latest",source_workload_namespace="front",' +
      'source_principal="spiffe://cluster.local/ns/front/sa/productpage",source_app="productpage",' +
      'source_version="v1",source_cluster="other",destination_workload="reviews-v1",' +
      'destination_workload_namespace="default",' +
      'destination_principal="spiffe://cluster.local/ns/default/sa/reviews",destination_app="reviews",' +
      'destination_version="v1",destination_service="reviews",destination_canonical_service="reviews",' +
      'destination_canonical_revision="v1",destination_service_name="reviews",' +
      'destination_service_namespace="default",destination_cluster="Kubernetes",request_protocol="http",' +
      'response_code="200",grpc_response_status="",response_flags="-",connection_security_policy="mutual_tls"} 2',
  ]);
  const sums = await Promise.all(
    ['istio_request_duration_milliseconds_sum', 'istio_request_bytes_count', 'istio_response_bytes_bucket'].map(
      (name) => bed.page.lines(name),
    ),
  );
  expect(sums[1][0]).toMatch(/connection_security_policy="mutual_tls"\} 2$/);
  expect(sums[2]).toHaveLength(20);
  expect(await bed.page.lines('istio_build')).toEqual(['istio_build{component="proxy",tag="1.29.6"} 1']);
});

it('a client names the service of the cluster, and the endpoint where its peer does not tell', async () => {
  const bed = new Bed('OUTBOUND');
  const upstreamHostMetadata = { istio: { workload: 'ratings-v1;back;ratings;v2;Kubernetes' } };
  bed.request({ clusterMetadata, upstreamHostMetadata, upstreamClusterRaw: 'outbound|80||ratings' });
  const [line] = await bed.page.lines('istio_requests_total');
  expect(line).toBe(
    'istio_requests_total{reporter="source",source_workload="reviews-v1",source_canonical_service="reviews",' +
      'source_canonical_revision="v1",source_workload_namespace="default",source_principal="unknown",' +
      'source_app="reviews",source_version="v1",source_cluster="Kubernetes",destination_workload="ratings-v1",' +
      'destination_workload_namespace="back",destination_principal="unknown",destination_app="unknown",' +
      'destination_version="unknown",destination_service="ratings.default.svc.cluster.local",' +
      'destination_canonical_service="ratings",destination_canonical_revision="v2",' +
      'destination_service_name="ratings",destination_service_namespace="default",destination_cluster="Kubernetes",' +
      'request_protocol="http",response_code="200",grpc_response_status="",response_flags="-",' +
      'connection_security_policy="unknown"} 1',
  );
});

/** The values of some labels of the only line. */
async function labels(bed: Bed, ...names: string[]): Promise<string[]> {
  const lines = await bed.page.lines('istio_requests_total');
  expect(lines).toHaveLength(1);
  return names.map((name) => new RegExp(`[{,]${name}="([^"]*)"`).exec(lines[0])?.[1] ?? 'absent');
}

it('where nothing is known of a service, the host is it, if that may be', async () => {
  const trusting = new Bed('OUTBOUND');
  trusting.request({ upstreamClusterRaw: 'c' });
  const names = [
    'destination_service',
    'destination_service_name',
    'destination_service_namespace',
    'destination_workload',
  ];
  expect(await labels(trusting, ...names)).toEqual(['host.example:80', 'host.example:80', 'unknown', 'unknown']);
  const other = new Bed('OUTBOUND', { disableHostHeaderFallback: true });
  other.request({ upstreamClusterRaw: 'c' });
  expect(await labels(other, ...names)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
});

it('traffic that goes nowhere known has names of its own', async () => {
  const nameOf = async (fields: Partial<Outcome>) => {
    const bed = new Bed('OUTBOUND');
    bed.request(fields);
    return (await labels(bed, 'destination_service_name'))[0];
  };
  expect(await nameOf({ routeName: 'block_all' })).toBe('BlackHoleCluster');
  expect(await nameOf({ routeName: 'allow_any', upstreamClusterRaw: 'x' })).toBe('PassthroughCluster');
  expect(await nameOf({ upstreamClusterRaw: 'InboundPassthroughCluster', clusterMetadata })).toBe(
    'InboundPassthroughCluster',
  );
  expect(await nameOf({ upstreamClusterRaw: 'x', clusterMetadata: { istio: { services: [{ host: 'a.b.c' }] } } })).toBe(
    'a',
  );
});

it('a client’s peer is who its certificate says, and lives where that says', async () => {
  const bed = new Bed('OUTBOUND');
  const upstreamPeer = withTls('spiffe://td/ns/elsewhere/sa/x', 'spiffe://td/ns/default/sa/reviews');
  bed.request({ upstreamPeer, filterState: state('upstream_peer') });
  const names = ['source_principal', 'destination_principal', 'destination_workload_namespace', 'destination_app'];
  expect(await labels(bed, ...names)).toEqual([
    'spiffe://td/ns/default/sa/reviews',
    'spiffe://td/ns/elsewhere/sa/x',
    'elsewhere',
    'productpage',
  ]);
  const told = new Bed('OUTBOUND');
  told.request({ filterState: state('upstream_peer') });
  expect(await labels(told, 'destination_principal', 'destination_workload_namespace')).toEqual([
    peer.identity,
    'front',
  ]);
});

it('a gateway of servers tells of both ends, by what a tunnel says of them', async () => {
  const bed = new Bed('INBOUND', { reporter: Reporter.SERVER_GATEWAY, disableHostHeaderFallback: true });
  const filterState = state('downstream_peer');
  new Workload({ ...unknownWorkload, workload: 'w', namespace: 'n', identity: 'spiffe://i', app: 'a' }).setIn(
    filterState,
    'upstream_peer',
    false,
  );
  filterState.set('io.istio.peer_principal', 'spiffe://td/ns/front/sa/p');
  filterState.set('io.istio.local_principal', 'spiffe://td/ns/gw/sa/w');
  bed.request({ filterState, clusterMetadata });
  const names = [
    'reporter',
    'source_principal',
    'destination_workload',
    'destination_workload_namespace',
    'destination_principal',
    'destination_app',
    'destination_service',
    'destination_canonical_revision',
    'destination_service_namespace',
    'destination_cluster',
    'connection_security_policy',
  ];
  expect(await labels(bed, ...names)).toEqual([
    'waypoint',
    'spiffe://td/ns/front/sa/p',
    'w',
    'n',
    'spiffe://i',
    'a',
    'ratings.default.svc.cluster.local',
    'unknown',
    'default',
    'unknown',
    'mutual_tls',
  ]);
});

it('flags and codes are labels; a listener without a direction is a client’s', async () => {
  const bed = new Bed('UNSPECIFIED');
  bed.request({
    responseCode: 503,
    flags: ResponseFlag.UpstreamConnectionFailure | ResponseFlag.UpstreamRetryLimitExceeded,
  });
  expect(await labels(bed, 'reporter', 'response_code', 'response_flags')).toEqual(['source', '503', 'URX,UF']);
});

it('metrics may be dropped, tags taken away, changed and added', async () => {
  const bed = new Bed('INBOUND', {
    metrics: [
      {
        dimensions: { request_method: 'request.method', reporter: '"me"' },
        name: 'requests_total',
        tagsToRemove: ['destination_app', 'no_such_tag'],
      },
      { name: 'request_bytes', drop: true },
      { dimensions: { b: 'request.headers["x"]', a: 'node.metadata["PLATFORM"]', peer: 'downstream_peer.workload' } },
      { dimensions: { bad: '1 +', source_app: '1 +' } },
    ],
  });
  bed.request({ filterState: state('downstream_peer') });
  const names = ['destination_app', 'reporter', 'request_method', 'a', 'b', 'peer', 'bad', 'source_app'];
  expect(await labels(bed, ...names)).toEqual([
    'absent',
    'me',
    'GET',
    'p',
    'unknown',
    'productpage-v1',
    'absent',
    'absent',
  ]);
  const [line] = await bed.page.lines('istio_requests_total');
  expect(line).toMatch(
    /^istio_requests_total\{reporter="me",.*,request_method="GET",a="p",b="unknown",peer="productpage-v1"\} 1$/,
  );
  expect(await bed.page.lines('istio_request_bytes')).toEqual([]);
  expect((await bed.page.lines('istio_response_bytes_count'))[0]).toMatch(
    /destination_app="reviews".*,a="p",b="unknown"/,
  );
});

it('definitions are metrics of their own', async () => {
  const bed = new Bed('INBOUND', {
    definitions: [
      { name: 'sizes', value: 'request.headers["x-size"].size() + 41', type: MetricType.COUNTER },
      { name: 'last', value: 'response.code', type: MetricType.GAUGE },
      { name: 'codes', value: 'response.code', type: MetricType.HISTOGRAM },
      { name: 'requests_total', value: '7', type: MetricType.GAUGE },
      { name: 'bad', value: '1 +' },
    ],
    metrics: [{ name: 'last', dimensions: { method: 'request.method', reporter: 'request.method' } }],
  });
  bed.request();
  bed.request({ responseCode: 404 });
  expect(await bed.page.lines('istio_last')).toEqual(['istio_last{method="GET",reporter="GET"} 404']);
  expect(await bed.page.lines('istio_sizes')).toEqual(['istio_sizes 0']);
  expect((await bed.page.lines('istio_codes_count'))[0]).toBe('istio_codes_count 2');
  expect(await bed.page.lines('istio_bad')).toEqual([]);
});

it('gRPC messages are counted while a stream goes on, once its peer is known', async () => {
  const bed = new Bed('INBOUND');
  const stream = bed.begin(true);
  const counts = new MessageCounts();
  stream.outcome.filterState = new Map([[MessageCounts.key, counts]]);
  counts.requests = 3;
  bed.context.timers.pass(5000);
  expect(await bed.page.lines('istio_request_messages_total')).toEqual([]);
  peer.setIn(stream.outcome.filterState, 'downstream_peer', false);
  bed.context.timers.pass(5000);
  counts.requests = 4;
  counts.responses = 2;
  const trailers = Headers.of(['grpc-status', '14']);
  bed.end(stream, { responseHead: new ResponseHead(200, new Headers()), responseTrailers: trailers });
  const [requests] = await bed.page.lines('istio_request_messages_total');
  expect(requests).toMatch(/source_workload="productpage-v1".*destination_cluster="Kubernetes"\} 4$/);
  expect((await bed.page.lines('istio_response_messages_total'))[0]).toMatch(/\} 2$/);
  expect(await labels(bed, 'request_protocol', 'grpc_response_status')).toEqual(['grpc', '14']);
  expect(bed.context.timers.size).toBe(0);
});

it('codes that gRPC does not have are told as one', async () => {
  const bed = new Bed('INBOUND');
  for (const status of ['17', '9999', 'x']) {
    const trailers = Headers.of(['grpc-status', status]);
    bed.end(bed.begin(true), { responseHead: new ResponseHead(200, new Headers()), responseTrailers: trailers });
  }
  expect(await labels(bed, 'grpc_response_status')).toEqual(['-1']);
});

it('what nothing is counted by any more is forgotten', async () => {
  const bed = new Bed('INBOUND', { rotationInterval: { seconds: 60n }, gracefulDeletionInterval: { seconds: 10n } });
  bed.context.clock.now = 1000;
  bed.request({ responseCode: 201 });
  bed.context.clock.now += 61_000;
  bed.request({ responseCode: 202 });
  expect(await bed.page.lines('istio_requests_total')).toHaveLength(2);
  bed.context.clock.now += 61_000;
  bed.request({ responseCode: 202 });
  expect(await labels(bed, 'response_code')).toEqual(['202']);
  expect(await bed.page.lines('istio_build')).toHaveLength(1);
});

it('what has not been counted by for an interval is evicted, and counts from nothing when it comes again', async () => {
  const bed = new Bed('INBOUND');
  const { clock, timers } = bed.context;
  StatsEviction.begin(bed.page.worker.root, timers, clock, 60_000);
  bed.request({ responseCode: 201 });
  bed.request({ responseCode: 202 });
  timers.pass(60_000);
  bed.request({ responseCode: 202 });
  timers.pass(60_000);
  expect(await labels(bed, 'response_code')).toEqual(['202']);
  expect(await bed.page.lines('istio_request_bytes_count')).toHaveLength(1);
  bed.request({ responseCode: 201 });
  bed.request({ responseCode: 202 });
  const counted = (await bed.page.lines('istio_requests_total')).map((line) =>
    /response_code="(\d+)".* (\d+)$/.exec(line)!,
  );
  expect(counted.map(([, code, count]) => `${code}: ${count}`).toSorted()).toEqual(['201: 1', '202: 3']);
  timers.pass(120_000);
  expect(await bed.page.lines('istio_')).toEqual(['istio_build{component="proxy",tag="1.29.6"} 1']);
});

it('so many series there may be, and no more', async () => {
  const page = new Page();
  const registry = new StatsRegistry(page.worker.root.scope('istiocustom'), 2);
  for (const name of ['a', 'b', 'c', 'd'])
    registry.counter('istio_x', ['reporter', 'source', 'who', name], Infinity).inc();
  expect(await page.lines('istio_x')).toEqual([
    'istio_x{reporter="source",who="a"} 1',
    'istio_x{reporter="source",who="b"} 1',
    'istio_x{reporter="source",who="unknown"} 2',
  ]);
});
