import type { ClientCodecOwner } from '../../codec/codec.ts';
import { H2ClientCodec } from '../../codec/h2/client.ts';
import type { H2ClientOptions } from '../../codec/h2/options.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import type { TunnelTime } from '../tunnel-connection.ts';
import { HboneCarrier } from './carrier.ts';
import type { ClientTunnel } from './client-tunnel.ts';

/** A pool, as its connections know it. */
export interface HboneConnectionOwner {
  /** It takes tunnels again. */
  onAvailable(connection: HboneClientConnection): void;
  /** It takes no more; those that it carries go on. */
  onUnavailable(connection: HboneClientConnection): void;
  /** It is closed. */
  onGone(connection: HboneClientConnection): void;
}

/** A connection is taken to be fresh for so long: what is asked on it then and fails is not asked again elsewhere. */
const freshMs = 1000;

/** One connection of a pool: carries tunnels as long as it may, and goes when nothing has been asked of it for a while. */
export class HboneClientConnection extends HboneCarrier implements ClientCodecOwner {
  protected readonly codec: H2ClientCodec;
  private readonly owner: HboneConnectionOwner;
  private readonly unusedReleaseMs: number;
  private readonly openedMs: number;
  /** When it has carried nothing for long enough; Infinity: it carries something. */
  private unusedMs: number;
  /** The pool gives it no tunnels any more. */
  private isReleased: boolean;
  private isListed: boolean;

  constructor(
    connection: Connection,
    owner: HboneConnectionOwner,
    options: H2ClientOptions,
    unusedReleaseMs: number,
    time: TunnelTime,
  ) {
    super(connection, time);
    this.owner = owner;
    this.unusedReleaseMs = unusedReleaseMs;
    this.openedMs = time.clock.now;
    this.unusedMs = time.clock.now + unusedReleaseMs;
    this.isReleased = false;
    this.isListed = true;
    this.codec = new H2ClientCodec(this, this, options, time.clock.now);
    connection.attach(this);
    this.scheduleNext();
  }

  get canOpen(): boolean {
    return !this.isOver && !this.isReleased && this.codec.canOpen;
  }

  get activeTunnels(): number {
    return this.codec.activeStreams;
  }

  /** Only if `canOpen`. `again`: see ClientTunnel. */
  open(tunnel: ClientTunnel, again: (tunnel: ClientTunnel) => void): void {
    const { now } = this.clock;
    this.unusedMs = Infinity;
    const stream = this.codec.open(tunnel, now);
    tunnel.send(stream, this.connection, now - this.openedMs > freshMs ? again : null);
    if (!this.isOver && !this.codec.canOpen) this.unlist();
  }

  /** The pool has done with it: it closes with its last tunnel. */
  release(): void {
    this.isReleased = true;
    this.unlist();
    if (!this.isOver && this.codec.activeStreams === 0) this.leave();
  }

  /** With its tunnels. */
  close(failure: Failure): void {
    this.isReleased = true;
    this.connection.destroy(failure);
  }

  // ClientCodecOwner

  onStreamDone(reusable: boolean): void {
    if (this.isOver) return;
    if (this.codec.activeStreams === 0) {
      if (this.isReleased || !reusable) {
        this.unlist();
        this.leave();
        return;
      }
      this.unusedMs = this.clock.now + this.unusedReleaseMs;
      this.scheduleNext();
    }
    if (!reusable) this.unlist();
    else if (!this.isListed && this.canOpen) this.list();
  }

  /** GOAWAY: its tunnels go on. */
  onCloseAnnounced(): void {
    this.isReleased = true;
    this.unlist();
    if (this.codec.activeStreams === 0) this.leave();
  }

  onProtocolError(failure: Failure): void {
    this.unlist();
    this.connection.destroy(failure);
  }

  // HboneCarrier

  protected override get ownMs(): number {
    return this.unusedMs;
  }

  protected override onOwnMoment(): void {
    this.unusedMs = Infinity;
    this.release();
  }

  /** The server's settings may allow fewer streams, or more. */
  protected override onReceived(): void {
    if (this.isListed === this.canOpen) return;
    if (this.isListed) this.unlist();
    else this.list();
  }

  protected override onOver(): void {
    this.unlist();
    this.owner.onGone(this);
  }

  private list(): void {
    this.isListed = true;
    this.owner.onAvailable(this);
  }

  private unlist(): void {
    if (!this.isListed) return;
    this.isListed = false;
    this.owner.onUnavailable(this);
  }
}
