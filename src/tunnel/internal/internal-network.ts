import type { Clock, Timers } from '../../core/clock.ts';
import type { Failure } from '../../core/failure.ts';
import { RemoteConnectionFailure } from '../../core/failures.ts';
import { formatAddress, noProtocols, type Address, type Peer } from '../../core/peer.ts';
import type { Flushable } from '../../net/loop.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
  PassedState,
} from '../../net/network.ts';
import { InternalConnection, type InternalTurns } from './internal-connection.ts';

/** Where every connection to an internal listener seems to come from. Envoy's name for it. */
const clientAddress: Address = { kind: 'internal', host: 'internal_client_address', port: 0 };

/** Envoy's default of `buffer_size_kb`. */
const pairBufferBytes = 1024 * 1024;

/**
 * The operating system and, beside it, the thread's internal listeners: addresses of kind `internal` are names, and a
 * connection to one is a pair in memory.
 */
export class InternalNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly outside: Network;
  private readonly turns: InternalTurns;
  private readonly listening: Map<string, InternalListening>;

  constructor(outside: Network, turns: InternalTurns) {
    this.clock = outside.clock;
    this.timers = outside.timers;
    this.outside = outside;
    this.turns = turns;
    this.listening = new Map();
  }

  async listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    if (address.kind !== 'internal') return this.outside.listen(address, options, handler);
    const { listening } = this;
    const opened = new InternalListening(address, options.pairBufferBytes ?? pairBufferBytes, handler, () => {
      if (listening.get(address.host) === opened) listening.delete(address.host);
    });
    listening.set(address.host, opened);
    return opened;
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    if (address.kind !== 'internal') return this.outside.dial(address, options, handler);
    const dialing = new InternalDialing((to) => this.open(address, options, to), handler);
    this.turns.markDirty(dialing);
    return dialing;
  }

  private open(address: Address, options: DialOptions, handler: DialHandler): void {
    const listener = this.listening.get(address.host);
    if (listener === undefined) {
      handler.onDialFailure(nobodyThere(address));
      return;
    }
    const [client, server] = InternalConnection.pair(
      internalPeer(address, clientAddress, null),
      internalPeer(clientAddress, address, options.passed ?? null),
      this.turns,
      listener.bufferBytes,
    );
    listener.handler.onAccepted(server);
    // Who is turned away at once was never connected, as in Envoy.
    if (server.isOver) handler.onDialFailure(nobodyThere(address));
    else handler.onConnected(client);
  }
}

/** As Envoy: the socket that has no other end cannot be connected. */
function nobodyThere(address: Address): Failure {
  const words = 'immediate connect error: Invalid argument';
  return RemoteConnectionFailure.with(`${words}|remote address:${formatAddress(address)}`);
}

class InternalListening implements ListeningSocket {
  readonly address: Address;
  readonly bufferBytes: number;
  handler: AcceptHandler;
  private readonly gone: () => void;

  constructor(address: Address, bufferBytes: number, handler: AcceptHandler, gone: () => void) {
    this.address = address;
    this.bufferBytes = bufferBytes;
    this.handler = handler;
    this.gone = gone;
  }

  close(): void {
    this.gone();
  }
}

/** Told at the turn's end, as whoever dials expects it. */
class InternalDialing implements Dialing, Flushable {
  private readonly open: (handler: DialHandler) => void;
  private handler: DialHandler | null;

  constructor(open: (handler: DialHandler) => void, handler: DialHandler) {
    this.open = open;
    this.handler = handler;
  }

  cancel(): void {
    this.handler = null;
  }

  flush(): void {
    const { handler } = this;
    this.handler = null;
    if (handler !== null) this.open(handler);
  }
}

function internalPeer(remote: Address, local: Address, passed: PassedState | null): Peer {
  return {
    remote,
    local,
    directRemote: remote,
    directLocal: local,
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
    applicationProtocols: noProtocols,
    ja3: '',
    ja4: '',
    tls: null,
    dynamicMetadata: passed?.metadata ?? null,
    filterState: passed?.filterState ?? null,
  };
}
