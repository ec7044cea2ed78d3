import type { StreamAcceptor } from '../../codec/codec.ts';
import type { H2ServerOptions } from '../../codec/h2/options.ts';
import { H2ServerCodec } from '../../codec/h2/server.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { TunnelTime } from '../tunnel-connection.ts';
import { HboneCarrier } from './carrier.ts';
import { ServerTunnel, type TunnelAcceptor } from './server-tunnel.ts';

/** Who has the server's connections. */
export interface HboneServerOwner extends TunnelAcceptor {
  onCarrierClosed(carrier: HboneServerConnection, failure: Failure): void;
}

/** A client's connection, whose CONNECT requests become tunnels. */
export class HboneServerConnection extends HboneCarrier implements StreamAcceptor {
  protected readonly codec: H2ServerCodec;
  private readonly owner: HboneServerOwner;

  /** `connection`: of which nothing has been read; its handshake may still go on. */
  constructor(connection: Connection, owner: HboneServerOwner, options: H2ServerOptions, time: TunnelTime) {
    super(connection, time);
    this.owner = owner;
    this.codec = new H2ServerCodec(this, this, options);
    connection.attach(this);
  }

  get activeTunnels(): number {
    return this.codec.activeStreams;
  }

  /** GOAWAY; the tunnels that are open go on, and the connection ends with the last. */
  drain(): void {
    if (!this.isOver) this.codec.drain(this.clock.now);
  }

  /** With its tunnels. */
  close(failure: Failure): void {
    this.connection.destroy(failure);
  }

  // StreamAcceptor

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    return new ServerTunnel(this.owner, stream, this.connection, this.time);
  }

  onProtocolError(): void {
    if (!this.isOver) this.leave();
  }

  onFinished(): void {
    if (!this.isOver) this.leave();
  }

  // HboneCarrier

  protected override onOver(failure: Failure): void {
    this.owner.onCarrierClosed(this, failure);
  }
}
