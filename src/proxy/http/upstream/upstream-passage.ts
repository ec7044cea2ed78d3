import type { Clock, Timers } from '../../../core/clock.ts';
import type { Connection } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import type { Host, HttpPool, StreamWaiter } from '../../../cluster/cluster.ts';
import type { CallTrace } from '../../../filter/call-outs.ts';
import type { FilterContext, HttpFilter, LocalReply } from '../../../filter/filter.ts';
import { Outcome } from '../../../observe/outcome.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import type { Route } from '../../../route/route.ts';
import type { FilteredStream, HttpFilterChain } from '../stream/filter-chain.ts';
import { sentHeadSize } from '../stats/head-size.ts';
import { LocalReplies } from '../response/local-reply.ts';
import type { HttpStream } from '../stream/stream.ts';
import { PassageStream } from './passage-stream.ts';
import { RequestPassage } from './request-passage.ts';
import { ResponsePassage } from './response-passage.ts';

/** Bytes of one half that filters may hold where no listener says another limit: Envoy's default. */
const ownBufferLimit = 1024 * 1024;

const noConfigs: readonly unknown[] = [];
const plainReplies = new LocalReplies({ localReply: { mappers: [], bodyFormat: null } });

/**
 * One request on its way through the filters of a cluster, or of a router, to a pool, and its answer on the way back.
 * It stands for the pool before its one waiter, and for the waiter before the pool. Filters take the request at once;
 * what has passed them waits for the connection. Source: Envoy `UpstreamRequest`, whose filters see every try anew.
 */
export class UpstreamPassage implements HttpPool, StreamWaiter, FilteredStream {
  readonly chain: HttpFilterChain;
  readonly filters: readonly HttpFilter[];
  readonly outcome: Outcome;
  readonly random: number;
  readonly clock: Clock;
  readonly timers: Timers;
  requestBytesMax: number;
  responseHead: ResponseHead | null;
  /** Null until it is asked for a stream. */
  waiter: StreamWaiter | null;
  private ownHead: RequestHead | null;
  private readonly pool: HttpPool;
  /** Null: it is a request of our own. */
  private readonly stream: HttpStream | null;
  /** By position: 1 where the route switches the filter off; null: none is. */
  private readonly off: Uint8Array | null;
  private readonly entrance: PassageStream;
  private readonly request: RequestPassage;
  private readonly response: ResponsePassage;
  /** What the upstream speaks; null until that is known, and for a plain connection. */
  private version: HttpVersion | null;
  /** How many things there are for which the sender is to wait. */
  private backUps: number;
  /** The pool knows of it. */
  private isAsked: boolean;
  private isComplete: boolean;

  constructor(
    chain: HttpFilterChain,
    pool: HttpPool,
    stream: HttpStream | null,
    context: Pick<FilterContext, 'clock' | 'timers' | 'random'>,
  ) {
    this.chain = chain;
    this.filters = chain.instantiate();
    this.outcome = stream?.outcome ?? new Outcome();
    this.random = stream?.random ?? context.random();
    this.clock = context.clock;
    this.timers = context.timers;
    this.requestBytesMax = -1;
    this.responseHead = null;
    this.waiter = null;
    this.ownHead = stream?.forwarding?.head ?? null;
    this.pool = pool;
    this.stream = stream;
    this.off = chain.off(stream?.route ?? null, stream?.routing.choice?.filterDisabled ?? null);
    this.request = new RequestPassage(this);
    this.entrance = new PassageStream(this, this.request);
    this.response = new ResponsePassage(this);
    this.version = null;
    this.backUps = 0;
    this.isAsked = false;
    this.isComplete = false;
  }

  // The pool, for one waiter

  newStream(waiter: StreamWaiter): void {
    this.waiter = waiter;
    if (!this.tellHost()) return;
    this.isAsked = true;
    this.pool.newStream(this);
    if (this.request.codec === null && !this.isComplete) waiter.onFiltersReady?.(this.entrance);
  }

  cancel(): void {
    this.abandon(LocalReset);
  }

  // The waiter

  onPoolReady(
    codec: CodecStream<RequestHead>,
    connection: Connection,
    host: Host,
    connectStartMs: number,
    version: HttpVersion | null,
  ): void {
    this.request.codec = codec;
    this.version = version;
    this.waiter!.onPoolReady(this.entrance, connection, host, connectStartMs, version);
    if (!this.request.isCut) this.request.connected();
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    this.cut();
    this.waiter!.onPoolFailure(failure, host);
  }

  head(head: ResponseHead, end: boolean): void {
    // As Envoy, whose filters here have no hook for these.
    if (head.status < 200 && head.status !== 101) {
      this.waiter!.head(head, end);
      return;
    }
    this.responseHead = head;
    this.response.passHead(head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.response.passData(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.response.passTrailers(trailers);
  }

  reset(failure: Failure): void {
    this.cut();
    this.waiter!.reset(failure);
  }

  onAboveHighWatermark(): void {
    this.requestBackedUp();
  }

  onBelowLowWatermark(): void {
    this.requestDrained();
  }

  // Its halves

  /** From who sends it. */
  send(head: RequestHead, end: boolean): void {
    this.ownHead = head;
    if (this.stream === null) this.outcome.requestHead = head;
    this.request.passHead(head, end);
  }

  /** Of a client's request, as in Envoy. False: a filter has answered. */
  private tellHost(): boolean {
    if (this.stream === null) return true;
    for (const index of this.chain.hostSelected)
      if (!this.isFilterOff(index) && !this.filters[index].onHostSelected!(this)) return false;
    return true;
  }

  requestBackedUp(): void {
    if (this.backUps++ === 0) this.waiter!.onAboveHighWatermark();
  }

  requestDrained(): void {
    if (--this.backUps === 0) this.waiter!.onBelowLowWatermark();
  }

  /** The sender wants no answer any more. */
  abandon(failure: Failure): void {
    const { codec } = this.request;
    this.cut();
    if (codec !== null) codec.reset(failure);
    else if (this.isAsked) this.pool.cancel(this);
  }

  /** As it has left for the codec. */
  headSent(head: RequestHead): void {
    const isLogged = this.stream !== null && this.stream.manager.accessLogs.length > 0;
    if (isLogged && this.version === HttpVersion.Http11) this.outcome.upstreamHeaderBytesSent += sentHeadSize(head);
  }

  /** The answer has been given on to its end. */
  complete(): void {
    if (this.isComplete) return;
    this.isComplete = true;
    for (const index of this.chain.complete) this.filters[index].onComplete!(this);
  }

  private cut(): void {
    this.request.cut();
    this.response.cut();
    this.complete();
  }

  // What filters see

  get requestHead(): RequestHead {
    return this.ownHead!;
  }

  get route(): Route | null {
    return this.stream?.route ?? null;
  }

  get trace(): CallTrace | null {
    return this.stream?.trace ?? null;
  }

  get clusterStats(): StatsScope | null {
    return this.stream?.clusterStats ?? null;
  }

  get bufferLimit(): number {
    const { stream } = this;
    if (stream === null) return ownBufferLimit;
    return stream.requestBytesMax >= 0 ? stream.requestBytesMax : stream.bufferLimit;
  }

  get bufferedRequestBody(): readonly Uint8Array[] {
    return this.request.heldBody;
  }

  /** As Envoy's: a request that is on its way has its route. */
  clearRoute(): void {}

  isFilterOff(index: number): boolean {
    return this.off !== null && this.off[index] === 1;
  }

  perFilterConfig(filterName: string): unknown {
    return this.stream?.perFilterConfig(filterName);
  }

  perFilterConfigs(filterName: string): readonly unknown[] {
    return this.stream?.perFilterConfigs(filterName) ?? noConfigs;
  }

  resumeRequest(filter: HttpFilter): void {
    this.request.resume(filter);
  }

  resumeResponse(filter: HttpFilter): void {
    this.response.resume(filter);
  }

  injectRequestData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.request.inject(filter, chunk, end);
  }

  injectResponseData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.response.inject(filter, chunk, end);
  }

  injectRequestTrailers(filter: HttpFilter, trailers: Headers): void {
    this.request.injectTrailers(filter, trailers);
  }

  injectResponseTrailers(filter: HttpFilter, trailers: Headers): void {
    this.response.injectTrailers(filter, trailers);
  }

  onResponseAboveHighWatermark(): void {
    this.request.codec?.pause();
  }

  onResponseBelowLowWatermark(): void {
    this.request.codec?.resume();
  }

  onRequestAboveHighWatermark(): void {
    this.requestBackedUp();
  }

  onRequestBelowLowWatermark(): void {
    this.requestDrained();
  }

  /** The client is answered, past these filters; a request of our own gets it as its answer. */
  reply(reply: LocalReply): void {
    const { stream, waiter, outcome } = this;
    if (stream !== null) {
      stream.reply(reply);
      return;
    }
    outcome.flags |= reply.flags ?? 0;
    outcome.details = reply.details;
    const { head, body } = plainReplies.make(reply, this.ownHead, outcome);
    this.abandon(LocalReset);
    waiter!.head(head, body === null);
    if (body !== null) waiter!.data(body, true);
  }
}
