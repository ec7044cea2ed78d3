import { reasonPhrase } from '../../../codec/h1/status-line.ts';
import type { Clock, Timers } from '../../../core/clock.ts';
import { ResponseFlag, type Failure } from '../../../core/failure.ts';
import { LocalReset } from '../../../core/failures.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { Cluster, OverrideHost } from '../../../cluster/cluster.ts';
import { HttpVersion, ResponseHead, type RequestHead } from '../../../core/head.ts';
import { Headers } from '../../../core/headers.ts';
import type { CodecStream } from '../../../core/message-sink.ts';
import type { HttpFilter, LocalReply } from '../../../filter/filter.ts';
import type { RouteWaiter } from '../../../filter/on-demand/on-demand-data.ts';
import { Outcome } from '../../../observe/outcome.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import type { Route } from '../../../route/route.ts';
import type { StreamTrace } from '../../trace/stream-trace.ts';
import type { HttpConnectionManager } from '../connection-manager.ts';
import type { FilteredStream, HttpFilterChain } from './filter-chain.ts';
import type { Forwarding } from '../forward/forwarding.ts';
import type { HcmStats } from '../stats/hcm-stats.ts';
import { requestHeadSize, responseHeadSize } from '../stats/head-size.ts';
import { protocolName } from '../connection/http-version.ts';
import { overloadReply, type HttpOverload } from '../overload/http-overload.ts';
import { PauseReason } from './pause-reason.ts';
import { asksToClose } from '../request/connection-header.ts';
import { beginAnew } from '../redirect/begin-anew.ts';
import type { FollowedRedirects } from '../redirect/history.ts';
import { RequestHalf } from './request-half.ts';
import { ResponseHalf } from './response-half.ts';
import { answerLocally } from '../response/local-answer.ts';
import type { ServerConnection } from '../connection/server-connection.ts';
import { StreamRoute } from './stream-route.ts';
import { StreamTimeouts } from '../connection/timeouts.ts';
import { upgradeTypeOf } from '../upgrades.ts';

const lostFlags = ResponseFlag.UpstreamConnectionFailure | ResponseFlag.UpstreamConnectionTermination;

/** One request and its response: what its halves, its router and its filters share. */
export class HttpStream implements FilteredStream {
  readonly manager: HttpConnectionManager;
  readonly connection: ServerConnection;
  readonly codecStream: CodecStream<ResponseHead>;
  readonly outcome: Outcome;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stats: HcmStats;
  /** Those of an upgrade may be others. */
  chain: HttpFilterChain;
  filters: readonly HttpFilter[];
  readonly request: RequestHalf;
  readonly response: ResponseHalf;
  readonly timeouts: StreamTimeouts;
  readonly random: number;
  requestHead: RequestHead;
  responseHead: ResponseHead | null;
  readonly routing: StreamRoute;
  forwarding: Forwarding | null;
  /** Position in the connection's list of streams. */
  slot: number;
  /** The connection holds more than it may: responses wait. */
  isClientSlow: boolean;
  private isOnRecord: boolean;
  /** The client will not send another request on this connection (RFC 9112 section 9.3). */
  asksToClose: boolean;
  /** The request was gRPC when it came, whatever filters have made of it: answers of our own are gRPC too. */
  isGrpc: boolean;
  private isFinished: boolean;
  /** What it asks to become, and may: lower-case, `connect` for a tunnel; empty: nothing. */
  upgrade: string;
  overrideHost: OverrideHost | null;
  requestBytesMax: number;
  /** Null: nothing is told of it. */
  trace: StreamTrace | null;
  /** Null: it has come of no redirect. */
  redirects: FollowedRedirects | null;
  /** It has taken the place of another: the client itself has not sent it. */
  isAnew: boolean;

  constructor(connection: ServerConnection, codecStream: CodecStream<ResponseHead>) {
    const manager = connection.manager;
    this.manager = manager;
    this.connection = connection;
    this.codecStream = codecStream;
    this.outcome = new Outcome();
    this.clock = manager.clock;
    this.timers = manager.timers;
    this.stats = manager.stats;
    this.chain = manager.chain;
    this.filters = manager.chain.instantiate();
    this.request = new RequestHalf(this);
    this.response = new ResponseHalf(this);
    this.timeouts = new StreamTimeouts(this);
    this.random = Math.random();
    this.requestHead = noRequestHead;
    this.responseHead = null;
    this.routing = new StreamRoute(this);
    this.forwarding = null;
    this.slot = -1;
    this.isClientSlow = false;
    this.isOnRecord = false;
    this.asksToClose = false;
    this.isGrpc = false;
    this.isFinished = false;
    this.upgrade = '';
    this.overrideHost = null;
    this.requestBytesMax = -1;
    this.trace = null;
    this.redirects = null;
    this.isAnew = false;
  }

  get isWebSocket(): boolean {
    return this.upgrade === 'websocket';
  }

  get bufferLimit(): number {
    return this.connection.streamBufferLimit;
  }

  get route(): Route | null {
    return this.routing.route;
  }

  get clusterStats(): StatsScope | null {
    return this.routing.clusterStats;
  }

  get upstreamVersion(): HttpVersion | null {
    return this.routing.upstreamVersion;
  }

  get answerLimits(): Cluster['answerLimits'] | null {
    return this.routing.answerLimits;
  }

  get namedHostsPort(): number {
    return this.routing.namedHostsPort;
  }

  get missingCluster(): string {
    return this.routing.missingCluster;
  }

  get bufferedRequestBody(): readonly Uint8Array[] {
    return this.request.heldBody;
  }

  /** The head has arrived: what happens from here on is on record. */
  begin(head: RequestHead): void {
    const { outcome } = this;
    outcome.requestHead = head;
    this.isGrpc = isGrpcRequest(head);
    this.asksToClose ||= asksToClose(head);
    if (this.manager.accessLogs.length > 0 && head.version !== HttpVersion.Http2)
      outcome.headerBytesReceived = requestHeadSize(head);
    this.beginOutcome();
    outcome.protocol = protocolName(head.version);
    this.timeouts.headReceived();
    const timeouts = this.manager.data.timeouts;
    if (timeouts.streamIdleMs !== 0) this.timeouts.setIdle(timeouts.streamIdleMs);
    if (timeouts.requestMs !== 0) this.timeouts.setRequest(timeouts.requestMs);
    if (timeouts.maxStreamDurationMs !== 0) this.timeouts.setDuration(timeouts.maxStreamDurationMs);
    const { flushIntervalMs } = this.manager.data.accessLogOptions;
    if (flushIntervalMs !== 0) this.timeouts.setLogFlush(flushIntervalMs);
  }

  /** What is known without a head. */
  private beginOutcome(): void {
    const { outcome, clock, connection, stats } = this;
    this.isOnRecord = true;
    outcome.startMs = clock.now;
    outcome.startEpochMs = clock.epochMs;
    outcome.connectionStartMs = connection.connection.openedMs;
    outcome.connectionId = connection.connection.id;
    outcome.peer = connection.connection.peer;
    outcome.filterChainName = connection.filterChainName;
    outcome.listenerMetadata = this.manager.listenerMetadata;
    stats.rqTotal.inc();
    if (connection.isHttp2) {
      outcome.protocol = 'HTTP/2';
      stats.rqHttp2Total.inc();
    } else {
      outcome.protocol = 'HTTP/1.1';
      stats.rqHttp1Total.inc();
    }
    stats.rqActive.inc();
  }

  /** Checks and rewrites the head, and finds the route. False: it has been answered. */
  admit(head: RequestHead): boolean {
    const { overload } = this.manager;
    if (overload !== null && overload.dropsRequest()) {
      this.turnAway(overload);
      return false;
    }
    if (!this.manager.data.proxy100Continue && head.headers.has('expect')) this.answerExpect(head);
    const { peer } = this.connection.connection;
    const reject = this.manager.requestPreparation.prepare(head, peer, this.outcome, this.isAnew);
    if (reject !== null) {
      if (reject.close) this.connection.closeAfterResponse();
      this.reply(reject);
      return false;
    }
    this.routing.decide();
    const { tracing } = this.manager;
    if (tracing !== null) this.trace = tracing.begin(head, this.routing.route, this.outcome, this.isAnew);
    if (this.manager.data.accessLogOptions.flushOnNewRequest) this.log('DownstreamStart');
    const upgrade = upgradeTypeOf(head);
    return upgrade === '' || this.admitUpgrade(upgrade);
  }

  /** As Envoy: without filters, which would only take more of what is short. */
  private turnAway({ noFilters }: HttpOverload): void {
    this.stats.count('downstream_rq_overload_close');
    this.chain = noFilters;
    this.filters = noFilters.instantiate();
    this.reply(overloadReply(this.manager.data.appendLocalOverload === true));
  }

  /** False: it has been answered. Without a route it is the router's to answer, as any other request. */
  private admitUpgrade(type: string): boolean {
    const { manager } = this;
    const { route } = this.routing;
    const chain = manager.upgrades.chainFor(type, route);
    if (chain === null) {
      if (route === null) return true;
      this.stats.count('downstream_rq_ws_on_non_ws_route');
      // As Envoy: what follows on the connection may be meant for the other protocol.
      if (this.connection.isHttp2) this.connection.drain();
      this.reply({ status: 403, body: '', details: 'upgrade_failed' });
      return false;
    }
    this.upgrade = type.toLowerCase();
    this.stats.cxUpgradesTotal.inc();
    this.stats.cxUpgradesActive.inc();
    if (chain !== this.chain) {
      this.chain = chain;
      this.filters = chain.instantiate();
      this.routing.chooseFilters();
    }
    return true;
  }

  /** Both messages are complete. */
  get isExchanged(): boolean {
    return this.request.hasEnded && (this.response.hasEnded || this.response.isEnding);
  }

  private answerExpect(head: RequestHead): void {
    if (head.headers.get('expect')!.toLowerCase() !== '100-continue') return;
    head.headers.remove('expect');
    this.stats.recordStatus(100);
    this.codecStream.head(new ResponseHead(100, new Headers()), false);
  }

  clearRoute(): void {
    this.routing.clear();
  }

  /** Once: what there is no route for after that, there is none for. */
  wantRoute(waiter: RouteWaiter): (() => void) | null {
    const { missingRoutes } = this.manager;
    return missingRoutes === null || this.isAnew ? null : missingRoutes.want(this.requestHead, waiter);
  }

  beginAnew(filter: HttpFilter): boolean {
    if (!this.request.hasEnded || this.upgrade !== '' || !this.routing.isOutdated) return false;
    beginAnew(this, this.requestHead, this.request.bodyHeldBy(filter), null);
    return true;
  }

  isFilterOff(index: number): boolean {
    return this.routing.isFilterOff(index);
  }

  perFilterConfig(filterName: string): unknown {
    const configs = this.perFilterConfigs(filterName);
    return configs.length === 0 ? undefined : configs[configs.length - 1];
  }

  perFilterConfigs(filterName: string): readonly unknown[] {
    return this.routing.perFilterConfigs(filterName);
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

  onRequestAboveHighWatermark(): void {
    this.request.pauseSource(PauseReason.FilterPaces);
  }

  onRequestBelowLowWatermark(): void {
    this.request.resumeSource(PauseReason.FilterPaces);
  }

  onResponseAboveHighWatermark(): void {
    this.forwarding?.pauseResponse(PauseReason.FilterPaces);
  }

  onResponseBelowLowWatermark(): void {
    this.forwarding?.resumeResponse(PauseReason.FilterPaces);
  }

  /** The head never came. */
  replyWithoutHead(reply: LocalReply): void {
    this.beginOutcome();
    this.connection.closeAfterResponse();
    this.reply(reply);
  }

  reply(reply: LocalReply): void {
    if (!this.isFinished) answerLocally(this, reply, null);
  }

  /** An answer of the router's: the route's header mutations apply, as to an upstream's. */
  replyFromRouter(reply: LocalReply): void {
    if (!this.isFinished) answerLocally(this, reply, this.routing.route);
  }

  /** Last changes of a final head on its way to the codec. */
  finishHead(head: ResponseHead, end: boolean): void {
    const { outcome, manager } = this;
    manager.responsePreparation.prepare(head, this.requestHead, outcome);
    outcome.responseStartMs = this.clock.now;
    outcome.responseHead = head;
    outcome.responseCode = head.status;
    if (manager.accessLogs.length > 0 && !this.connection.isHttp2)
      outcome.headerBytesSent = responseHeadSize(head, end, this.requestHead?.method ?? '');
    this.trace?.finishHead(head);
    this.tellLostTunnel();
    if (!this.request.hasEnded) this.stats.count('downstream_rq_response_before_rq_complete');
    this.connection.finishHead(head);
  }

  /** A final head has left through the filters. */
  headSent({ status }: ResponseHead): void {
    if (this.upgrade === '' || status !== (this.requestHead.method === 'CONNECT' ? 200 : 101)) return;
    // What follows is no request any more.
    this.timeouts.requestEnded();
    if (this.manager.data.accessLogOptions.flushOnTunnel) this.log('DownstreamTunnelSuccessfullyEstablished');
  }

  /** What an upgrade or CONNECT was to reach was not reached, or is gone. */
  tellLostTunnel(): void {
    if (this.upgrade !== '' && (this.outcome.flags & lostFlags) !== 0) this.codecStream.tunnelLost?.();
  }

  /** The client went away; or what it sent is not valid HTTP, and that can still be answered. */
  onDownstreamReset(failure: Failure): void {
    if (this.isFinished) return;
    const { outcome } = this;
    const { kind } = failure;
    if (!this.isOnRecord) this.beginOutcome();
    if (kind.status !== 0 && !this.response.hasBegun) {
      this.connection.closeAfterResponse();
      this.reply({ status: kind.status, body: reasonPhrase(kind.status), details: kind.reason, flags: kind.flag });
      return;
    }
    outcome.flags |= failure.kind.flag;
    if (outcome.details === '' || failure.kind.flag !== 0)
      outcome.details = failure.detail === '' ? failure.kind.reason : failure.detail;
    this.stats.count('downstream_rq_rx_reset');
    this.request.cut();
    this.response.cut();
    this.forwarding?.abandon();
    this.finish();
  }

  /** The stream is over, however it went. Exactly once. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    const { outcome, stats, chain } = this;
    outcome.endMs = this.clock.now;
    this.timeouts.clear();
    this.request.cut();
    this.forwarding?.onStreamFinished();
    const isLogged = this.manager.accessLogs.length > 0;
    if (isLogged || chain.readsOutcome) this.connection.describe(this);
    for (const index of chain.complete) this.filters[index].onComplete!(this);
    stats.rqActive.dec();
    if (this.upgrade !== '') this.leaveTunnel();
    // HTTP/1 can only drop the rest of such a request, and its connection.
    if (!this.request.hasEnded && this.response.hasEnded) stats.count('downstream_rq_rx_reset');
    const isCounted = outcome.responseCode !== 0 && !outcome.isHealthCheck && !this.request.hasBecomeAnother;
    if (isCounted) stats.recordStatus(outcome.responseCode);
    stats.rqTime.record(outcome.endMs - outcome.startMs);
    if (isLogged) this.log('DownstreamEnd');
    this.manager.tracing?.count(outcome);
    this.trace?.finish(outcome);
    this.connection.remove(this);
  }

  /** As Envoy: the end of the upstream's half is the end of the tunnel. */
  private leaveTunnel(): void {
    this.stats.cxUpgradesActive.dec();
    if (this.response.hasEnded && !this.request.hasEnded) this.codecStream.reset(LocalReset);
  }

  /** `moment`: Envoy's access log type. */
  log(moment: string): void {
    const logs = this.manager.accessLogs;
    this.outcome.accessLogType = moment;
    for (let i = 0; i < logs.length; i++) logs[i].log(this.outcome);
  }
}

/** Stands until the codec hands the head over. */
const noRequestHead = null as unknown as RequestHead;
