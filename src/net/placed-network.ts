import type { Clock, Timers } from '../core/clock.ts';
import type { Address } from '../core/peer.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
  SocketPlace,
} from './network.ts';

/** The operating system as it is in another place: a pod's network namespace, with the mark that its rules know. */
export class PlacedNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly network: Network;
  private readonly place: SocketPlace;

  constructor(network: Network, place: SocketPlace) {
    this.clock = network.clock;
    this.timers = network.timers;
    this.network = network;
    this.place = place;
  }

  listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    return this.network.listen(address, { ...options, place: this.place }, handler);
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    return this.network.dial(address, { ...options, place: this.place }, handler);
  }
}
