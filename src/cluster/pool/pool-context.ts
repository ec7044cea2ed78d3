import type { ClientCodec, ClientCodecOwner, CodecHost } from '../../codec/codec.ts';
import type { DialOptions, Network } from '../../net/network.ts';
import type { ClusterData } from '../cluster-data.ts';
import type { CircuitBreakers } from '../cluster.ts';
import type { UpstreamStats } from '../cluster-stats.ts';

/** Makes the codec of a new upstream connection. */
export type ClientCodecFactory = (host: CodecHost, owner: ClientCodecOwner) => ClientCodec;

/** What the pools of one cluster share. */
export interface PoolContext {
  readonly data: ClusterData;
  readonly stats: UpstreamStats;
  readonly network: Network;
  readonly dialOptions: DialOptions;
  readonly openCodec: ClientCodecFactory;
  breakers(priority: 0 | 1): CircuitBreakers;
}
