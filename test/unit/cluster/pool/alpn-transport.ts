import type { Connection } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import type { Address } from '../../../../src/core/peer.ts';
import type { DialHandler, Dialing, DialOptions, Network } from '../../../../src/net/network.ts';
import type { TransportOptions, UpstreamTransport } from '../../../../src/net/transport.ts';

/** As TLS is to pools: writes down what is wanted, and its server has chosen by ALPN when it is open. */
export class AlpnTransport implements UpstreamTransport {
  readonly isSecure = true;
  readonly wanted: TransportOptions[] = [];
  alpn = '';
  isReleased = false;
  private readonly network: Network;

  constructor(network: Network) {
    this.network = network;
  }

  dial(address: Address, options: DialOptions, wanted: TransportOptions, handler: DialHandler): Dialing {
    this.wanted.push(wanted);
    return this.network.dial(address, options, {
      onConnected: (connection: Connection) => {
        connection.peer = { ...connection.peer, alpn: this.alpn };
        handler.onConnected(connection);
      },
      onDialFailure: (failure: Failure) => handler.onDialFailure(failure),
    });
  }

  release(): void {
    this.isReleased = true;
  }
}
