import { formatAddress } from '../../core/peer.ts';
import type { HostData } from '../cluster-data.ts';

/**
 * A name for each host that is unique in its cluster and stable over updates: its address; the second and later hosts
 * with one address get a number, since a static cluster may list an address twice.
 */
export function hostKeys(hosts: readonly HostData[]): string[] {
  const seen = new Map<string, number>();
  return hosts.map((host) => {
    if (host.key !== undefined) return host.key;
    const address = formatAddress(host.address);
    const count = seen.get(address) ?? 0;
    seen.set(address, count + 1);
    return count === 0 ? address : `${address}#${count}`;
  });
}
