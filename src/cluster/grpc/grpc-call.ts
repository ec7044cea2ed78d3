import { UpstreamRemoteReset } from '../../codec/h2/failures.ts';
import { noBytes } from '../../core/bytes.ts';
import type { Timed } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { RetryKind, type Failure } from '../../core/failure.ts';
import { LocalReset, NoHealthyUpstream, Overflow, UpstreamProtocolError } from '../../core/failures.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { CodecStream } from '../../core/message-sink.ts';
import type { Host, HttpPool, StreamWaiter } from '../cluster.ts';
import { behindFilters } from '../pool/behind-filters.ts';
import type { GrpcContext } from './grpc-client.ts';
import { GrpcCode, GrpcStatus, refusalIn, statusIn } from './grpc-status.ts';
import { grpcTimeoutText } from './grpc-timeout.ts';
import { frameMessage } from './message-frame.ts';
import { MessageFault, MessageReader, type MessageListener } from './message-reader.ts';

/** A method of a service, and how its messages become bytes: `toBinary` and `fromBinary` of their types, for instance. */
export interface GrpcMethod<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  encode(message: Request): Uint8Array;
  /** @throws Error where the bytes are no such message; the call then ends with Internal. */
  decode(bytes: Uint8Array): Response;
}

/** Who made a call, and hears of it. */
export interface GrpcCallUser<Response> {
  /** There is a stream: what is sent from now on leaves. */
  onReady?(): void;
  /** Metadata in front of the answer. */
  onHead?(headers: Headers): void;
  onMessage(message: Response): void;
  /** `send` said false; now there is room again. */
  onDrain?(): void;
  /** Exactly once, always last; not after `cancel`. */
  onStatus(status: GrpcStatus): void;
}

export interface GrpcCallOptions {
  /** Milliseconds until the whole call must be over; 0: no limit. */
  readonly timeoutMs?: number;
  /** Lower-case names; `-bin` values are base64 already. */
  readonly metadata?: readonly (readonly [string, string])[];
  /** Empty: the cluster's name, as in Envoy. */
  readonly authority?: string;
  /** This host, whatever the balancer would say: health checks. */
  readonly host?: Host;
  /** Bytes of one message of the answer. */
  readonly messageBytesMax?: number;
}

/** gRPC libraries' usual limit. */
const messageBytesMaxDefault = 4 * 1024 * 1024;

/** Framed messages that may wait for a connection before `send` says false. */
const waitingBytesMax = 1024 * 1024;

const gatewayTimeout = 504;

const noStatus = 'the answer has no status';

/** One call of any kind: messages go and come until each side ends. */
export class GrpcCall<Request, Response> implements StreamWaiter, MessageListener, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly context: GrpcContext;
  private readonly method: GrpcMethod<Request, Response>;
  private readonly options: GrpcCallOptions;
  private readonly user: GrpcCallUser<Response>;
  private readonly reader: MessageReader;
  private pool: HttpPool | null;
  private stream: CodecStream<RequestHead> | null;
  private host: Host | null;
  /** Framed messages that wait for a stream. */
  private waiting: Uint8Array[];
  private waitingBytes: number;
  private hasEnded: boolean;
  private isAbove: boolean;
  private isOver: boolean;
  private hasHead: boolean;
  private pauses: number;

  constructor(
    context: GrpcContext,
    method: GrpcMethod<Request, Response>,
    options: GrpcCallOptions,
    user: GrpcCallUser<Response>,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.context = context;
    this.method = method;
    this.options = options;
    this.user = user;
    this.reader = new MessageReader(options.messageBytesMax ?? messageBytesMaxDefault, this);
    this.pool = null;
    this.stream = null;
    this.host = null;
    this.waiting = [];
    this.waitingBytes = 0;
    this.hasEnded = false;
    this.isAbove = false;
    this.isOver = false;
    this.hasHead = false;
    this.pauses = 0;
  }

  /** Called once, by the client. The user may hear the status before this returns. */
  start(): void {
    const { context, options } = this;
    const { timeoutMs = 0 } = options;
    if (timeoutMs > 0) context.timers.schedule(this, context.clock.now + timeoutMs);
    const host = options.host ?? context.cluster.pick(context);
    if (host === null) {
      context.cluster.stats.cxNoneHealthy.inc();
      this.finish(new GrpcStatus(GrpcCode.Unavailable, NoHealthyUpstream.kind.reason, null, NoHealthyUpstream));
      return;
    }
    const wanted = context.cluster.transportOptions(host, this.authority, null, null, null);
    this.pool = behindFilters(context.cluster, context.cluster.httpPool(host, 0, HttpVersion.Http2, wanted));
    this.pool.newStream(this);
  }

  /** False: hold back until `onDrain`; the message is taken all the same. `end`: it is the last. */
  send(message: Request, end = false): boolean {
    if (this.isOver || this.hasEnded) return true;
    this.hasEnded = end;
    const frame = frameMessage(this.method.encode(message));
    if (this.stream !== null) {
      this.stream.data(frame, end);
      return !this.isAbove;
    }
    this.waiting.push(frame);
    this.waitingBytes += frame.length;
    this.isAbove ||= this.waitingBytes > waitingBytesMax;
    return !this.isAbove;
  }

  /** No message follows. */
  end(): void {
    if (this.isOver || this.hasEnded) return;
    this.hasEnded = true;
    this.stream?.data(noBytes, true);
  }

  /** The user hears nothing more. */
  cancel(): void {
    this.giveUp();
  }

  /** Holds the answer back; counted. */
  pause(): void {
    this.pauses++;
    this.stream?.pause();
  }

  resume(): void {
    if (this.pauses === 0) return;
    this.pauses--;
    this.stream?.resume();
  }

  /** The deadline. */
  tick(): void {
    this.context.cluster.stats.rqTimeout.inc();
    this.host?.recordTimeout();
    if (!this.hasHead) this.count(gatewayTimeout);
    this.giveUp(new GrpcStatus(GrpcCode.DeadlineExceeded, 'deadline exceeded'));
  }

  // StreamWaiter

  onPoolReady(stream: CodecStream<RequestHead>, _connection: Connection, host: Host): void {
    this.stream = stream;
    this.host = host;
    for (let i = 0; i < this.pauses; i++) stream.pause();
    const { waiting, hasEnded, isAbove: wasAbove } = this;
    this.waiting = [];
    this.waitingBytes = 0;
    this.isAbove = false;
    stream.head(this.requestHead(), hasEnded && waiting.length === 0);
    for (const [i, frame] of waiting.entries()) stream.data(frame, hasEnded && i === waiting.length - 1);
    this.user.onReady?.();
    if (wasAbove && !this.isAbove) this.onBelowLowWatermark();
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    this.host = host;
    this.reset(failure);
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isOver || head.status < 200) return;
    this.host!.recordResult(head.status, null);
    this.count(head.status);
    this.hasHead = true;
    const refusal = refusalIn(head);
    if (end) this.finish(statusIn(head.headers) ?? refusal ?? new GrpcStatus(GrpcCode.Internal, noStatus));
    else if (refusal !== null) this.giveUp(refusal);
    else this.user.onHead?.(head.headers);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    const fault = this.reader.read(chunk);
    // Messages are copies.
    lentBytes.settle(chunk, chunk.length);
    if (this.isOver) return;
    if (fault === MessageFault.TooLarge)
      this.giveUp(new GrpcStatus(GrpcCode.ResourceExhausted, 'the answer has a message beyond the limit'));
    else if (fault === MessageFault.Compressed)
      this.giveUp(new GrpcStatus(GrpcCode.Unimplemented, 'the answer is compressed'));
    else if (end) this.finish(new GrpcStatus(GrpcCode.Internal, noStatus));
  }

  trailers(trailers: Headers): void {
    if (this.isOver) return;
    const status = statusIn(trailers) ?? new GrpcStatus(GrpcCode.Unknown, noStatus, trailers);
    const isCut = status.isOk && this.reader.isInside;
    this.finish(isCut ? new GrpcStatus(GrpcCode.Internal, 'the answer ends within a message', trailers) : status);
  }

  reset(failure: Failure): void {
    if (this.isOver) return;
    this.stream = null;
    if (!this.hasHead) {
      this.host?.recordResult(0, failure);
      this.count(failure.kind.status);
    }
    this.finish(new GrpcStatus(codeOf(failure), failure.kind.reason, null, failure));
  }

  onAboveHighWatermark(): void {
    this.isAbove = true;
  }

  onBelowLowWatermark(): void {
    this.isAbove = false;
    if (!this.isOver) this.user.onDrain?.();
  }

  // MessageListener

  onFramedMessage(bytes: Uint8Array): void {
    if (this.isOver) return;
    let message: Response;
    try {
      message = this.method.decode(bytes);
    } catch {
      this.giveUp(new GrpcStatus(GrpcCode.Internal, 'the answer has a message that cannot be read'));
      return;
    }
    this.user.onMessage(message);
  }

  // ---- inside

  private get authority(): string {
    const { authority = '' } = this.options;
    return authority === '' ? this.context.cluster.name : authority;
  }

  private requestHead(): RequestHead {
    const { options, method } = this;
    const { metadata = [], timeoutMs = 0 } = options;
    const headers = new Headers();
    headers.add('te', 'trailers');
    headers.add('content-type', 'application/grpc');
    if (timeoutMs > 0) headers.add('grpc-timeout', grpcTimeoutText(timeoutMs));
    for (const [name, value] of metadata) headers.add(name, value);
    const head = new RequestHead('POST', this.authority, method.path, HttpVersion.Http2, headers);
    head.scheme = 'http';
    return head;
  }

  /** The HTTP status of what became of it. */
  private count(status: number): void {
    const { host, context } = this;
    context.cluster.stats.recordCode(status, true, host?.canary ?? false, host?.zone ?? '');
  }

  /** Ends the stream, or the wait for one, wherever it is; without a status nobody is told. */
  private giveUp(status: GrpcStatus | null = null): void {
    if (this.isOver) return;
    const { stream, pool } = this;
    this.finish(status);
    if (stream !== null) stream.reset(LocalReset);
    else pool?.cancel(this);
  }

  private finish(status: GrpcStatus | null): void {
    this.isOver = true;
    this.stream = null;
    this.waiting = [];
    this.context.timers.cancel(this);
    if (status !== null) this.user.onStatus(status);
  }
}

/** As gRPC maps HTTP/2: what the server has not looked at, or has gone with its connection, is Unavailable. */
function codeOf(failure: Failure): number {
  const { kind } = failure;
  if (kind === Overflow.kind || kind === NoHealthyUpstream.kind) return GrpcCode.Unavailable;
  const isBroken = kind === UpstreamRemoteReset.kind || kind === UpstreamProtocolError.kind;
  if (isBroken || kind.retry === RetryKind.Never) return GrpcCode.Internal;
  return GrpcCode.Unavailable;
}
