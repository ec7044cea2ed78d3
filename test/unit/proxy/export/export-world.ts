import { Clock } from '../../../../src/core/clock.ts';
import { emptyRuntime } from '../../../../src/core/runtime-view.ts';
import type { RequestHead } from '../../../../src/core/head.ts';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Cluster } from '../../../../src/cluster/cluster.ts';
import type { CallOuts, GrpcCallUser, HttpCallUser } from '../../../../src/filter/call-outs.ts';
import { TimerHeap } from '../../../../src/net/timer-heap.ts';
import { Span, SpanKind } from '../../../../src/observe/trace/span.ts';
import type { ExportEnvironment } from '../../../../src/proxy/export/export-environment.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';

/** Something that was sent to a collector. */
export interface Sent {
  readonly cluster: string;
  /** Null: by gRPC. */
  readonly head: RequestHead | null;
  readonly path: string;
  readonly body: Uint8Array;
  /** HTTP's status; by gRPC 0. */
  answer(status: number): void;
  fail(): void;
}

/** What exporters need, with collectors that are the test. */
export class ExportWorld implements CallOuts {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  readonly stats: RecordingStats;
  readonly sent: Sent[];
  readonly knownClusters: Set<string>;
  readonly environment: ExportEnvironment;
  readonly runtime: Record<string, number>;

  constructor() {
    this.clock = new Clock(1000, 1_700_000_000_000);
    this.timers = new TimerHeap(() => {});
    this.stats = new RecordingStats();
    this.sent = [];
    this.knownClusters = new Set(['c']);
    this.runtime = {};
    this.environment = {
      clusters: { get: (name) => (this.knownClusters.has(name) ? (noCluster as Cluster) : undefined) },
      callOuts: this,
      clock: this.clock,
      timers: this.timers,
      runtime: { ...emptyRuntime, number: (key, otherwise) => this.runtime[key] ?? otherwise },
      stats: this.stats,
      node: { id: 'n', cluster: 'nc', locality: { region: 'r', zone: 'z', subZone: '' }, metadata: { m: 1 } },
      localAddress: '10.0.0.1',
      random: () => 0.5,
    };
  }

  advance(ms: number): void {
    this.clock.now += ms;
    this.timers.run(this.clock.now);
  }

  http(cluster: string, head: RequestHead, body: Uint8Array | null, _options: unknown, user: HttpCallUser) {
    this.sent.push({
      cluster,
      head,
      path: head.path,
      body: body!,
      answer: (status) => user.onAnswer({ head: new ResponseHead(status, new Headers()), body: new Uint8Array() }),
      fail: () => user.onFailure('failed'),
    });
    return { cancel: () => {} };
  }

  grpc(cluster: string, path: string, body: Uint8Array, _options: unknown, user: GrpcCallUser) {
    this.sent.push({
      cluster,
      head: null,
      path,
      body,
      answer: () => user.onAnswer(new Uint8Array()),
      fail: () => user.onFailure(14, 'failed'),
    });
    return { cancel: () => {} };
  }
}

const noCluster = {};

export function spanOf(name = 'n'): Span {
  const identity = { traceId: '0123456789abcdef', id: 'fedcba9876543210', parentId: '', isShared: true, state: '' };
  const span = new Span({ ...identity, kind: SpanKind.Server }, name, true, 1_700_000_000_000);
  span.endEpochMs += 1.5;
  span.tag('key', 'val"ue');
  return span;
}
