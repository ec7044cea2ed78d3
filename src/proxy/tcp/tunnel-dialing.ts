import type { ConnectionWaiter, Host, HttpPool, StreamWaiter, TcpPool } from '../../cluster/cluster.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { LocalReset, RemoteConnectionFailure } from '../../core/failures.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { CodecStream } from '../../core/message-sink.ts';
import { TunnelConnection, type TunnelTime } from '../../tunnel/tunnel-connection.ts';

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

  constructor(pool: HttpPool, request: RequestHead, time: TunnelTime) {
    this.pool = pool;
    this.request = request;
    this.time = time;
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
    const { waiter } = this;
    if (head.status < 200 || waiter === null) return;
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

  trailers(): void {
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

  private fail(failure: Failure, host: Host | null): void {
    const { waiter } = this;
    this.waiter = null;
    waiter?.onConnectFailure(failure, host);
  }
}
