import type { Connection } from '../../core/connection.ts';
import { UpstreamConnectError, UpstreamRemoteReset } from '../../codec/h2/failures.ts';
import { noBytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, ClosedLocally, RemoteConnectionFailure, UpstreamProtocolError } from '../../core/failures.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import { TunnelConnection, type TunnelTime } from '../tunnel-connection.ts';

/** Who wants a tunnel; hears exactly one thing, unless it gave up. */
export interface TunnelHandler {
  /** The other end has agreed; to be attached to at once. `carrier`: the connection that it lies in. */
  onTunnel(tunnel: Connection, head: ResponseHead, carrier: Connection): void;
  /** `status`: what the other end said instead; 0: nothing. */
  onTunnelFailure(failure: Failure, status: number): void;
}

/** One CONNECT, from the request to the tunnel. */
export class ClientTunnel implements StreamUser<ResponseHead> {
  /** Null: the tunnel stands. */
  private request: RequestHead | null;
  private readonly time: TunnelTime;
  private handler: TunnelHandler | null;
  private stream: CodecStream<RequestHead> | null;
  private carrier: Connection | null;
  private tunnel: TunnelConnection | null;
  /** Asks for another connection, where the one that it was sent on turns out to be gone; null: not any more. */
  private again: ((tunnel: ClientTunnel) => void) | null;
  private isRepeated: boolean;

  constructor(request: RequestHead, handler: TunnelHandler, time: TunnelTime) {
    this.request = request;
    this.time = time;
    this.handler = handler;
    this.stream = null;
    this.carrier = null;
    this.tunnel = null;
    this.again = null;
    this.isRepeated = false;
  }

  /** Nobody waits for it any more. */
  get isGivenUp(): boolean {
    return this.handler === null;
  }

  /**
   * The request goes out. `again`: where the connection has stood for a while and may be gone without our knowing, asks for
   * another, once; nothing has been sent through the tunnel yet.
   */
  send(stream: CodecStream<RequestHead>, carrier: Connection, again: ((tunnel: ClientTunnel) => void) | null): void {
    this.stream = stream;
    this.carrier = carrier;
    this.again = this.isRepeated ? null : again;
    stream.head(this.request!, false);
  }

  /** No call on the handler follows. */
  cancel(): void {
    this.handler = null;
    if (this.tunnel === null) this.stream?.reset(ClosedLocally);
  }

  fail(failure: Failure, status = 0): void {
    const { handler } = this;
    this.handler = null;
    handler?.onTunnelFailure(failure, status);
  }

  // StreamUser

  head(head: ResponseHead, end: boolean): void {
    const { handler, stream } = this;
    if (head.status < 200 || handler === null) return;
    if (head.status >= 300) {
      if (!end) stream!.reset(ClosedLocally);
      else stream!.data(noBytes, true);
      this.fail(RemoteConnectionFailure, head.status);
      return;
    }
    this.handler = null;
    this.request = null;
    this.again = null;
    this.tunnel = new TunnelConnection(stream!, this.carrier!.peer, this.time);
    handler.onTunnel(this.tunnel, head, this.carrier!);
    if (end) this.tunnel.ended();
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.tunnel?.data(chunk, end);
  }

  trailers(): void {
    this.tunnel?.ended();
  }

  reset(failure: Failure): void {
    if (this.tunnel !== null) {
      this.tunnel.broken(tunnelBroken(failure));
      return;
    }
    if (this.handler === null) return;
    const { again } = this;
    this.again = null;
    this.stream = null;
    this.isRepeated = true;
    if (again !== null && mayBeRepeated(failure)) again(this);
    else this.fail(failure);
  }

  onAboveHighWatermark(): void {
    this.tunnel?.onAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.tunnel?.onBelowLowWatermark();
  }
}

/** The connection was lost or the server left: not something that it said of this very stream. */
function mayBeRepeated({ kind }: Failure): boolean {
  return kind !== UpstreamRemoteReset.kind && kind !== UpstreamConnectError.kind && kind !== UpstreamProtocolError.kind;
}

/** Inside the tunnel a reset of the stream is a reset of the connection. */
export function tunnelBroken(failure: Failure): Failure {
  return ClosedByPeer.with(failure.detail === '' ? failure.kind.reason : failure.detail);
}
