import type { Cluster, Host, HttpPool, PickContext, StreamWaiter } from '../../../cluster/cluster.ts';
import { behindFilters } from '../../../cluster/pool/behind-filters.ts';
import type { Timed } from '../../../core/clock.ts';
import type { Connection } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import { LocalReset, NoHealthyUpstream } from '../../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { keepIn } from '../../../core/joined-bytes.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import type { AskedSpan } from '../../trace/asked-span.ts';
import type { HttpConnectionManager } from '../connection-manager.ts';

/** Envoy's timeout status. */
const timedOut = 504;

/** What a shadow needs to know beside its head. */
export interface ShadowSettings {
  /** Of the whole exchange, from the end of the request; 0: none. */
  readonly timeoutMs: number;
  /** Bytes that may wait for its upstream: beyond them it is dropped. */
  readonly bytesMax: number;
  /** Answers are counted by their status. */
  readonly countsCodes: boolean;
}

/**
 * A request that another cluster is sent as well, and whose answer nobody waits for. It may outlive the stream that it
 * was copied from, and whatever becomes of it that stream does not notice: one that falls behind is dropped.
 */
export class Shadow implements StreamWaiter, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly manager: HttpConnectionManager;
  private readonly cluster: Cluster;
  private readonly request: RequestHead;
  private readonly settings: ShadowSettings;
  private readonly span: AskedSpan | null;
  private pool: HttpPool | null;
  private stream: CodecStream<RequestHead> | null;
  private host: Host | null;
  /** What waits for a connection. */
  private waiting: Uint8Array[];
  private trailing: Headers | null;
  /** Bytes that it has been given and that cannot have left yet. */
  private owed: number;
  private isSlow: boolean;
  private hasAnswered: boolean;
  private isOver: boolean;
  private endMs: number;

  /**
   * @param request its own copy
   * @param span null: it is not traced
   */
  constructor(
    manager: HttpConnectionManager,
    cluster: Cluster,
    request: RequestHead,
    settings: ShadowSettings,
    span: AskedSpan | null,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.manager = manager;
    this.cluster = cluster;
    this.request = request;
    this.settings = settings;
    this.span = span;
    this.pool = null;
    this.stream = null;
    this.host = null;
    this.waiting = [];
    this.trailing = null;
    this.owed = 0;
    this.isSlow = false;
    this.hasAnswered = false;
    this.isOver = false;
    this.endMs = NaN;
  }

  private get hasEnded(): boolean {
    return !Number.isNaN(this.endMs);
  }

  start(end: boolean): void {
    const { cluster, request } = this;
    if (end) this.ended();
    if (cluster.isInMaintenance) {
      cluster.stats.scope.counter('upstream_rq_maintenance_mode').inc();
      this.answered(NoHealthyUpstream.kind.status);
      this.finish();
      return;
    }
    const host = cluster.pick(anyHost(request));
    if (host === null) {
      cluster.stats.cxNoneHealthy.inc();
      this.answered(NoHealthyUpstream.kind.status);
      this.finish();
      return;
    }
    this.host = host;
    const wanted = cluster.transportOptions(host, request.authority, request.headers, null, null);
    this.pool = behindFilters(cluster, cluster.httpPool(host, 0, HttpVersion.Http11, wanted));
    this.pool.newStream(this);
  }

  /** Of the request: `chunk` is shared with others. */
  sendData(chunk: Uint8Array, end: boolean): void {
    if (this.isOver || this.hasEnded) return;
    if (end) this.ended();
    if (this.stream === null || this.isSlow) {
      this.owed += chunk.length;
      if (this.owed > this.settings.bytesMax) {
        this.cluster.stats.retryOrShadowAbandoned.inc();
        this.drop();
        return;
      }
    }
    if (this.stream === null) keepIn(this.waiting, chunk);
    else this.stream.data(chunk, end);
  }

  sendTrailers(trailers: Headers): void {
    if (this.isOver || this.hasEnded) return;
    this.ended();
    if (this.stream === null) this.trailing = trailers;
    else this.stream.trailers(trailers);
  }

  /** The stream that it was copied from is over: a request without its end will not be completed. */
  leave(): void {
    if (!this.hasEnded) this.drop();
  }

  tick(): void {
    this.cluster.stats.rqTimeout.inc();
    this.host?.recordTimeout(this.hasAnswered ? 0 : timedOut);
    this.answered(timedOut);
    this.drop();
  }

  onPoolReady(
    stream: CodecStream<RequestHead>,
    _connection: Connection,
    host: Host,
    _connectStartMs: number,
    version: HttpVersion | null,
  ): void {
    this.span?.reached(host, version);
    const { waiting, trailing, hasEnded } = this;
    this.stream = stream;
    this.host = host;
    this.waiting = [];
    this.owed = 0;
    host.recordConnected(false);
    const last = waiting.length - 1;
    stream.head(this.request, hasEnded && last < 0 && trailing === null);
    for (let i = 0; i <= last && !this.isOver; i++)
      stream.data(waiting[i], hasEnded && i === last && trailing === null);
    if (trailing !== null && !this.isOver) stream.trailers(trailing);
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    if (host !== null) this.host = host;
    this.failed(failure);
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isOver || (head.status < 200 && head.status !== 101)) return;
    this.host!.recordAnswer(this.request, head);
    this.answered(head.status);
    if (end) this.complete();
  }

  data(_chunk: Uint8Array, end: boolean): void {
    if (end) this.complete();
  }

  trailers(): void {
    this.complete();
  }

  reset(failure: Failure): void {
    this.stream = null;
    this.failed(failure);
  }

  onAboveHighWatermark(): void {
    this.isSlow = true;
    this.owed = 0;
  }

  onBelowLowWatermark(): void {
    this.isSlow = false;
    this.owed = 0;
  }

  private ended(): void {
    const { clock, timers } = this.manager;
    this.endMs = clock.now;
    if (this.settings.timeoutMs > 0) timers.schedule(this, clock.now + this.settings.timeoutMs);
  }

  private failed(failure: Failure): void {
    if (this.isOver) return;
    this.host?.recordResult(0, failure);
    this.span?.broke(failure, this.host);
    this.answered(failure.kind.status);
    this.finish();
  }

  private complete(): void {
    if (this.isOver) return;
    const { cluster, host, manager } = this;
    if (this.hasEnded) {
      const time = Math.round(manager.clock.now - this.endMs);
      cluster.stats.recordTime(time, true, host!.canary, host!.zone);
      this.finish();
    } else this.drop();
  }

  /** Its status counts once, as that of a request of our own. */
  private answered(status: number): void {
    if (this.hasAnswered) return;
    this.hasAnswered = true;
    this.span?.answered(status);
    const { host, cluster } = this;
    if (this.settings.countsCodes) cluster.stats.recordCode(status, true, host?.canary ?? false, host?.zone ?? '');
  }

  private drop(): void {
    if (this.isOver) return;
    const { stream } = this;
    this.finish();
    if (stream === null) this.pool?.cancel(this);
    else stream.reset(LocalReset);
  }

  private finish(): void {
    this.isOver = true;
    this.span?.finish();
    this.stream = null;
    this.waiting = [];
    this.manager.timers.cancel(this);
  }
}

/** As Envoy's, a mirrored request goes to any host, whatever its route says. */
function anyHost(head: RequestHead): PickContext {
  return { random: Math.random(), hash: null, head, rejects: () => false, hostSelectionAttempts: 0 };
}
