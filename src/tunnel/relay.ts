import type { Connection, ConnectionSink } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import { ClosedByPeer, ClosedLocally } from '../core/failures.ts';

/** How long the client of a server that has gone may take nothing of the server's last words. */
const lastWordsMs = 30_000;

/** Who hears of the end of a relay, once: null where both halves were complete. */
export interface RelayOwner {
  onRelayEnded(relay: Relay, failure: Failure | null): void;
}

/**
 * Two connections, each of which gets what the other reads: a half-close becomes a half-close, and whatever breaks one of
 * them breaks the other off by a reset, unless all that it had to say was said.
 */
export class Relay {
  readonly client: Connection;
  readonly server: Connection;
  private readonly owner: RelayOwner;
  private readonly toServer: RelayHalf;
  private readonly toClient: RelayHalf;
  private isOver: boolean;

  constructor(client: Connection, server: Connection, owner: RelayOwner) {
    this.client = client;
    this.server = server;
    this.owner = owner;
    this.isOver = false;
    this.toServer = new RelayHalf(this, client, server);
    this.toClient = new RelayHalf(this, server, client);
  }

  /** Attaches to both: bytes flow from now on. */
  start(): void {
    this.server.attach(this.toClient);
    if (!this.isOver) this.client.attach(this.toServer);
    else this.client.reset(ClosedLocally);
  }

  /** Bytes from the client to the server, and back. */
  get forwardBytes(): number {
    return this.client.bytesRead;
  }

  get backwardBytes(): number {
    return this.server.bytesRead;
  }

  /** Breaks both off. */
  close(failure: Failure): void {
    if (this.isOver) return;
    this.end(failure);
    this.client.reset(failure);
    this.server.reset(failure);
  }

  /** One of the two is gone. */
  closed(half: RelayHalf, failure: Failure): void {
    if (this.isOver) return;
    const isWhole = this.toServer.hasEnded && this.toClient.hasEnded;
    this.end(isWhole ? null : failure);
    if (isWhole) return;
    // Gone in good order, behind all that it had to say: a reset could overtake that at the other end.
    if (half.hasEnded && failure === ClosedByPeer) half.to.closeAfterFlush(lastWordsMs, failure);
    else half.to.reset(failure);
  }

  /** The half that brings back what this one's connection takes. */
  opposite(half: RelayHalf): RelayHalf {
    return half === this.toServer ? this.toClient : this.toServer;
  }

  private end(failure: Failure | null): void {
    this.isOver = true;
    this.owner.onRelayEnded(this, failure);
  }
}

/** One direction: hears what comes in `from`, and has it written to `to`. */
class RelayHalf implements ConnectionSink {
  readonly from: Connection;
  readonly to: Connection;
  hasEnded: boolean;
  private readonly relay: Relay;
  private isHeld: boolean;

  constructor(relay: Relay, from: Connection, to: Connection) {
    this.from = from;
    this.to = to;
    this.hasEnded = false;
    this.relay = relay;
    this.isHeld = false;
  }

  onBytes(chunk: Uint8Array): void {
    if (!this.to.write(chunk)) this.hold();
  }

  /** `from` takes no more: its feeder is not asked for what would only wait, and hold the memory that it was read into. */
  onFull(): void {
    this.relay.opposite(this).hold();
  }

  /** `from` takes more: whoever feeds it goes on. */
  onDrain(): void {
    this.relay.opposite(this).release();
  }

  onEnd(): void {
    this.hasEnded = true;
    this.to.end();
  }

  onClosed(failure: Failure): void {
    this.relay.closed(this, failure);
  }

  private hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.from.pause();
  }

  private release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.from.resume();
  }
}
