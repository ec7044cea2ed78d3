import type { Address } from '../core/peer.ts';
import type { DialHandler, Dialing, DialOptions, Network } from './network.ts';
import type { TransportOptions, UpstreamTransport } from './transport.ts';

/** Connections as the network opens them. */
export class RawTransport implements UpstreamTransport {
  readonly isSecure: boolean;
  private readonly network: Network;

  constructor(network: Network) {
    this.isSecure = false;
    this.network = network;
  }

  dial(address: Address, options: DialOptions, _wanted: TransportOptions, handler: DialHandler): Dialing {
    return this.network.dial(address, options, handler);
  }
}
