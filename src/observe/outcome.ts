import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { Peer, RemoteAddress } from '../core/peer.ts';

/**
 * What happened to one stream (or, for TCP, one connection). One writer (`proxy/`), read by access log, metrics and
 * traces when the stream has ended. Every field is set in the constructor: one shape for life.
 * Times are monotonic milliseconds of the loop's clock; NaN: did not happen.
 */
export class Outcome {
  /** Wall clock at the first byte, milliseconds since the epoch. */
  startEpochMs: number;
  startMs: number;
  requestEndMs: number;
  upstreamRequestStartMs: number;
  upstreamRequestEndMs: number;
  upstreamResponseStartMs: number;
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
  /** %ACCESS_LOG_TYPE%: why the log is written now. */
  accessLogType: string;
  /** Bits of ResponseFlag. */
  flags: number;
  localReplyBody: string;

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
  /** Who the client is, once x-forwarded-for was believed (port 0 then); null: `peer.remote`. %DOWNSTREAM_REMOTE_ADDRESS%. */
  remoteAddress: RemoteAddress | null;
  /** The request is internal (`x-envoy-internal: true` was set). */
  isInternal: boolean;
  filterChainName: string;
  /** Unique within the process; %STREAM_ID% shows the request id where there is one. */
  streamId: string;
  routeName: string;
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
  upstreamPoolReadyMs: number;
  attemptCount: number;
  /** `dynamic_metadata`: filter name → value. */
  dynamicMetadata: Map<string, unknown> | null;
  filterState: Map<string, unknown> | null;

  constructor() {
    this.startEpochMs = 0;
    this.startMs = 0;
    this.requestEndMs = NaN;
    this.upstreamRequestStartMs = NaN;
    this.upstreamRequestEndMs = NaN;
    this.upstreamResponseStartMs = NaN;
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
    this.remoteAddress = null;
    this.isInternal = false;
    this.filterChainName = '';
    this.streamId = '';
    this.routeName = '';
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
    this.dynamicMetadata = null;
    this.filterState = null;
  }
}
