import type { Clock, Timers } from '../core/clock.ts';
import type { Connection } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import type { Address } from '../core/peer.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
} from './network.ts';

/** A network whose dialled connections begin with `DialOptions.prologue`, below whatever a transport adds. */
export class PrologueNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly inner: Network;

  constructor(inner: Network) {
    this.clock = inner.clock;
    this.timers = inner.timers;
    this.inner = inner;
  }

  listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    return this.inner.listen(address, options, handler);
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    const { prologue } = options;
    return this.inner.dial(address, options, prologue === undefined ? handler : new Beginning(prologue, handler));
  }
}

/** Says the prologue when the connection is there. */
class Beginning implements DialHandler {
  private readonly prologue: (connection: Connection) => Uint8Array;
  private readonly handler: DialHandler;

  constructor(prologue: (connection: Connection) => Uint8Array, handler: DialHandler) {
    this.prologue = prologue;
    this.handler = handler;
  }

  onConnected(connection: Connection): void {
    connection.write(this.prologue(connection));
    this.handler.onConnected(connection);
  }

  onDialFailure(failure: Failure): void {
    this.handler.onDialFailure(failure);
  }
}
