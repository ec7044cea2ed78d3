import type { Connection } from '../../core/connection.ts';
import type { LoadShedPoint } from '../../core/overload-view.ts';
import type { Address } from '../../core/peer.ts';
import type { DialOptions, Network } from '../../net/network.ts';
import type { TransportOptions } from '../../net/transport.ts';
import type { ClusterData } from '../cluster-data.ts';
import type { CircuitBreakers, Host } from '../cluster.ts';
import type { UpstreamStats } from '../stats/cluster-stats.ts';
import type { ClientCodecs } from '../protocol/client-codecs.ts';

/** The `filters` of a cluster. */
export interface ConnectionFilters {
  /** One has just opened. What is used in its place; what is found out of the other end goes into `found`. */
  connected(
    connection: Connection,
    host: Pick<Host, 'addressText' | 'metadata'>,
    found: Map<string, unknown>,
  ): Connection;
}

/** What the pools of one cluster share. */
export interface PoolContext {
  readonly data: ClusterData;
  readonly stats: UpstreamStats;
  readonly network: Network;
  /** For a host at this address: it may be of either IP family. */
  dialOptions(address: Address): DialOptions;
  readonly codecs: ClientCodecs;
  /** Where connections may not be opened for overload; absent, null: nothing is said of that. */
  readonly newConnections?: LoadShedPoint | null;
  /** What stands between its connections and those who use them; absent, null: nothing. */
  readonly filters?: ConnectionFilters | null;
  breakers(priority: 0 | 1): CircuitBreakers;
}

/** How a connection to a host is opened for who asks for `wanted`. */
export function dialOptionsFor(context: PoolContext, address: Address, wanted: TransportOptions): DialOptions {
  const options = context.dialOptions(address);
  return wanted.source === undefined ? options : { ...options, source: wanted.source };
}
