import type { ConnectionWaiter, Host, HttpPool, StreamWaiter, TcpPool } from '../../cluster/cluster.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { LocalReset, RemoteConnectionFailure } from '../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecStream } from '../../core/message-sink.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { TunnelConnection, type TunnelTime } from '../../tunnel/tunnel-connection.ts';
import { receivedHeadSize, sentHeadSize } from '../http/stats/head-size.ts';

/** Which parts of the answer become filter state. */
export interface Propagation {
  readonly headers: boolean;
  readonly trailers: boolean;
}

/** Opens one connection inside a stream of an HTTP pool: the host is asked for it, and agrees by a 2xx. */
export class TunnelDialing implements TcpPool, StreamWaiter {
  private readonly pool: HttpPool;
  private readonly request: RequestHead;
  private readonly time: TunnelTime;
  /** Null once it has been told. */
  private waiter: ConnectionWaiter | null;
  private stream: CodecStream<RequestHead> | null;
  private carrier: Connection | null;
  private host: Host | null;
  private connectStartMs: number;
  /** The highest status that is consent. */
  private consentMax: number;
  private tunnel: TunnelConnection | null;
  private readonly outcome: Outcome;
  /** What had passed over the carrier before. */
  private readBefore: number;
  private writtenBefore: number;
  private readonly propagation: Propagation;

  /** `outcome`: of the connection that is carried. */
  constructor(pool: HttpPool, request: RequestHead, outcome: Outcome, time: TunnelTime, propagation: Propagation) {
    this.pool = pool;
    this.request = request;
    this.outcome = outcome;
    this.time = time;
    this.propagation = propagation;
    this.readBefore = 0;
    this.writtenBefore = 0;
    this.waiter = null;
    this.stream = null;
    this.carrier = null;
    this.host = null;
    this.connectStartMs = NaN;
    this.consentMax = 0;
    this.tunnel = null;
  }

  // TcpPool, for one waiter

  newConnection(waiter: ConnectionWaiter): void {
    this.waiter = waiter;
    this.pool.newStream(this);
  }

  cancel(): void {
    this.waiter = null;
    if (this.stream === null) this.pool.cancel(this);
    else this.stream.reset(LocalReset);
  }

  // The pool

  onPoolReady(
    stream: CodecStream<RequestHead>,
    carrier: Connection,
    host: Host,
    connectStartMs: number,
    version: HttpVersion | null,
  ): void {
    this.stream = stream;
    this.carrier = carrier;
    this.readBefore = carrier.bytesRead;
    this.writtenBefore = carrier.bytesWritten;
    this.host = host;
    this.connectStartMs = connectStartMs;
    // As Envoy: what RFC 9110 calls consent, any 2xx, counts over HTTP/1 only.
    this.consentMax = version === HttpVersion.Http2 ? 200 : 299;
    stream.becomeTunnel?.();
    stream.head(this.request, false);
  }

  onPoolFailure(failure: Failure, host: Host | null): void {
    this.fail(failure, host);
  }

  // The stream

  head(head: ResponseHead, end: boolean): void {
    const { waiter, outcome } = this;
    if (head.status < 200 || waiter === null) return;
    if (this.propagation.headers)
      this.propagate('headers', [{ key: ':status', value: String(head.status) }, ...fieldsOf(head.headers)]);
    if (this.stream!.wireBytesSent === undefined) {
      outcome.upstreamHeaderBytesSent = sentHeadSize(this.request);
      outcome.upstreamHeaderBytesReceived = receivedHeadSize(head);
    }
    if (head.status > this.consentMax) {
      this.stream!.reset(LocalReset);
      this.fail(RemoteConnectionFailure.with(`tunnel_response:${head.status}`), this.host);
      return;
    }
    this.waiter = null;
    this.tunnel = new TunnelConnection(this.stream!, this.carrier!.peer, this.time);
    waiter.onConnected(this.tunnel, this.host!, this.connectStartMs);
    if (end) this.tunnel.ended();
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.tunnel?.data(chunk, end);
  }

  trailers(trailers: Headers): void {
    if (this.propagation.trailers) this.propagate('trailers', fieldsOf(trailers));
    this.tunnel?.ended();
  }

  reset(failure: Failure): void {
    if (this.tunnel === null) this.fail(RemoteConnectionFailure, this.host);
    else this.tunnel.broken(failure);
  }

  onAboveHighWatermark(): void {
    this.tunnel?.onAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.tunnel?.onBelowLowWatermark();
  }

  /** Tells the outcome what has passed over the stream, heads and all. */
  count(): void {
    const { stream, carrier, outcome } = this;
    if (stream === null) return;
    outcome.upstreamConnectionId = carrier!.id;
    if (stream.wireBytesSent === undefined) {
      outcome.upstreamWireBytesReceived = carrier!.bytesRead - this.readBefore;
      outcome.upstreamWireBytesSent = carrier!.bytesWritten - this.writtenBefore;
      return;
    }
    outcome.upstreamWireBytesReceived = stream.wireBytesReceived!;
    outcome.upstreamWireBytesSent = stream.wireBytesSent;
    outcome.upstreamHeaderBytesReceived = stream.headerBytesReceived!;
    outcome.upstreamHeaderBytesSent = stream.headerBytesSent!;
  }

  private propagate(what: 'headers' | 'trailers', fields: readonly Field[]): void {
    this.outcome.filterState ??= new Map();
    this.outcome.filterState.set(`envoy.tcp_proxy.propagate_response_${what}`, { headers: fields });
  }

  private fail(failure: Failure, host: Host | null): void {
    const { waiter } = this;
    this.waiter = null;
    this.count();
    waiter?.onConnectFailure(failure, host);
  }
}

/** As Envoy's logs show a head: the JSON of its HeaderMap. */
interface Field {
  readonly key: string;
  readonly value: string;
}

function fieldsOf({ names, values }: Headers): Field[] {
  return names.map((key, i) => ({ key, value: values[i] }));
}
