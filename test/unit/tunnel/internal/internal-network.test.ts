import { describe, expect, it } from 'vitest';
import type { AcceptedConnection, Connection } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ClosedLocally, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { formatAddress, type Address } from '../../../../src/core/peer.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { InternalNetwork } from '../../../../src/tunnel/internal/internal-network.ts';
import { dialOptions, Ground, listenOptions, RecordingSink } from '../../net/sockets.ts';

const inside: Address = { kind: 'internal', host: 'inside', port: 0 };
const one: Address = { ...inside, endpointId: 'one' };

class Place {
  readonly network: InternalNetwork;
  readonly accepted: AcceptedConnection[] = [];
  readonly connected: Connection[] = [];
  readonly failures: Failure[] = [];

  constructor() {
    const loop = new Loop();
    this.network = new InternalNetwork(new NodeNetwork(loop), loop);
  }

  listen(options = listenOptions) {
    return this.network.listen(inside, options, {
      onAccepted: (connection) => this.accepted.push(connection),
      onAcceptFailure: () => {},
    });
  }

  dial(address: Address, options = dialOptions) {
    return this.network.dial(address, options, {
      onConnected: (connection) => this.connected.push(connection),
      onDialFailure: (failure) => this.failures.push(failure),
    });
  }

  async turn(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  }
}

describe('a network with internal listeners', () => {
  it('connects by name, and both ends know each other as Envoy’s do', async () => {
    const place = new Place();
    const listening = await place.listen();
    expect(listening.address).toEqual(inside);
    const metadata = new Map([['names', { a: 1 }]]);
    const filterState = new Map([['key', 'text']]);
    place.dial(one, { ...dialOptions, passed: { metadata, filterState } });
    expect(place.accepted).toHaveLength(0);
    await place.turn();
    const [server] = place.accepted;
    const [client] = place.connected;
    expect([client.peer.remote, client.peer.local].map(formatAddress)).toEqual([
      'envoy://inside/one',
      'envoy://internal_client_address/',
    ]);
    expect([server.peer.remote, server.peer.local].map(formatAddress)).toEqual([
      'envoy://internal_client_address/',
      'envoy://inside/one',
    ]);
    expect(server.peer).toMatchObject({ dynamicMetadata: metadata, filterState, transportProtocol: 'raw_buffer' });
    const sink = new RecordingSink();
    server.attach(sink);
    client.writeLatin1('hello');
    await sink.received(5);
    expect(sink.text).toBe('hello');
  });

  it('finds nobody where nobody listens, or no longer', async () => {
    const place = new Place();
    const listening = await place.listen();
    listening.close();
    place.dial(one);
    await place.turn();
    expect(place.failures[0].kind).toBe(RemoteConnectionFailure.kind);
    expect(place.failures[0].detail).toBe(
      'immediate connect error: Invalid argument|remote address:envoy://inside/one',
    );
  });

  it('who is turned away at once was never connected', async () => {
    const place = new Place();
    await place.network.listen(inside, listenOptions, {
      onAccepted: (connection) => connection.destroy(ClosedLocally),
      onAcceptFailure: () => {},
    });
    place.dial(inside);
    await place.turn();
    expect(place.connected).toEqual([]);
    expect(place.failures[0].kind).toBe(RemoteConnectionFailure.kind);
  });

  it('a listener that takes another’s place keeps it when that one closes', async () => {
    const place = new Place();
    const before = await place.listen();
    await place.listen();
    before.close();
    place.dial(inside);
    await place.turn();
    expect(place.accepted).toHaveLength(1);
  });

  it('who hangs up while dialling is not called', async () => {
    const place = new Place();
    await place.listen();
    place.dial(inside).cancel();
    await place.turn();
    expect([place.accepted, place.connected, place.failures]).toEqual([[], [], []]);
  });

  it('a connection holds as much as its listener says', async () => {
    const place = new Place();
    await place.listen({ ...listenOptions, pairBufferBytes: 10 });
    place.dial(inside);
    await place.turn();
    expect(place.connected[0].write(Buffer.alloc(10))).toBe(true);
    expect(place.connected[0].write(Buffer.alloc(1))).toBe(false);
  });

  it('leaves sockets to the operating system', async () => {
    const loop = new Loop();
    const ground = await Ground.open(listenOptions, new InternalNetwork(new NodeNetwork(loop), loop));
    expect(ground.port).toBeGreaterThan(0);
    ground.close();
  });
});
