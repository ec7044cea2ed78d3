import { openOriginalDestinations } from '../../../net/original-destination.ts';
import { parseSocketAddress } from '../../../core/socket-address.ts';
import type { Address } from '../../../core/peer.ts';
import { stateText } from '../../../observe/filter-state.ts';
import type { InspectedPeer } from '../inspected-peer.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

export const originalDstKind = 'envoy.extensions.filters.listener.original_dst.v3.OriginalDst';

/** Metadata, and keys of filter state, that say where connections to an internal listener go and come from. Envoy's. */
const metadataName = 'envoy.filters.listener.original_dst';
const localKey = 'envoy.filters.listener.original_dst.local_ip';
const remoteKey = 'envoy.filters.listener.original_dst.remote_ip';

/**
 * Restores the address that a connection was going to before iptables sent it here; to an internal listener, what came
 * with the connection says that, and where it came from.
 */
export class OriginalDst implements ListenerFilter {
  /** Throws where the kernel cannot be asked. */
  constructor() {
    openOriginalDestinations();
  }

  inspect({ peer }: Inspected): Verdict {
    if (peer.directLocal.kind === 'internal') {
      restorePassed(peer);
      return Verdict.Continue;
    }
    const address = peer.originalDestination;
    if (address !== null) peer.restore(peer.remote, address);
    return Verdict.Continue;
  }
}

/** Metadata count before filter state, as in Envoy. */
function restorePassed(peer: InspectedPeer): void {
  const said = peer.dynamicMetadata?.get(metadataName)?.['local'];
  const local = said === undefined ? stateAddress(peer, localKey) : parsed(said);
  const remote = stateAddress(peer, remoteKey);
  if (local !== null || remote !== null) peer.restore(remote ?? peer.remote, local ?? peer.local);
}

function stateAddress({ filterState }: InspectedPeer, key: string): Address | null {
  return parsed(stateText(filterState?.get(key)));
}

function parsed(value: unknown): Address | null {
  return typeof value === 'string' ? parseSocketAddress(value) : null;
}
