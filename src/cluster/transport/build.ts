import type { UpstreamTlsData } from '../../identity/tls-context-data.ts';
import type { Network } from '../../net/network.ts';
import { PrologueNetwork } from '../../net/prologue-network.ts';
import { RawTransport } from '../../net/raw-transport.ts';
import type { UpstreamTransport } from '../../net/transport.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { InternalTransport } from './internal/internal-transport.ts';
import { ProxyProtocolTransport } from './proxy-protocol-transport.ts';
import type { TransportData, TransportSocketData } from './transport-data.ts';

/** What a cluster's transports are made with. */
export interface TransportTools {
  readonly network: Network;
  /** `upstream_cx_tx_bytes_total`. */
  readonly txBytes: () => Counter;
  /** `internal_upstream.no_metadata`. */
  readonly noMetadata: () => Counter;
  /** The cluster's own. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  buildTls(data: UpstreamTlsData, network: Network): UpstreamTransport;
}

/** Same order as the data. */
export function buildTransports(list: readonly TransportData[], tools: TransportTools): UpstreamTransport[] {
  return list.map(({ socket }) => build(socket, tools.network, tools));
}

function build(socket: TransportSocketData, network: Network, tools: TransportTools): UpstreamTransport {
  switch (socket.kind) {
    case 'raw':
      return new RawTransport(network);
    case 'tls':
      return tools.buildTls(socket.tls, network);
    case 'proxy-protocol': {
      const inner = build(socket.inner, new PrologueNetwork(network), tools);
      return new ProxyProtocolTransport(socket, inner, tools.txBytes());
    }
    case 'internal':
      return new InternalTransport(socket, build(socket.inner, network, tools), tools.metadata, tools.noMetadata());
  }
}
