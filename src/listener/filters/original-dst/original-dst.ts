import { openOriginalDestinations } from '../../../net/original-destination.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

export const originalDstKind = 'envoy.extensions.filters.listener.original_dst.v3.OriginalDst';

/** Restores the address that a connection was going to before iptables sent it here. */
export class OriginalDst implements ListenerFilter {
  /** Throws where the kernel cannot be asked. */
  constructor() {
    openOriginalDestinations();
  }

  inspect({ peer }: Inspected): Verdict {
    const address = peer.originalDestination;
    if (address !== null) peer.restore(peer.remote, address);
    return Verdict.Continue;
  }
}
