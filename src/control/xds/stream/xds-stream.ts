import type { Clock, Timed, Timers } from '../../../core/clock.ts';
import type { Cluster } from '../../../cluster/cluster.ts';
import type { GrpcCall, GrpcCallUser, GrpcMethod } from '../../../cluster/grpc/grpc-call.ts';
import { GrpcClient } from '../../../cluster/grpc/grpc-client.ts';
import { GrpcCode, type GrpcStatus } from '../../../cluster/grpc/grpc-status.ts';
import type { ApiSourceData, GrpcServiceData } from '../../../identity/config-source-data.ts';
import type { Log } from '../../../observe/log/log.ts';
import type { RequestStream, StreamUser } from '../protocol/conversation.ts';
import { BackOff } from './back-off.ts';
import type { ControlPlaneStats } from './control-plane-stats.ts';
import { TokenBucket } from './token-bucket.ts';

/** What every stream to a control plane has around it: the main thread's. */
export interface XdsSurroundings {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The main thread's clusters. */
  cluster(name: string): Cluster | undefined;
  /** Address of this machine, for `x-forwarded-for`. */
  readonly localAddress: string;
}

/** A response, and how it is made ready. */
export interface Arrival<Response> {
  readonly response: Response;
  /** What it needs is being loaded: it counts when that is done, and so does what follows; null: at once. */
  readonly ready: Promise<void> | null;
}

/** Bytes of one response. A cluster list of a large mesh has some tens of MiB; gRPC's usual 4 MiB would cut it off. */
const responseBytesMax = 128 * 1024 * 1024;

/** A broken stream that comes back within this is no news. Source: Envoy `GrpcStream::logClose`. */
const quietMs = 30_000;

/** A stream to a control plane that is opened again whenever it ends, until `stop`. */
export class XdsStream<Request, Response> implements GrpcCallUser<Arrival<Response>>, RequestStream<Request>, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly method: GrpcMethod<Request, Arrival<Response>>;
  private readonly service: GrpcServiceData;
  private readonly surroundings: XdsSurroundings;
  private user: StreamUser<Response>;
  private readonly entered: (act: () => void) => void;
  private readonly stats: ControlPlaneStats;
  private readonly backOff: BackOff;
  private readonly bucket: TokenBucket | null;
  /** Null: none is open, and the timer will open one. */
  private call: GrpcCall<Request, Arrival<Response>> | null;
  /** Responses whose turn has not come: the first is being made ready. No more come before that than are on their way. */
  private arrivals: Arrival<Response>[];
  /** The control plane does not read: nothing is said before it does. */
  private isFull: boolean;
  private hasAnswered: boolean;
  private hasEnded: boolean;
  /** Of the failures since the last answer, the first; -1: there was none. */
  private failedCode: number;
  private failedMs: number;

  constructor(
    method: GrpcMethod<Request, Arrival<Response>>,
    source: ApiSourceData,
    surroundings: XdsSurroundings,
    stats: ControlPlaneStats,
    /** Does what belongs to an entry into the event loop. */
    entered: (act: () => void) => void,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.method = method;
    this.service = source.services[0];
    this.surroundings = surroundings;
    this.entered = entered;
    this.user = null!;
    this.stats = stats;
    const { baseMs, maxMs } = this.service.backOff ?? {};
    this.backOff = new BackOff(surroundings.random, baseMs, maxMs);
    const { rateLimit } = source;
    this.bucket =
      rateLimit === null ? null : new TokenBucket(rateLimit.maxTokens, rateLimit.fillPerSecond, surroundings.clock.now);
    this.call = null;
    this.arrivals = [];
    this.isFull = false;
    this.hasAnswered = false;
    this.hasEnded = false;
    this.failedCode = -1;
    this.failedMs = 0;
  }

  /** Once, before `start`. */
  attach(user: StreamUser<Response>): void {
    this.user = user;
  }

  start(): void {
    const cluster = this.surroundings.cluster(this.service.cluster);
    if (cluster === undefined) {
      this.retry(GrpcCode.Unavailable, `there is no cluster '${this.service.cluster}'`);
      return;
    }
    const { clock, timers, random } = this.surroundings;
    const { authority, maxReceiveMessageLength } = this.service;
    this.hasAnswered = false;
    this.hasEnded = false;
    const call = new GrpcClient(cluster, clock, timers, random).open(this.method, this, {
      authority,
      metadata: this.metadata(),
      messageBytesMax: maxReceiveMessageLength === 0 ? responseBytesMax : maxReceiveMessageLength,
    });
    // It may have said so before it was known here.
    if (this.hasEnded) return;
    this.call = call;
    this.stats.isConnected.set(1);
    this.user.onOpened();
  }

  stop(): void {
    this.surroundings.timers.cancel(this);
    this.forget();
    this.stats.isConnected.set(0);
    const { call } = this;
    this.call = null;
    call?.cancel();
  }

  /** Opens the next stream, or tells that the rate limit allows another request. */
  tick(): void {
    if (this.call === null) this.start();
    else this.user.onRoom();
  }

  // RequestStream

  get isOpen(): boolean {
    return this.call !== null;
  }

  mayAsk(): boolean {
    if (this.call === null || this.isFull) return false;
    const { clock, timers } = this.surroundings;
    if (this.bucket === null || this.bucket.take(clock.now)) return true;
    this.stats.rateLimitEnforced.inc();
    timers.schedule(this, clock.now + Math.ceil(this.bucket.waitMs));
    return false;
  }

  send(request: Request): void {
    if (this.call !== null && !this.call.send(request)) this.isFull = true;
  }

  // GrpcCallUser

  onMessage(arrival: Arrival<Response>): void {
    // Envoy's back-off starts over with the first answer, not with the connection.
    if (!this.hasAnswered) {
      this.hasAnswered = true;
      this.failedCode = -1;
      this.backOff.reset();
    }
    if (arrival.ready === null && this.arrivals.length === 0) {
      this.user.onResponse(arrival.response);
      return;
    }
    if (this.arrivals.push(arrival) > 1) return;
    this.call!.pause();
    this.await(arrival);
  }

  onDrain(): void {
    this.isFull = false;
    this.user.onRoom();
  }

  onStatus(status: GrpcStatus): void {
    this.call = null;
    this.hasEnded = true;
    this.forget();
    this.retry(status.code, status.failure?.detail || status.message);
  }

  // ---- inside

  private retry(code: number, message: string): void {
    const { clock, timers } = this.surroundings;
    this.stats.isConnected.set(0);
    this.stats.pendingRequests.set(0);
    this.logClosed(code, message);
    this.user.onFailed();
    timers.schedule(this, clock.now + this.backOff.next());
  }

  /** As Envoy: what ends in good order or comes back soon is no warning. */
  private logClosed(code: number, message: string): void {
    const { clock, log } = this.surroundings;
    const name = this.method.path.slice(this.method.path.lastIndexOf('/') + 1);
    const what = `${name} gRPC config stream to ${this.service.cluster} closed`;
    const isFirst = this.failedCode === -1;
    if (code === GrpcCode.Ok || (isFirst && isTransient(code))) log.debug(`${what}: ${code}, ${message}`);
    else if (isFirst || code !== this.failedCode) log.warn(`${what}: ${code}, ${message}`);
    else if (clock.now - this.failedMs >= quietMs)
      log.warn(`${what} since ${Math.floor((clock.now - this.failedMs) / 1000)}s ago: ${code}, ${message}`);
    else log.debug(`${what}: ${code}, ${message}`);
    if (code === GrpcCode.Ok || (!isFirst && code === this.failedCode)) return;
    this.failedCode = code;
    this.failedMs = clock.now;
  }

  private forget(): void {
    this.arrivals = [];
    this.isFull = false;
  }

  private await(arrival: Arrival<Response>): void {
    const go = (): void => this.entered(() => this.arrived(arrival));
    // What could not be loaded is refused by name when it is needed.
    (arrival.ready ?? Promise.resolve()).then(go, go);
  }

  /** The first of those that wait can be used; unless the stream is another by now. */
  private arrived(first: Arrival<Response>): void {
    if (this.arrivals[0] !== first) return;
    do {
      this.user.onResponse(this.arrivals[0].response);
      this.arrivals.shift();
    } while (this.arrivals.length > 0 && this.arrivals[0].ready === null);
    if (this.arrivals.length > 0) this.await(this.arrivals[0]);
    else this.call?.resume();
  }

  /** As Envoy's own calls, which go through its HTTP client. */
  private metadata(): [string, string][] {
    const { initialMetadata, skipEnvoyHeaders } = this.service;
    const given = initialMetadata.map(({ key, value }): [string, string] => [key.toLowerCase(), value]);
    if (skipEnvoyHeaders) return given;
    return [['x-envoy-internal', 'true'], ['x-forwarded-for', this.surroundings.localAddress], ...given];
  }
}

/** The server goes, or is not there yet: it will be back. */
function isTransient(code: number): boolean {
  return code === GrpcCode.Unavailable || code === GrpcCode.DeadlineExceeded || code === GrpcCode.ResourceExhausted;
}
