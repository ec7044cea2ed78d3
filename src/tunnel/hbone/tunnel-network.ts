import type { Clock, Timers } from '../../core/clock.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Address } from '../../core/peer.ts';
import type { DialHandler, Dialing, DialOptions, ListeningSocket, Network } from '../../net/network.ts';
import type { TunnelTime } from '../tunnel-connection.ts';
import type { HboneEndpoint, HbonePool } from './pool.ts';

/** What lies behind a tunnel: whatever is dialled, another tunnel of the same kind is opened. */
export class TunnelNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly pool: HbonePool;
  private readonly endpoint: HboneEndpoint;
  private readonly request: RequestHead;

  constructor(pool: HbonePool, endpoint: HboneEndpoint, request: RequestHead, { clock, timers }: TunnelTime) {
    this.clock = clock;
    this.timers = timers;
    this.pool = pool;
    this.endpoint = endpoint;
    this.request = request;
  }

  listen(): Promise<ListeningSocket> {
    return Promise.reject(new Error('nobody can listen behind a tunnel'));
  }

  dial(_address: Address, _options: DialOptions, handler: DialHandler): Dialing {
    return this.pool.open(this.endpoint, this.request, {
      onTunnel: (tunnel) => handler.onConnected(tunnel),
      onTunnelFailure: (failure) => handler.onDialFailure(failure),
    });
  }
}
