import type { HttpVersion } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Peer } from '../../core/peer.ts';
import type { TransportOptions } from '../../net/transport.ts';
import type { Host, HttpPool, TcpPool } from '../cluster.ts';
import { ClusterRuntime } from '../cluster-runtime.ts';
import type { UpstreamHost } from '../host/host.ts';

/** A cluster that is made of others: hosts, their connections and limits are theirs; answers count here. */
export class AggregateRuntime extends ClusterRuntime {
  override httpPool(host: Host, priority: 0 | 1, downstream?: HttpVersion, options?: TransportOptions): HttpPool {
    return ownerOf(host).httpPool(host, priority, downstream, options);
  }

  override tcpPool(host: Host, priority: 0 | 1, options?: TransportOptions): TcpPool {
    return ownerOf(host).tcpPool(host, priority, options);
  }

  override transportOptions(
    host: Host,
    authority: string,
    headers: Headers | null,
    filterState: ReadonlyMap<string, unknown> | null,
    downstream: Peer | null,
  ): TransportOptions {
    return ownerOf(host).transportOptions(host, authority, headers, filterState, downstream);
  }
}

function ownerOf(host: Host): ClusterRuntime {
  return (host as UpstreamHost).owner as ClusterRuntime;
}
