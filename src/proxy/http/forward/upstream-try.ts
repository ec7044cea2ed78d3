import type { Connection } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import type { Host, HttpPool, StreamWaiter } from '../../../cluster/cluster.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { receivedHeadSize, sentHeadSize } from '../stats/head-size.ts';
import { PauseReason } from '../stream/pause-reason.ts';
import type { Forwarding } from './forwarding.ts';
import type { RequestReplay } from './request-replay.ts';
import { TrySpan } from '../../trace/try-span.ts';

/** One attempt to have a request answered by one host. */
export class UpstreamTry implements StreamWaiter {
  host: Host | null;
  /** The request's head has left: a repeat may be seen twice by the upstream. */
  wasHeadSent: boolean;
  /** The final head of its answer has come. */
  hasAnswered: boolean;
  /** It took too long, and another one has been asked for beside it. */
  wasHedged: boolean;
  /** Its answer would have been dropped for another's if one could follow. */
  isUnwanted: boolean;
  private readonly forwarding: Forwarding;
  /** Whom it waits for, or waited; null: nobody was asked. */
  private pool: HttpPool | null;
  private codecStream: CodecStream<RequestHead> | null;
  private isDone: boolean;
  private hasInformed: boolean;
  /** What it sends passes filters. */
  private isFiltered: boolean;
  /** What the upstream speaks, once it is known; null: it is a plain connection. */
  version: HttpVersion | null;
  private readonly askedAtMs: number;
  /** Null: this try has no span of its own. */
  private readonly span: TrySpan | null;
  /** The upstream takes the request more slowly than it comes. */
  private isBackedUp: boolean;
  /** Null until there is one. */
  private connection: Connection | null;
  /** What had passed over the connection before. */
  private readBefore: number;
  private writtenBefore: number;

  constructor(forwarding: Forwarding) {
    this.host = null;
    this.wasHeadSent = false;
    this.hasAnswered = false;
    this.wasHedged = false;
    this.isUnwanted = false;
    this.forwarding = forwarding;
    this.pool = null;
    this.codecStream = null;
    this.isDone = false;
    this.hasInformed = false;
    this.isFiltered = false;
    this.askedAtMs = forwarding.stream.clock.now;
    this.span = forwarding.stream.trace === null ? null : TrySpan.of(forwarding.stream.trace, forwarding);
    this.version = HttpVersion.Http11;
    this.isBackedUp = false;
    this.connection = null;
    this.readBefore = 0;
    this.writtenBefore = 0;
  }

  /** It takes what arrives. */
  get isReady(): boolean {
    return this.codecStream !== null;
  }

  get isConnected(): boolean {
    return this.connection !== null;
  }

  ask(pool: HttpPool): void {
    const { cluster, stream } = this.forwarding;
    const filters = cluster!.streamFilters ?? stream.chain.upstream;
    this.pool = filters === null ? pool : filters.before(pool, stream);
    // Filters see, and may answer, what has no connection yet.
    this.isFiltered = filters !== null;
    if (this.isFiltered) this.tellHost();
    this.pool.newStream(this);
  }

  /** The outcome says whom it asks, though there is no connection, nor may there ever be one. */
  tellHost(): void {
    chosen(this.forwarding.stream.outcome, this.host!);
  }

  onFiltersReady(stream: CodecStream<RequestHead>): void {
    this.codecStream = stream;
    this.send(stream);
  }

  onPoolReady(
    codecStream: CodecStream<RequestHead>,
    connection: Connection,
    host: Host,
    connectStartMs: number,
    version: HttpVersion | null,
  ): void {
    const { forwarding } = this;
    const { outcome, clock } = forwarding.stream;
    if (outcome.upstreamPeer !== null) keepEarlier(outcome);
    const isSent = this.codecStream !== null;
    this.host = host;
    this.codecStream = codecStream;
    this.wasHeadSent = true;
    this.connection = connection;
    this.readBefore = connection.bytesRead;
    this.writtenBefore = connection.bytesWritten;
    this.version = version;
    outcome.upstreamConnectStartMs = connectStartMs;
    outcome.upstreamRequestStartMs = clock.now;
    outcome.upstreamPoolReadyMs = clock.now - this.askedAtMs;
    this.describe(outcome, host, connection);
    forwarding.onTryReady(this);
    this.span?.reached(outcome.upstreamProtocol);
    if (!isSent) this.send(codecStream);
    else if (forwarding.replay.hasEnded && !forwarding.replay.isHeld) this.requestSent();
    // Filters may keep the head, or change it: what has passed them is counted there.
    if (!this.isFiltered && forwarding.stream.manager.accessLogs.length > 0 && version === HttpVersion.Http11)
      outcome.upstreamHeaderBytesSent += sentHeadSize(forwarding.head!);
  }

  private send(codecStream: CodecStream<RequestHead>): void {
    const { replay, stream, head } = this.forwarding;
    stream.trace?.inject(this.span, head!);
    if (replay.hasEnded && !replay.isHeld) this.requestSent();
    replay.sendTo(codecStream);
  }

  /** It is this one whose answer goes to the client, though another was asked after it. */
  becomeLast(): void {
    this.describe(this.forwarding.stream.outcome, this.host!, this.connection!);
  }

  private describe(outcome: Outcome, host: Host, connection: Connection): void {
    const { version } = this;
    outcome.upstreamTransportFailureReason = '';
    outcome.upstreamHost = host.addressText;
    outcome.upstreamHostName = host.hostname;
    outcome.upstreamHostMetadata = host.metadata;
    outcome.upstreamConnectionId = connection.id;
    outcome.upstreamConnectEndMs = connection.openedMs;
    outcome.upstreamPeer = connection.peer;
    outcome.upstreamProtocol = version === null ? '' : version === HttpVersion.Http2 ? 'HTTP/2' : 'HTTP/1.1';
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    if (this.isDone) return;
    this.isDone = true;
    this.forwarding.tryEnded(this.askedAtMs);
    if (host !== null) {
      this.host = host;
      const { outcome, clock } = this.forwarding.stream;
      chosen(outcome, host);
      outcome.upstreamPoolReadyMs = clock.now - this.askedAtMs;
    }
    this.span?.broke(failure);
    this.endSpan();
    this.forwarding.onTryFailure(this, failure);
  }

  sendData(chunk: Uint8Array, end: boolean): void {
    if (this.codecStream === null || this.isDone) return;
    if (end) this.requestSent();
    this.codecStream.data(chunk, end);
  }

  sendTrailers(trailers: Headers): void {
    if (this.codecStream === null || this.isDone) return;
    this.requestSent();
    this.codecStream.trailers(trailers);
  }

  openTunnel(replay: RequestReplay): void {
    if (replay.hasEnded) this.requestSent();
    replay.release(this.codecStream!);
  }

  requestSent(): void {
    const { outcome, clock } = this.forwarding.stream;
    outcome.upstreamRequestEndMs = clock.now;
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isDone) return;
    const { stream } = this.forwarding;
    const { outcome } = stream;
    // As Envoy: of interim answers there is one.
    if (head.status < 200 && head.status !== 101) {
      if (this.hasInformed) return;
      this.hasInformed = true;
    }
    if (Number.isNaN(outcome.upstreamResponseStartMs)) outcome.upstreamResponseStartMs = stream.clock.now;
    if (stream.manager.accessLogs.length > 0 && this.version === HttpVersion.Http11)
      outcome.upstreamHeaderBytesReceived += receivedHeadSize(head);
    this.span?.answered(head);
    this.forwarding.onHead(this, head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isDone) return;
    const { outcome, clock } = this.forwarding.stream;
    if (Number.isNaN(outcome.upstreamResponseBodyStartMs)) outcome.upstreamResponseBodyStartMs = clock.now;
    this.forwarding.onData(this, chunk, end);
  }

  trailers(trailers: Headers): void {
    if (this.isDone) return;
    this.span?.trailers(trailers);
    this.forwarding.onTrailers(this, trailers);
  }

  reset(failure: Failure): void {
    if (this.isDone) return;
    this.isDone = true;
    this.forwarding.tryEnded(this.askedAtMs);
    this.countBytes();
    this.releaseSource();
    this.span?.broke(failure);
    this.endSpan();
    this.forwarding.onTryFailure(this, failure);
  }

  /** The request does not leave fast enough: the client waits. */
  onAboveHighWatermark(): void {
    if (this.isBackedUp) return;
    this.isBackedUp = true;
    this.forwarding.cluster!.stats.flowControlBackedUp.inc();
    this.forwarding.stream.request.pauseSource(PauseReason.SlowReader);
  }

  onBelowLowWatermark(): void {
    this.releaseSource();
  }

  pause(): void {
    if (!this.isConnected) return;
    this.forwarding.cluster!.stats.flowControlPausedReading.inc();
    this.codecStream!.pause();
  }

  resume(): void {
    if (!this.isConnected) return;
    this.forwarding.cluster!.stats.flowControlResumedReading.inc();
    this.codecStream!.resume();
  }

  /** The response is complete. */
  finished(): void {
    this.isDone = true;
    this.forwarding.tryEnded(this.askedAtMs);
    this.countBytes();
    const outcome = this.forwarding.stream.outcome;
    outcome.upstreamResponseEndMs = this.forwarding.stream.clock.now;
    this.endSpan();
    this.releaseSource();
    // As Envoy: the end of the upstream's half is the end of a tunnel.
    if (this.forwarding.stream.upgrade !== '' && !this.forwarding.replay.hasEnded) this.codecStream!.reset(LocalReset);
  }

  /** No longer wanted: leave the queue, or reset what was begun. */
  cancel(failure: Failure): void {
    if (this.isDone) return;
    this.isDone = true;
    this.forwarding.tryEnded(this.askedAtMs);
    this.releaseSource();
    this.span?.canceled();
    this.endSpan();
    if (this.codecStream === null) {
      this.pool?.cancel(this);
      return;
    }
    this.countBytes();
    this.codecStream.reset(failure);
  }

  /** What the span of this try says besides: bits of ResponseFlag. */
  flagSpan(flags: number): void {
    if (this.span !== null) this.span.flags |= flags;
  }

  private endSpan(): void {
    this.span?.finish(this.host);
  }

  /** The request leaves fast enough again, or does not matter any more. */
  private releaseSource(): void {
    if (!this.isBackedUp) return;
    this.isBackedUp = false;
    this.forwarding.cluster!.stats.flowControlDrained.inc();
    this.forwarding.stream.request.resumeSource(PauseReason.SlowReader);
  }

  /** Bytes of all tries together, as Envoy. */
  private countBytes(): void {
    const { connection, codecStream } = this;
    if (connection === null || codecStream === null) return;
    const { outcome } = this.forwarding.stream;
    if (codecStream.wireBytesSent === undefined) {
      // HTTP/1 carries one stream at a time, so what has passed since is this one's.
      outcome.upstreamWireBytesReceived += connection.bytesRead - this.readBefore;
      outcome.upstreamWireBytesSent += connection.bytesWritten - this.writtenBefore;
    } else {
      outcome.upstreamWireBytesReceived += codecStream.wireBytesReceived!;
      outcome.upstreamWireBytesSent += codecStream.wireBytesSent;
      outcome.upstreamHeaderBytesReceived += codecStream.headerBytesReceived!;
      outcome.upstreamHeaderBytesSent += codecStream.headerBytesSent!;
    }
  }
}

/** What the outcome says of a host that there is no connection to. */
function chosen(outcome: Outcome, host: Host): void {
  if (outcome.upstreamPeer !== null) keepEarlier(outcome);
  outcome.upstreamHost = host.addressText;
  outcome.upstreamHostName = host.hostname;
  outcome.upstreamHostMetadata = host.metadata;
}

/** The try before had a connection; what the outcome says of its host is about to be written over. */
function keepEarlier(outcome: Outcome): void {
  outcome.earlierAttempts ??= [];
  outcome.earlierAttempts.push({
    host: outcome.upstreamHost,
    hostName: outcome.upstreamHostName,
    connectionId: outcome.upstreamConnectionId,
  });
  outcome.upstreamPeer = null;
}
