import type { Connection, ConnectionSink } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import { WrappedConnection } from '../../../core/wrapped-connection.ts';
import { Outcome } from '../../../observe/outcome.ts';
import { upstreamWorkload } from '../../istio/workload/workload-lookup.ts';
import { upstreamPeerKey, type Workload } from '../../istio/workload/workload.ts';
import type { UpstreamFilter, UpstreamOf } from '../network-filter.ts';
import type { Exchange } from './exchange.ts';
import { FrameReader } from './frame.ts';

/** `istio.metadata_exchange` of a cluster. */
export class UpstreamExchange implements UpstreamFilter {
  private readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  connected(connection: Connection, host: UpstreamOf, found: Map<string, unknown>): Connection {
    const { exchange } = this;
    if (exchange.isAgreed(connection.peer.alpn)) return new ExchangingUpstream(connection, exchange, host, found);
    exchange.note(found, upstreamPeerKey, null, lookedUp(exchange, host));
    return connection;
  }
}

function lookedUp({ lookup }: Exchange, host: UpstreamOf): Workload | null {
  if (lookup === null) return null;
  const outcome = new Outcome();
  outcome.upstreamHost = host.addressText;
  outcome.upstreamHostMetadata = host.metadata;
  return upstreamWorkload(lookup, outcome);
}

/** A connection to a server that exchanges metadata: our frame goes before anything else, and its frame comes first. */
class ExchangingUpstream extends WrappedConnection implements ConnectionSink {
  private readonly exchange: Exchange;
  private readonly host: UpstreamOf;
  readonly found: Map<string, unknown>;
  private sink: ConnectionSink | null;
  private isFrameSent: boolean;
  /** Null: the server's frame has been read, or there is none. */
  private reader: FrameReader | null;

  constructor(inner: Connection, exchange: Exchange, host: UpstreamOf, found: Map<string, unknown>) {
    super(inner);
    this.exchange = exchange;
    this.host = host;
    this.found = found;
    this.sink = null;
    this.isFrameSent = false;
    this.reader = new FrameReader(exchange.moreLabels);
  }

  // Connection, for the user

  attach(sink: ConnectionSink): void {
    this.sink = sink;
    this.inner.attach(this);
  }

  override write(chunk: Uint8Array): boolean {
    this.sendFrame();
    return this.inner.write(chunk);
  }

  override writeLatin1(text: string): boolean {
    this.sendFrame();
    return this.inner.writeLatin1(text);
  }

  // ConnectionSink, for the socket

  onBytes(chunk: Uint8Array): void {
    this.sendFrame();
    const { reader, exchange } = this;
    if (reader === null) {
      this.sink!.onBytes(chunk);
      return;
    }
    reader.read(chunk);
    exchange.countMissing(reader);
    if (!reader.isOver) return;
    this.note(reader.workload);
    if (reader.rest.length > 0) this.sink!.onBytes(reader.rest);
  }

  onDrain(): void {
    this.sink!.onDrain();
  }

  onEnd(): void {
    const { reader } = this;
    if (reader !== null) {
      this.note(null);
      if (reader.rest.length > 0) this.sink!.onBytes(reader.rest);
    }
    this.sink!.onEnd();
  }

  onClosed(failure: Failure): void {
    this.sink?.onClosed(failure);
    this.owner?.onConnectionClosed(this);
  }

  private sendFrame(): void {
    if (this.isFrameSent) return;
    this.isFrameSent = true;
    this.inner.write(this.exchange.takeFrame());
  }

  private note(told: Workload | null): void {
    this.reader = null;
    const looked = told === null ? lookedUp(this.exchange, this.host) : null;
    this.exchange.note(this.found, upstreamPeerKey, told, looked);
  }
}
