import type { Clock, Timers } from '../core/clock.ts';
import { LocalConnectionFailure } from '../core/failures.ts';
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

const gone = 'the network namespace is gone';

/** Told later, as every failure. */
class NoDialing implements Dialing {
  private handler: DialHandler | null;

  constructor(handler: DialHandler) {
    this.handler = handler;
    setImmediate(() => this.handler?.onDialFailure(LocalConnectionFailure.with(gone)));
  }

  cancel(): void {
    this.handler = null;
  }
}

/** The operating system as it is in another place: a pod's network namespace, with the mark that its rules know. */
export class PlacedNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly network: Network;
  private readonly place: SocketPlace;
  private isClosed: boolean;

  constructor(network: Network, place: SocketPlace) {
    this.clock = network.clock;
    this.timers = network.timers;
    this.network = network;
    this.place = place;
    this.isClosed = false;
  }

  /** No socket is made there any more: the number of the namespace's descriptor may become another's. */
  close(): void {
    this.isClosed = true;
  }

  listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    if (this.isClosed) return Promise.reject(new Error(gone));
    return this.network.listen(address, { ...options, place: this.place }, handler);
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    if (this.isClosed) return new NoDialing(handler);
    return this.network.dial(address, { ...options, place: this.place }, handler);
  }
}
