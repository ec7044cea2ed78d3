import type { Connection } from '../core/connection.ts';
import type { Address, Peer, SourceAddress } from '../core/peer.ts';
import type { DialHandler, Dialing, DialOptions } from './network.ts';

/** What a filter chain's transport socket makes of an accepted connection. */
export interface DownstreamTransport {
  /**
   * @param raw unattached; what listener filters read is heard again
   * @returns what the filter chain is attached to, at once: its bytes flow after the handshake, and its `peer` knows the
   * rest then. A handshake that fails closes it, and so does one that takes longer than `handshakeTimeoutMs` (0: none).
   */
  accept(raw: Connection, handshakeTimeoutMs: number): Connection;
  /** Its listener has gone: what is under way goes on, and secrets need not be followed any more. */
  release?(): void;
}

/**
 * What a request or a downstream connection says about the connection that it wants upstream. Envoy's
 * TransportSocketOptions: part of a pool's key, so `key` is equal only where everything else is.
 */
export interface TransportOptions {
  readonly key: string;
  /** Instead of the configured SNI; empty: none. */
  readonly serverName: string;
  /** The server's certificate must name one of them; empty: as configured. */
  readonly subjectAltNames: readonly string[];
  /** Instead of the configured ALPN; empty: none. */
  readonly applicationProtocols: readonly string[];
  /** Offered where neither the cluster nor the request says anything; empty: none. */
  readonly applicationProtocolsFallback: readonly string[];
  /** Whose connection it is for, where the transport passes that on (PROXY protocol); null: anybody's. */
  readonly downstream: Peer | null;
  /** Where the connection leaves from; absent: from this machine, or as the cluster says. */
  readonly source?: SourceAddress;
  /** What of its filter state goes with the connection, where the transport passes that on; absent: nothing. */
  readonly sharedState?: ReadonlyMap<string, unknown>;
  /** Of the host, where the transport passes it on; absent, null: none. */
  readonly hostMetadata?: Readonly<Record<string, unknown>> | null;
}

export const noTransportOptions: TransportOptions = {
  key: '',
  serverName: '',
  subjectAltNames: [],
  applicationProtocols: [],
  applicationProtocolsFallback: [],
  downstream: null,
};

/** How a cluster's connections are opened: plain, with TLS, with a PROXY protocol header in front. */
export interface UpstreamTransport {
  /** What it carries is encrypted. */
  readonly isSecure: boolean;
  /**
   * Where it tells the upstream whose connection it is, and `TransportOptions.downstream` matters: equal for connections
   * that it tells the same of.
   */
  downstreamKey?(downstream: Peer): string;
  /** It passes on shared filter state and metadata of the host; absent: no. */
  readonly passesState?: boolean;
  /** The handshake is within `connectTimeoutMs`; `onConnected` comes after it. */
  dial(address: Address, options: DialOptions, wanted: TransportOptions, handler: DialHandler): Dialing;
  /** Its cluster has gone: what is under way goes on, and secrets need not be followed any more. */
  release?(): void;
}
