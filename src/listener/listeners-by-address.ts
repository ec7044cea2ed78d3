import { formatAddress, type Address } from '../core/peer.ts';
import type { Listener } from './listener.ts';

/** Who gets a connection that was going to an address. Source: Envoy `getBalancedHandlerByAddress`. */
export interface ListenerChoice {
  /** Null: nobody listens there. */
  find(address: Address): Listener | null;
}

/** The listeners of one worker, whether they bind or not. */
export class ListenersByAddress implements ListenerChoice {
  private listeners: Map<string, Listener>;

  constructor() {
    this.listeners = new Map();
  }

  /** These are all that there are now; of two with one address the first counts. */
  replace(list: Iterable<Listener>): void {
    const listeners = new Map<string, Listener>();
    for (const listener of list) {
      for (const address of listener.data.addresses) {
        if (address.kind !== 'ip') continue;
        for (const text of namesOf(address, listener.data.ipv6Only))
          if (!listeners.has(text)) listeners.set(text, listener);
      }
    }
    this.listeners = listeners;
  }

  find(address: Address): Listener | null {
    const { listeners } = this;
    const wildcard = address.host.includes(':') ? '[::]' : '0.0.0.0';
    return listeners.get(formatAddress(address)) ?? listeners.get(`${wildcard}:${address.port}`) ?? null;
  }
}

/** `[::]` may be anybody's of IPv4, too. */
function namesOf(address: Address, ipv6Only: boolean): string[] {
  const own = formatAddress(address);
  return address.host === '::' && !ipv6Only ? [own, `0.0.0.0:${address.port}`] : [own];
}
