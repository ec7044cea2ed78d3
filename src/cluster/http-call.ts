import { noBytes } from '../core/bytes.ts';
import type { Clock, Timed, Timers } from '../core/clock.ts';
import type { Connection } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import { LocalReset, NoHealthyUpstream } from '../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../core/head.ts';
import { lentBytes } from '../core/lent-bytes.ts';
import type { CodecStream } from '../core/message-sink.ts';
import type { Cluster, Host, HttpPool, StreamWaiter } from './cluster.ts';
import { behindFilters } from './pool/behind-filters.ts';

/** Hears exactly one of both, perhaps before `start` returns; nothing after `cancel`. */
export interface HttpCallUser {
  onAnswer(head: ResponseHead, body: Uint8Array): void;
  /** `reason`: for logs. */
  onFailure(reason: string): void;
}

export interface HttpCallSettings {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  random(): number;
  /** Milliseconds until the answer must be whole; 0: no limit. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body: more is a failure. */
  readonly bodyBytesMax: number;
  /** The timeout is that of one try of several. */
  readonly isOfTry?: boolean;
  /** Whether somebody asks again: of this try nothing more is heard or counted. `failure`: instead of an answer. */
  repeats?(status: number, failure: Failure | null): boolean;
  /** A host has a stream for it. */
  onReached?(host: Host, version: HttpVersion | null): void;
  /** It could not be reached, or broke off. */
  onBroken?(failure: Failure, host: Host | null): void;
}

/** Envoy's timeout status. */
const timedOut = 504;

/** A request of our own, sent and answered as a whole: over the cluster's pools, limits and stats. */
export class HttpCall implements StreamWaiter, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly cluster: Cluster;
  private readonly request: RequestHead;
  private readonly body: Uint8Array | null;
  private readonly settings: HttpCallSettings;
  private readonly user: HttpCallUser;
  private readonly startMs: number;
  private pool: HttpPool | null;
  private stream: CodecStream<RequestHead> | null;
  private host: Host | null;
  private answer: ResponseHead | null;
  private readonly chunks: Uint8Array[];
  private bodyBytes: number;
  private isOver: boolean;

  /** `body`: null: none. */
  constructor(
    cluster: Cluster,
    request: RequestHead,
    body: Uint8Array | null,
    settings: HttpCallSettings,
    user: HttpCallUser,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.cluster = cluster;
    this.request = request;
    this.body = body;
    this.settings = settings;
    this.user = user;
    this.startMs = settings.clock.now;
    this.pool = null;
    this.stream = null;
    this.host = null;
    this.answer = null;
    this.chunks = [];
    this.bodyBytes = 0;
    this.isOver = false;
  }

  /** Once. */
  start(): void {
    const { cluster, request, settings } = this;
    const { timeoutMs, timers, clock } = settings;
    const host = cluster.pick({
      random: settings.random(),
      hash: null,
      head: request,
      rejects: () => false,
      hostSelectionAttempts: 0,
    });
    if (host === null) {
      cluster.stats.cxNoneHealthy.inc();
      this.count(NoHealthyUpstream.kind.status);
      this.fail(NoHealthyUpstream.kind.reason);
      return;
    }
    if (timeoutMs > 0) timers.schedule(this, clock.now + timeoutMs);
    this.host = host;
    const wanted = cluster.transportOptions(host, request.authority, request.headers, null, null);
    this.pool = behindFilters(cluster, cluster.httpPool(host, 0, HttpVersion.Http11, wanted));
    this.pool.newStream(this);
  }

  /** The user hears nothing more. */
  cancel(): void {
    this.drop();
  }

  /** The timeout. */
  tick(): void {
    const { stats } = this.cluster;
    const isOfTry = this.settings.isOfTry === true;
    (isOfTry ? stats.rqPerTryTimeout : stats.rqTimeout).inc();
    this.host?.recordTimeout(this.answer === null ? timedOut : 0);
    if (isOfTry && this.answer === null && this.settings.repeats?.(timedOut, LocalReset) === true) {
      this.drop();
      return;
    }
    if (this.answer === null) this.count(timedOut);
    this.failAndDrop(`there is no whole answer after ${this.settings.timeoutMs} ms`);
  }

  // StreamWaiter

  onPoolReady(
    stream: CodecStream<RequestHead>,
    _connection: Connection,
    host: Host,
    _connectStartMs: number,
    version: HttpVersion | null,
  ): void {
    this.settings.onReached?.(host, version);
    this.stream = stream;
    this.host = host;
    host.recordConnected(false);
    stream.head(this.request, this.body === null);
    if (this.body !== null && !this.isOver) stream.data(this.body, true);
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    if (host !== null) this.host = host;
    this.reset(failure);
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isOver || head.status < 200) return;
    this.answer = head;
    this.host!.recordAnswer(this.request, head);
    if (this.settings.repeats?.(head.status, null) === true) {
      if (end) this.finish();
      else this.drop();
      return;
    }
    this.count(head.status);
    if (end) this.complete();
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    this.bodyBytes += chunk.length;
    if (this.bodyBytes > this.settings.bodyBytesMax) {
      this.failAndDrop(`the answer has more than ${this.settings.bodyBytesMax} bytes`);
      return;
    }
    // A copy: memory that is read into belongs to the connection.
    this.chunks.push(chunk.slice());
    lentBytes.settle(chunk, chunk.length);
    if (end) this.complete();
  }

  trailers(): void {
    if (!this.isOver) this.complete();
  }

  reset(failure: Failure): void {
    if (this.isOver) return;
    this.stream = null;
    this.settings.onBroken?.(failure, this.host);
    this.host?.recordResult(0, failure);
    if (this.answer === null && this.settings.repeats?.(0, failure) === true) {
      this.finish();
      return;
    }
    if (this.answer === null) this.count(failure.kind.status);
    this.fail(failure.kind.reason);
  }

  /** Whole requests are small. */
  onAboveHighWatermark(): void {}

  onBelowLowWatermark(): void {}

  // ---- inside

  private complete(): void {
    const { cluster, host, settings, chunks, answer } = this;
    const time = Math.round(settings.clock.now - this.startMs);
    cluster.stats.recordTime(time, true, host!.canary, host!.zone);
    // What is sent beyond a whole answer is the codec's business.
    this.finish();
    this.user.onAnswer(answer!, chunks.length === 1 ? chunks[0] : joinedBytes(chunks, this.bodyBytes));
  }

  /** The status of what became of the request. */
  private count(status: number): void {
    const { host, cluster } = this;
    cluster.stats.recordCode(status, true, host?.canary ?? false, host?.zone ?? '');
  }

  private failAndDrop(reason: string): void {
    this.drop();
    this.user.onFailure(reason);
  }

  private fail(reason: string): void {
    this.finish();
    this.user.onFailure(reason);
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
    this.stream = null;
    this.settings.timers.cancel(this);
  }
}

function joinedBytes(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 0) return noBytes;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
