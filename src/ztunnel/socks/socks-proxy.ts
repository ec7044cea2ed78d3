import type { Timed } from '../../core/clock.ts';
import type { AcceptedConnection, Connection, ConnectionSink } from '../../core/connection.ts';
import { ClosedLocally } from '../../core/failures.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { AcceptHandler } from '../../net/network.ts';
import type { Outbound, OutboundAnswer } from '../proxy/outbound.ts';
import { greetingReply, requestReply, SocksReader, SocksReply } from './socks-reader.ts';

/** How long a client may take to say what it wants. */
const requestMs = 10_000;

const farewellMs = 1000;

/** Connections that say themselves where they want to go: SOCKS 5. */
export class SocksProxy implements AcceptHandler {
  readonly outbound: Outbound;

  constructor(outbound: Outbound) {
    this.outbound = outbound;
  }

  onAccepted(connection: AcceptedConnection): void {
    const client = new SocksClient(this, connection);
    const { clock, timers } = this.outbound.pod;
    timers.schedule(client, clock.now + requestMs);
    connection.attach(client);
  }

  onAcceptFailure(message: string): void {
    this.outbound.pod.thread.log.warn(`socks5: ${message}`);
  }
}

/** One of them, until it has said what it wants. */
class SocksClient implements ConnectionSink, OutboundAnswer, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly proxy: SocksProxy;
  private readonly connection: AcceptedConnection;
  private readonly reader: SocksReader;

  constructor(proxy: SocksProxy, connection: AcceptedConnection) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.proxy = proxy;
    this.connection = connection;
    this.reader = new SocksReader();
  }

  onBytes(chunk: Uint8Array): void {
    const { reader, connection } = this;
    const isGreeted = reader.read(chunk);
    lentBytes.settle(chunk, chunk.length);
    if (isGreeted) connection.write(greetingReply());
    const { state } = reader;
    if (state.kind === 'refused') this.refuse(state.reply);
    else if (state.kind === 'wanted') this.carry(state.isName ? this.addressOf(state.host) : state.host, state.port);
  }

  onDrain(): void {}

  onEnd(): void {
    this.connection.destroy(ClosedLocally);
  }

  onClosed(): void {
    this.proxy.outbound.pod.timers.cancel(this);
  }

  tick(): void {
    this.connection.destroy(ClosedLocally);
  }

  // OutboundAnswer

  opened(client: Connection): void {
    client.write(requestReply(SocksReply.Succeeded));
  }

  failed(client: Connection): void {
    client.write(requestReply(SocksReply.Failed));
    client.closeAfterFlush(farewellMs, ClosedLocally);
  }

  private carry(host: string | null, port: number): void {
    if (host === null) {
      this.refuse(SocksReply.AddressUnknown);
      return;
    }
    const { outbound } = this.proxy;
    outbound.pod.timers.cancel(this);
    // Until there is somebody to read it again.
    this.connection.pause();
    this.connection.detach(this.reader.rest);
    outbound.carry(this.connection, { kind: 'ip', host, port }, this);
  }

  /** Names are those of services. */
  private addressOf(name: string): string | null {
    const { thread, info } = this.proxy.outbound.pod;
    const service = thread.mesh.services.byHostname(name, info.namespace);
    return service?.vips.find(({ network }) => network === thread.settings.network)?.address ?? null;
  }

  private refuse(reply: SocksReply | null): void {
    if (reply !== null) this.connection.write(requestReply(reply));
    this.connection.closeAfterFlush(farewellMs, ClosedLocally);
  }
}
