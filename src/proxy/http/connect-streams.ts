import type { Cluster, ConnectionWaiter, Host, HttpPool, StreamWaiter, TcpPool } from '../../cluster/cluster.ts';
import { proxyProtocolHeader } from '../../codec/proxy-protocol.ts';
import { noBytes } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Peer } from '../../core/peer.ts';
import type { ForwardAction } from '../../route/route.ts';
import { StreamOverConnection } from '../../tunnel/stream-over-connection.ts';
import type { Forwarding } from './forward/forwarding.ts';

/** What an upstream may be told only once it has agreed to become something else: what follows an upgrade or a CONNECT. */
export function waitsForConsent(upgrade: string, head: RequestHead, action: ForwardAction): boolean {
  return (upgrade !== '' || head.method === 'CONNECT') && !endsHere(head, action);
}

/** The upstream's answer makes the stream what was asked for. */
export function consents(request: RequestHead, { status }: ResponseHead): boolean {
  return request.method === 'CONNECT' ? status >= 200 && status < 300 : status === 101;
}

/** Where the host's streams come from: its HTTP connections, or for a CONNECT that ends here plain ones. */
export function streamsTo(cluster: Cluster, host: Host, { action, head, stream, authority }: Forwarding): HttpPool {
  const { outcome } = stream;
  const options = cluster.transportOptions(host, authority, head!.headers, outcome.filterState, outcome.peer);
  if (!endsHere(head!, action)) return cluster.httpPool(host, action.priority, head!.version, options);
  const pool = cluster.tcpPool(host, action.priority, options);
  return new ConnectStreams(pool, action.connect!.proxyProtocol, stream.connection.connection.peer);
}

function endsHere({ method }: RequestHead, { connect }: ForwardAction): boolean {
  return connect !== null && (method === 'CONNECT' || (connect.allowsPost && method === 'POST'));
}

/** Where CONNECT ends: plain connections as streams, each for one request. */
export class ConnectStreams implements HttpPool, ConnectionWaiter {
  private readonly pool: TcpPool;
  private readonly preamble: Uint8Array;
  private waiter: StreamWaiter | null;

  /** `proxyProtocol`: the version that tells the upstream of `client`; 0: none does. */
  constructor(pool: TcpPool, proxyProtocol: 0 | 1 | 2, client: Peer) {
    this.pool = pool;
    this.preamble = proxyProtocol === 0 ? noBytes : proxyProtocolHeader(proxyProtocol, client.remote, client.local);
    this.waiter = null;
  }

  newStream(waiter: StreamWaiter): void {
    this.waiter = waiter;
    this.pool.newConnection(this);
  }

  cancel(): void {
    this.pool.cancel(this);
  }

  onConnected(connection: Connection, host: Host, connectStartMs: number): void {
    const waiter = this.waiter!;
    const stream = new StreamOverConnection(connection, waiter, this.preamble);
    waiter.onPoolReady(stream, connection, host, connectStartMs, null);
  }

  onConnectFailure(failure: Failure, host: Host | null): void {
    this.waiter!.onPoolFailure(failure, host);
  }
}
