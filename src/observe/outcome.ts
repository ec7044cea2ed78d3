import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { Peer, RemoteAddress } from '../core/peer.ts';

/** `filter_metadata` of the configuration: namespace → struct. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A try that was given up for another. */
export interface UpstreamAttempt {
  readonly host: string;
  readonly hostName: string;
  readonly connectionId: number;
}

/**
 * What happened to one stream (or, for TCP, one connection). One writer (`proxy/`), read by access log, metrics and
 * traces when the stream has ended. Every field is set in the constructor: one shape for life.
 * Times are monotonic milliseconds of the loop's clock; NaN: did not happen.
 */
export class Outcome {
  /** Wall clock at the first byte, milliseconds since the epoch. */
  startEpochMs: number;
  startMs: number;
  /** Of the connection that a stream is on; NaN: this is of a connection itself, and `startMs` is its own. */
  connectionStartMs: number;
  requestEndMs: number;
  /** Of the connection that the request went over; NaN where it was taken from the pool or is not known. */
  upstreamConnectStartMs: number;
  upstreamConnectEndMs: number;
  upstreamRequestStartMs: number;
  upstreamRequestEndMs: number;
  upstreamResponseStartMs: number;
  upstreamResponseBodyStartMs: number;
  upstreamResponseEndMs: number;
  responseStartMs: number;
  endMs: number;

  /** `HTTP/1.1`, `HTTP/2`, or empty for TCP. */
  protocol: string;
  requestHead: RequestHead | null;
  responseHead: ResponseHead | null;
  responseTrailers: Headers | null;
  /** Status sent downstream; 0: none. */
  responseCode: number;
  /** Envoy's RESPONSE_CODE_DETAILS, spaces already `_`; empty: none. */
  details: string;
  connectionTerminationDetails: string;
  /** %ACCESS_LOG_TYPE%, which moment a log tells of: `DownstreamEnd`, for TCP `TcpConnectionEnd`. */
  accessLogType: string;
  /** Bits of ResponseFlag. */
  flags: number;
  localReplyBody: string;
  /** Name of a request field that got a value that no field may have; empty: none did. */
  invalidField: string;

  /** Body bytes. */
  bytesReceived: number;
  bytesSent: number;
  headerBytesReceived: number;
  headerBytesSent: number;
  wireBytesReceived: number;
  wireBytesSent: number;
  upstreamWireBytesReceived: number;
  upstreamWireBytesSent: number;
  upstreamHeaderBytesReceived: number;
  upstreamHeaderBytesSent: number;

  connectionId: number;
  peer: Peer | null;
  /** Why the client's handshake failed; empty: it did not. */
  downstreamTransportFailureReason: string;
  /** Who the client is, once x-forwarded-for was believed (port 0 then); null: `peer.remote`. %DOWNSTREAM_REMOTE_ADDRESS%. */
  remoteAddress: RemoteAddress | null;
  /** The request is internal (`x-envoy-internal: true` was set). */
  isInternal: boolean;
  /** Which trace the stream belongs to, hexadecimal; empty: it is not traced. %TRACE_ID%. */
  traceId: string;
  /** Of the stream's own span, where the tracer tells it; %SPAN_ID%. */
  spanId: string;
  /** Why it is traced; of `TraceReason`. -1: nobody has asked. */
  traceReason: number;
  /** A health check that was answered here (the health_check filter says so). */
  isHealthCheck: boolean;
  filterChainName: string;
  /** Unique within the process; %STREAM_ID% shows the request id where there is one. */
  streamId: string;
  routeName: string;
  /** Empty: no route was taken. */
  virtualHostName: string;
  virtualClusterName: string;

  /** Cluster as logged (%UPSTREAM_CLUSTER%, alt_stat_name aware) and as named. */
  upstreamCluster: string;
  upstreamClusterRaw: string;
  /** `ip:port` of the host that served or failed last; empty: none was chosen. */
  upstreamHost: string;
  upstreamHostName: string;
  upstreamLocalAddress: string;
  /** Ends of the upstream connection; its local address is read from here when a log asks for it. */
  upstreamPeer: Peer | null;
  upstreamConnectionId: number;
  upstreamProtocol: string;
  upstreamTransportFailureReason: string;
  /** Milliseconds between asking the pool and its answer, good or bad. */
  upstreamPoolReadyMs: number;
  attemptCount: number;
  /** Tries before the last one that had reached a connection; null: none. Filled by retries. */
  earlierAttempts: UpstreamAttempt[] | null;
  /** How each side's connection ended, as Envoy says it: `Normal`, `LocalReset`, `RemoteReset`. */
  downstreamCloseType: string;
  upstreamCloseType: string;
  /** Why sekisho closed a connection itself; empty: it did not. */
  downstreamLocalCloseReason: string;
  upstreamLocalCloseReason: string;

  /** Configured metadata, namespace → value, for %METADATA(…)%, %CLUSTER_METADATA(…)% and %UPSTREAM_METADATA(…)%. */
  listenerMetadata: Metadata | null;
  filterChainMetadata: Metadata | null;
  virtualHostMetadata: Metadata | null;
  routeMetadata: Metadata | null;
  clusterMetadata: Metadata | null;
  upstreamHostMetadata: Metadata | null;
  /** `dynamic_metadata`: filter name → value. */
  dynamicMetadata: Map<string, unknown> | null;
  filterState: Map<string, unknown> | null;
  /** What filters of the upstream connection found out; null: there are none. */
  upstreamFilterState: ReadonlyMap<string, unknown> | null;

  constructor() {
    this.startEpochMs = 0;
    this.startMs = 0;
    this.connectionStartMs = NaN;
    this.requestEndMs = NaN;
    this.upstreamConnectStartMs = NaN;
    this.upstreamConnectEndMs = NaN;
    this.upstreamRequestStartMs = NaN;
    this.upstreamRequestEndMs = NaN;
    this.upstreamResponseStartMs = NaN;
    this.upstreamResponseBodyStartMs = NaN;
    this.upstreamResponseEndMs = NaN;
    this.responseStartMs = NaN;
    this.endMs = NaN;
    this.protocol = '';
    this.requestHead = null;
    this.responseHead = null;
    this.responseTrailers = null;
    this.responseCode = 0;
    this.details = '';
    this.connectionTerminationDetails = '';
    this.accessLogType = 'DownstreamEnd';
    this.flags = 0;
    this.localReplyBody = '';
    this.invalidField = '';
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.headerBytesReceived = 0;
    this.headerBytesSent = 0;
    this.wireBytesReceived = 0;
    this.wireBytesSent = 0;
    this.upstreamWireBytesReceived = 0;
    this.upstreamWireBytesSent = 0;
    this.upstreamHeaderBytesReceived = 0;
    this.upstreamHeaderBytesSent = 0;
    this.connectionId = 0;
    this.peer = null;
    this.downstreamTransportFailureReason = '';
    this.remoteAddress = null;
    this.isInternal = false;
    this.traceId = '';
    this.spanId = '';
    this.traceReason = -1;
    this.isHealthCheck = false;
    this.filterChainName = '';
    this.streamId = '';
    this.routeName = '';
    this.virtualHostName = '';
    this.virtualClusterName = '';
    this.upstreamCluster = '';
    this.upstreamClusterRaw = '';
    this.upstreamHost = '';
    this.upstreamHostName = '';
    this.upstreamLocalAddress = '';
    this.upstreamPeer = null;
    this.upstreamConnectionId = 0;
    this.upstreamProtocol = '';
    this.upstreamTransportFailureReason = '';
    this.upstreamPoolReadyMs = NaN;
    this.attemptCount = 0;
    this.earlierAttempts = null;
    this.downstreamCloseType = 'Normal';
    this.upstreamCloseType = 'Normal';
    this.downstreamLocalCloseReason = '';
    this.upstreamLocalCloseReason = '';
    this.listenerMetadata = null;
    this.filterChainMetadata = null;
    this.virtualHostMetadata = null;
    this.routeMetadata = null;
    this.clusterMetadata = null;
    this.upstreamHostMetadata = null;
    this.dynamicMetadata = null;
    this.filterState = null;
    this.upstreamFilterState = null;
  }
}
