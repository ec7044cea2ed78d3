import { noBytes } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import { ResponseHead, type RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import { TunnelConnection, type TunnelTime } from '../tunnel-connection.ts';
import { tunnelBroken } from './client-tunnel.ts';

/** Bytes that a client may send before it is answered. Those that know HBONE wait. */
const earlyBytesMax = 64 * 1024;

/** Who answers requests for tunnels. */
export interface TunnelAcceptor {
  /** To be answered by `accept` or `refuse`, now or later. */
  onTunnelRequest(tunnel: ServerTunnel): void;
}

/** One CONNECT as the server sees it. */
export class ServerTunnel implements StreamUser<RequestHead> {
  /** Until it is answered. */
  request: RequestHead | null;
  /** The connection that it came on. */
  readonly carrier: Connection;
  /** Told when the client gives up before it is answered; null: nobody asks. */
  onAbandoned: ((failure: Failure) => void) | null;
  private readonly acceptor: TunnelAcceptor;
  private readonly stream: CodecStream<ResponseHead>;
  private readonly time: TunnelTime;
  private early: Uint8Array[] | null;
  private earlyBytes: number;
  private hasEnded: boolean;
  private isAnswered: boolean;
  private tunnel: TunnelConnection | null;

  constructor(acceptor: TunnelAcceptor, stream: CodecStream<ResponseHead>, carrier: Connection, time: TunnelTime) {
    this.request = null;
    this.carrier = carrier;
    this.onAbandoned = null;
    this.acceptor = acceptor;
    this.stream = stream;
    this.time = time;
    this.early = null;
    this.earlyBytes = 0;
    this.hasEnded = false;
    this.isAnswered = false;
    this.tunnel = null;
  }

  /** 200. The tunnel is to be attached to at once: `attached` is called when what came early may be given to it. */
  accept(headers: Headers, attach: (tunnel: Connection) => void): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.stream.head(new ResponseHead(200, headers), false);
    const tunnel = new TunnelConnection(this.stream, this.carrier.peer, this.time);
    this.tunnel = tunnel;
    // A tunnel stays long, and has no use for what asked for it.
    this.request = null;
    this.onAbandoned = null;
    attach(tunnel);
    for (const chunk of this.early ?? []) tunnel.data(chunk, false);
    this.early = null;
    if (this.hasEnded) tunnel.ended();
  }

  refuse(status: number): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.early = null;
    this.stream.head(new ResponseHead(status, new Headers()), true);
  }

  // StreamUser

  head(head: RequestHead, end: boolean): void {
    this.request = head;
    this.hasEnded = end;
    this.acceptor.onTunnelRequest(this);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.tunnel !== null) {
      this.tunnel.data(chunk, end);
      return;
    }
    this.hasEnded ||= end;
    lentBytes.settle(chunk, chunk.length);
    if (this.isAnswered || chunk.length === 0) return;
    this.earlyBytes += chunk.length;
    if (this.earlyBytes > earlyBytesMax) {
      this.isAnswered = true;
      this.early = null;
      this.stream.reset(ClosedLocally);
      this.onAbandoned?.(ClosedLocally.with('bytes came before the answer'));
      return;
    }
    this.early ??= [];
    this.early.push(new Uint8Array(chunk));
  }

  trailers(): void {
    this.data(noBytes, true);
  }

  reset(failure: Failure): void {
    if (this.tunnel !== null) {
      this.tunnel.broken(tunnelBroken(failure));
      return;
    }
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.early = null;
    this.onAbandoned?.(failure);
  }

  onAboveHighWatermark(): void {
    this.tunnel?.onAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.tunnel?.onBelowLowWatermark();
  }
}
