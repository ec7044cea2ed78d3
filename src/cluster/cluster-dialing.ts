import { isIpv6Address } from '../core/ip-address.ts';
import type { Address } from '../core/peer.ts';
import type { DialOptions } from '../net/network.ts';
import type { ClusterData } from './cluster-data.ts';

/** How the connections of a cluster are opened. */
export class ClusterDialing {
  private readonly options: DialOptions;
  /** For hosts of the other IP family; null: they are dialled like all. */
  private readonly others: DialOptions | null;

  /** Milliseconds. */
  constructor(data: ClusterData, connectTimeoutMs = data.connectTimeoutMs) {
    const { keepAliveIntervalSeconds = 0, keepAliveProbes = 0, otherBindAddress, bindsFreely = false } = data;
    const { socketOptions, otherSocketOptions = socketOptions } = data;
    const own = {
      connectTimeoutMs,
      bufferLimit: data.bufferLimit,
      bindAddress: data.bindAddress,
      keepAliveSeconds: data.keepAliveSeconds,
      keepAliveIntervalSeconds,
      keepAliveProbes,
      ...(bindsFreely && { isFree: true }),
    };
    this.options = { ...own, ...(socketOptions !== undefined && { socketOptions }) };
    this.others =
      otherBindAddress === undefined
        ? null
        : {
            ...own,
            bindAddress: otherBindAddress,
            ...(otherSocketOptions !== undefined && { socketOptions: otherSocketOptions }),
          };
  }

  to(address: Address): DialOptions {
    const { options, others } = this;
    if (others === null || address.kind !== 'ip') return options;
    return isIpv6Address(address.host) === isIpv6Address(others.bindAddress!.host) ? others : options;
  }
}
