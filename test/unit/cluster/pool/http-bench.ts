import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import type { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { Host, HttpPool, StreamWaiter } from '../../../../src/cluster/cluster.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream } from '../../../../src/core/message-sink.ts';
import { anyHost, breaker, clusterData, World } from '../cluster-fixture.ts';
import type { MemoryConnection } from '../memory-network.ts';

/** A stream's user that writes down what it hears, and sends a request as soon as it may. */
export class Waiter implements StreamWaiter {
  readonly log: string[] = [];
  stream: CodecStream<RequestHead> | null = null;
  private readonly path: string;
  /** Called at the end of the response, from inside the codec. */
  onEnd: (() => void) | null = null;
  onFail: (() => void) | null = null;

  constructor(path = '/') {
    this.path = path;
  }

  onPoolReady(stream: CodecStream<RequestHead>): void {
    this.log.push('ready');
    this.stream = stream;
    stream.head(new RequestHead('GET', 'h', this.path, HttpVersion.Http11, new Headers()), true);
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    this.log.push(`${failure.kind.name} ${host === null ? '-' : host.addressText}`);
    this.onFail?.();
  }

  head(head: ResponseHead, end: boolean): void {
    this.log.push(String(head.status));
    if (end) this.onEnd?.();
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.log.push(Buffer.from(chunk).toString());
    if (end) this.onEnd?.();
  }

  trailers(): void {
    this.onEnd?.();
  }

  reset(failure: Failure): void {
    this.log.push(failure.kind.name);
  }

  onAboveHighWatermark(): void {
    this.log.push('above');
  }

  onBelowLowWatermark(): void {
    this.log.push('below');
  }
}

export const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

export class Bench {
  readonly world = new World();
  readonly cluster: ClusterRuntime;
  readonly host: UpstreamHost;
  readonly pool: HttpPool;

  constructor(change: Partial<ClusterData> = {}) {
    this.cluster = this.world.cluster(change);
    this.host = this.cluster.pick(anyHost) as UpstreamHost;
    this.pool = this.cluster.httpPool(this.host, 0);
  }

  ask(path = '/'): Waiter {
    const waiter = new Waiter(path);
    this.pool.newStream(waiter);
    return waiter;
  }

  get dials(): number {
    return this.world.network.dials.length;
  }

  connect(index = this.dials - 1): MemoryConnection {
    return this.world.network.dials[index].succeed();
  }

  get stats(): Record<string, number> {
    return this.world.stats.read();
  }

  limit(name: string): number {
    return this.world.limits.load(`cluster/c/default/${name}`);
  }
}

export const http = clusterData().http;
export const limited = (change: Partial<typeof breaker>): Partial<ClusterData> => ({
  breakers: [{ ...breaker, ...change }, breaker],
});
