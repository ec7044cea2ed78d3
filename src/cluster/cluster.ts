import type { Channel } from './grpc/channel.ts';
import type { ClusterLookups } from './on-demand/cluster-lookups.ts';
import type { Failure } from '../core/failure.ts';
import type { Hash64 } from '../core/hash64.ts';
import type { HttpVersion, RequestHead, ResponseHead } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { MetadataCriteria } from '../core/metadata-criteria.ts';
import type { CodecStream, StreamUser } from '../core/message-sink.ts';
import type { Connection } from '../core/connection.ts';
import type { Address, Peer } from '../core/peer.ts';
import type { TransportOptions } from '../net/transport.ts';
import type { Outcome } from '../observe/outcome.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../observe/stats/stats.ts';
import type { TriedPriorities } from './tried-priorities.ts';

/** An endpoint as tracked at run time in one worker. */
export interface Host {
  readonly address: Address;
  /** `formatAddress(address)`, once. */
  readonly addressText: string;
  /** As configured (`hostname`, or the DNS name), for auto_host_rewrite; empty: none. */
  readonly hostname: string;
  readonly priority: number;
  readonly canary: boolean;
  /** Of its locality; empty: none. */
  readonly zone: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Connections to it are encrypted. */
  readonly isSecure: boolean;
  /** Requests or connections open from this worker: what least-request compares. */
  activeRequests: number;
  /** Every failure of a try is told here, with status 0, and what calls of our own are answered. */
  recordResult(status: number, failure: Failure | null): void;
  /** The final head that a host answers a request with. */
  recordAnswer(request: RequestHead, answer: ResponseHead): void;
  /** A connection to it is there. `isFinal`: that is all that is asked of it; else an answer or a failure follows. */
  recordConnected(isFinal: boolean): void;
  /** A try or the whole request took too long there; `status`: what it is answered with, 504 unless told; 0: it has answered. */
  recordTimeout(status?: number): void;
}

/** What a load balancer may know of the request. */
export interface PickContext {
  /** 0 ≤ x < 1. Balancers draw numbers of their own where a pick needs one: this one may have chosen the route already. */
  readonly random: number;
  /** What the route's hash policy makes of the request, computed with every call; null: nothing. */
  readonly hash: Hash64 | null;
  /** Which subset of the hosts is meant; null or absent: the route does not say. */
  readonly metadataMatch?: MetadataCriteria | null;
  /** A host that is to be taken before any other; null or absent: none. */
  readonly overrideHost?: OverrideHost | null;
  /** For balancers that are told by a header, or hash by a policy of their own; null or absent: it is a connection. */
  readonly head?: RequestHead | null;
  /** What is known of the request or connection; absent: nothing. */
  readonly outcome?: Outcome;
  /** Where tries of this request have been, for balancers that choose among priorities; null or absent: it does not matter. */
  readonly triedPriorities?: TriedPriorities | null;
  /**
   * Retries: true refuses this host; asked at most `hostSelectionAttempts` times
   * (`host_selection_retry_max_attempts`), and the host picked after the last refusal is not asked about.
   */
  rejects(host: Host): boolean;
  readonly hostSelectionAttempts: number;
}

/** A host that a filter, or the request, has chosen by its address. */
export interface OverrideHost {
  /** `formatAddress` of it. */
  readonly address: string;
  /** No other host will do. */
  readonly isStrict: boolean;
  /** What the request is answered with where it is strict and the host is not there; absent or 0: 503. */
  readonly notFoundStatus?: number;
}

/** Which priority's hosts are meant, where somebody else has chosen it. */
export interface Tier {
  readonly priority: number;
  readonly isDegraded: boolean;
}

export interface LoadBalancer {
  /** `tier`: that one; absent: the balancer chooses. */
  pick(context: PickContext, tier?: Tier): Host | null;
}

/** One limit of a circuit breaker, counted for the whole process in shared memory. */
export interface ResourceLimit {
  /** False at or above the limit. */
  readonly canCreate: boolean;
  inc(): void;
  dec(): void;
}

/** One priority's breakers. */
export interface CircuitBreakers {
  readonly connections: ResourceLimit;
  readonly pendingRequests: ResourceLimit;
  readonly requests: ResourceLimit;
  readonly retries: ResourceLimit;
  /** HTTP pools of all hosts; where no limit is set, nobody counts. */
  readonly connectionPools: ResourceLimit;
}

/** Waits for an HTTP stream; then it is the stream's user. */
export interface StreamWaiter extends StreamUser<ResponseHead> {
  /**
   * May come before `newStream` returns. `connectStartMs`: when the connection began to be opened, perhaps long ago;
   * `version`: what it speaks; null: it is a plain connection, where a CONNECT ends.
   */
  onPoolReady(
    stream: CodecStream<RequestHead>,
    connection: Connection,
    host: Host,
    connectStartMs: number,
    version: HttpVersion | null,
  ): void;
  onPoolFailure(failure: Failure, host: Host | null): void;
  /**
   * There is no connection yet, but filters before the pool take the request already: `onPoolReady` follows with the
   * same stream, which has the request then. Absent: the request comes with `onPoolReady`.
   */
  onFiltersReady?(stream: CodecStream<RequestHead>): void;
}

/** Where HTTP streams to a host come from. */
export interface HttpPool {
  /** Exactly one of onPoolReady and onPoolFailure follows, perhaps at once. */
  newStream(waiter: StreamWaiter): void;
  /** The waiter is no longer interested. Only before onPoolReady/onPoolFailure. */
  cancel(waiter: StreamWaiter): void;
}

/** The HTTP filters between those who send requests to a cluster and its pools. */
export interface StreamFilters {
  /**
   * `pool`, behind the filters.
   * @param stream that the requests belong to, whose route has settings for the filters and whose client gets their
   * answers: what `proxy/http` has for it; null: they are requests of our own, and the waiter gets the answers
   */
  before(pool: HttpPool, stream: object | null): HttpPool;
}

export interface ConnectionWaiter {
  onConnected(connection: Connection, host: Host, connectStartMs: number): void;
  onConnectFailure(failure: Failure, host: Host | null): void;
}

export interface TcpPool {
  newConnection(waiter: ConnectionWaiter): void;
  cancel(waiter: ConnectionWaiter): void;
}

/** How much of their timeouts requests use; 0: there is none. */
export interface TimeoutBudgetStats {
  /** From the end of a request to the end of its answer. */
  recordRequest(elapsedMs: number, timeoutMs: number): void;
  /** From the moment that a try was begun to its end, whatever that was. */
  recordTry(elapsedMs: number, timeoutMs: number): void;
}

/**
 * Envoy's names, `cluster.<name>.*`; those the proxy writes. Pools write the rest themselves, `upstream_rq_total` and
 * `upstream_rq_active` among them.
 */
export interface ClusterStats {
  readonly scope: StatsScope;
  /** Null or absent: nobody wants to know. */
  readonly timeoutBudget?: TimeoutBudgetStats | null;
  readonly rqTimeout: Counter;
  readonly rqPerTryTimeout: Counter;
  readonly rqPerTryIdleTimeout: Counter;
  readonly rqMaxDurationReached: Counter;
  readonly rqCompleted: Counter;
  readonly rqTime: Histogram;
  readonly rqRetry: Counter;
  readonly rqRetryBackoffExponential: Counter;
  readonly rqRetryLimitExceeded: Counter;
  readonly rqRetryOverflow: Counter;
  readonly rqRetrySuccess: Counter;
  /** Of streams: the request is held back and goes on, the response is held back and goes on. */
  readonly flowControlBackedUp: Counter;
  readonly flowControlDrained: Counter;
  readonly flowControlPausedReading: Counter;
  readonly flowControlResumedReading: Counter;
  readonly rqActive: Gauge;
  readonly cxNoneHealthy: Counter;
  readonly retryOrShadowAbandoned: Counter;
  /**
   * A final status: `upstream_rq_completed`, `upstream_rq_<N>xx`, `upstream_rq_<code>`, and their twins below
   * `internal.` or `external.`, `canary.`, and `zone.<ours>.<hostZone>.` where both are known.
   */
  recordCode(status: number, internal: boolean, canary: boolean, hostZone: string): void;
  /** `upstream_rq_time` and its twins. */
  recordTime(milliseconds: number, internal: boolean, canary: boolean, hostZone: string): void;
}

/** A cluster in one worker. */
export interface Cluster {
  readonly name: string;
  readonly statName: string;
  readonly stats: ClusterStats;
  readonly perConnectionBufferLimit: number;
  /** Its hosts are the names that are asked for: their port where a name says none; absent or 0: it is another cluster. */
  readonly namedHostsPort?: number;
  /** How large the heads of its answers may be; absent: nobody asks. */
  readonly answerLimits?: { readonly headerBytesMax: number; readonly headerCountMax: number };
  breakers(priority: 0 | 1): CircuitBreakers;
  /** The runtime's `upstream.maintenance_mode.<name>` refuses this request. Drawn anew with every call. */
  readonly isInMaintenance: boolean;
  /** `drop_overloads`: this part of the requests is to be turned away, 0 … 1; absent, 0: none. */
  readonly dropRatio?: number;
  pick(context: PickContext): Host | null;
  /** How many hosts it has, and healthy ones of them; absent: nobody knows. */
  readonly membership?: { readonly total: number; readonly healthy: number };
  /** `downstream`: what the client speaks, where the cluster follows it; HTTP/1.1 unless told. */
  httpPool(host: Host, priority: 0 | 1, downstream?: HttpVersion, options?: TransportOptions): HttpPool;
  tcpPool(host: Host, priority: 0 | 1, options?: TransportOptions): TcpPool;
  /** What requests to its HTTP pools pass; null or absent: nothing. Who asks for a pool puts them before it. */
  readonly streamFilters?: StreamFilters | null;
  /** What its HTTP pools speak for a client that speaks `downstream`; of several, the first. Absent: nobody knows. */
  upstreamVersion?(downstream: HttpVersion): HttpVersion;
  /**
   * What a request (its authority and fields) or a plain connection (empty and null) asks of the host's transport: for
   * SNI, SANs and ALPN by the cluster's configuration and by filter state, and whose connection it is. Mostly
   * `noTransportOptions`.
   */
  transportOptions(
    host: Host,
    authority: string,
    headers: Headers | null,
    filterState: ReadonlyMap<string, unknown> | null,
    downstream: Peer | null,
  ): TransportOptions;
  /** For `cluster_metadata` formatters and filters. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** What its gRPC calls say besides, and where they count; null or absent: it is a cluster like any other. */
  readonly channel?: Channel | null;
}

/** All clusters of the current snapshot, by name. */
export interface Clusters {
  get(name: string): Cluster | undefined;
  /** Those that are asked for when somebody needs them; absent: none are. */
  readonly onDemand?: ClusterLookups;
}
