import { proxyProtocolHeader, proxyProtocolLocalHeader } from '../../../codec/proxy-protocol.ts';
import type { Connection, ConnectionSink } from '../../../core/connection.ts';
import { ClosedByPeer, ClosedLocally } from '../../../core/failures.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { DialHandler, Dialing } from '../../../net/network.ts';
import type { TcpProbeData } from '../health-check-data.ts';
import { holdsAll } from '../payload.ts';
import type { Probe, ProbePlace, ProbeUser } from './probe.ts';

/** An answer that goes on beyond this without what is expected is as good as none. Envoy has no limit. */
const receivedBytesMax = 1024 * 1024;

/** Connects, says something, and waits for something. Source: Envoy `tcp/health_checker_impl.cc`. */
export class TcpProbe implements Probe, DialHandler, ConnectionSink {
  private readonly check: TcpProbeData;
  private readonly place: ProbePlace;
  private readonly user: ProbeUser;
  private dialing: Dialing | null;
  private connection: Connection | null;
  private isDialing: boolean;
  private received: Uint8Array[];
  private receivedLength: number;

  constructor(check: TcpProbeData, place: ProbePlace, user: ProbeUser) {
    this.check = check;
    this.place = place;
    this.user = user;
    this.dialing = null;
    this.connection = null;
    this.isDialing = false;
    this.received = [];
    this.receivedLength = 0;
  }

  begin(): void {
    if (this.connection !== null) {
      this.send(this.connection);
      return;
    }
    this.isDialing = true;
    const dialing = this.place.dial(this);
    if (this.isDialing) this.dialing = dialing;
  }

  abort(): void {
    this.close();
  }

  close(): void {
    const { dialing, connection } = this;
    this.isDialing = false;
    this.dialing = null;
    this.connection = null;
    this.forget();
    dialing?.cancel();
    connection?.destroy(ClosedLocally);
  }

  // DialHandler

  onConnected(connection: Connection): void {
    if (!this.isDialing) {
      connection.destroy(ClosedLocally);
      return;
    }
    this.isDialing = false;
    this.dialing = null;
    this.connection = connection;
    connection.attach(this);
    if (this.check.receive.length > 0) {
      this.send(connection);
      return;
    }
    this.close();
    this.user.onPassed(false);
  }

  onDialFailure(): void {
    if (!this.isDialing) return;
    this.isDialing = false;
    this.dialing = null;
    this.user.onFailed('NETWORK', false, 0);
  }

  // ConnectionSink

  onBytes(chunk: Uint8Array): void {
    if (this.connection === null) {
      lentBytes.settle(chunk, chunk.length);
      return;
    }
    this.received.push(chunk.slice());
    this.receivedLength += chunk.length;
    lentBytes.settle(chunk, chunk.length);
    if (holdsAll(Buffer.concat(this.received), this.check.receive)) {
      this.forget();
      if (!this.place.reusesConnection) this.close();
      this.user.onPassed(false);
    } else if (this.receivedLength > receivedBytesMax) {
      this.close();
      this.user.onFailed('NETWORK', false, 0);
    }
  }

  onDrain(): void {
    // What is sent is as small as the configuration has it.
  }

  onEnd(): void {
    this.connection?.destroy(ClosedByPeer);
  }

  /** As Envoy: a failure even where nobody has asked right now. */
  onClosed(): void {
    if (this.connection === null) return;
    this.connection = null;
    this.forget();
    this.user.onFailed('NETWORK', false, 0);
  }

  private send(connection: Connection): void {
    const { proxyProtocol, send } = this.check;
    const { peer } = connection;
    if (proxyProtocol === 1) connection.write(proxyProtocolHeader(1, peer.local, peer.remote));
    if (proxyProtocol === 2) connection.write(Uint8Array.from(proxyProtocolLocalHeader));
    if (send !== null) connection.write(Uint8Array.from(send));
  }

  private forget(): void {
    this.received = [];
    this.receivedLength = 0;
  }
}
