/** A pool and a server of HBONE, joined by connections in memory. */
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Address } from '../../../../src/core/peer.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { RawTransport } from '../../../../src/net/raw-transport.ts';
import { noTransportOptions } from '../../../../src/net/transport.ts';
import { InternalNetwork } from '../../../../src/tunnel/internal/internal-network.ts';
import { defaultHboneSettings, hboneServerOptions, type HboneSettings } from '../../../../src/tunnel/hbone/options.ts';
import { HbonePool, type HboneEndpoint } from '../../../../src/tunnel/hbone/pool.ts';
import { HboneServerConnection } from '../../../../src/tunnel/hbone/server-connection.ts';
import type { ServerTunnel } from '../../../../src/tunnel/hbone/server-tunnel.ts';
import { dialOptions, listenOptions } from '../../net/sockets.ts';

const address: Address = { kind: 'internal', host: 'hbone', port: 0 };

/** Keeps what comes, and lets tests wait for it. */
export class Heard implements ConnectionSink {
  readonly chunks: Buffer[] = [];
  bytes = 0;
  hasEnded = false;
  failure: Failure | null = null;
  private readonly waiting: (() => void)[] = [];

  onBytes(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk));
    this.bytes += chunk.length;
    this.tell();
  }

  onDrain(): void {}

  onEnd(): void {
    this.hasEnded = true;
    this.tell();
  }

  onClosed(failure: Failure): void {
    this.failure = failure;
    this.tell();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  async until(isDone: (heard: Heard) => boolean): Promise<void> {
    while (!isDone(this)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

export class HboneWorld {
  readonly loop: Loop;
  readonly pool: HbonePool;
  readonly carriers: HboneServerConnection[];
  readonly requests: ServerTunnel[];
  private readonly network: InternalNetwork;
  private readonly answer: (tunnel: ServerTunnel) => void;

  private constructor(settings: Partial<HboneSettings>, answer: (tunnel: ServerTunnel) => void) {
    this.loop = new Loop();
    this.network = new InternalNetwork(new NodeNetwork(this.loop), this.loop);
    this.pool = new HbonePool(this.network, { ...defaultHboneSettings, ...settings });
    this.carriers = [];
    this.requests = [];
    this.answer = answer;
  }

  static async open(
    answer: (tunnel: ServerTunnel) => void,
    settings: Partial<HboneSettings> = {},
  ): Promise<HboneWorld> {
    const world = new HboneWorld(settings, answer);
    const options = hboneServerOptions({ ...defaultHboneSettings, ...settings }, 1000);
    const owner = {
      onTunnelRequest: (tunnel: ServerTunnel) => {
        world.requests.push(tunnel);
        world.answer(tunnel);
      },
      onCarrierClosed: () => {},
    };
    await world.network.listen(address, listenOptions, {
      onAccepted: (connection) =>
        void world.carriers.push(new HboneServerConnection(connection, owner, options, world.network)),
      onAcceptFailure: () => {},
    });
    return world;
  }

  get endpoint(): HboneEndpoint {
    const transport = new RawTransport(this.network);
    return { key: 'one', address, transport, options: dialOptions, wanted: noTransportOptions };
  }

  request(authority = '10.0.0.1:80'): RequestHead {
    return new RequestHead('CONNECT', authority, '', HttpVersion.Http2, new Headers());
  }

  /** A client's connection, without a word on it. */
  dial(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.network.dial(address, dialOptions, {
        onConnected: resolve,
        onDialFailure: (failure) => reject(new Error(failure.kind.reason)),
      });
    });
  }

  /** A tunnel, or the status that it was refused with. */
  ask(authority = '10.0.0.1:80'): Promise<Connection | number> {
    return new Promise((resolve) => {
      this.pool.open(this.endpoint, this.request(authority), {
        onTunnel: (tunnel: Connection, _head: ResponseHead) => resolve(tunnel),
        onTunnelFailure: (_failure: Failure, status: number) => resolve(status),
      });
    });
  }

  /** As `ask`; attached to. */
  async tunnel(): Promise<{ tunnel: Connection; heard: Heard }> {
    const heard = new Heard();
    const tunnel = await new Promise<Connection>((resolve, reject) => {
      this.pool.open(this.endpoint, this.request(), {
        onTunnel: (opened: Connection) => {
          opened.attach(heard);
          resolve(opened);
        },
        onTunnelFailure: (failure: Failure) => reject(new Error(failure.kind.reason)),
      });
    });
    return { tunnel, heard };
  }
}
