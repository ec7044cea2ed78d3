import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AcceptedConnection, Connection, ConnectionSink } from '../../../src/core/connection.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { Loop } from '../../../src/net/loop.ts';
import type { DialOptions, ListenOptions, Network } from '../../../src/net/network.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';

export const listenOptions: ListenOptions = {
  reusePort: false,
  backlog: 128,
  ipv6Only: false,
  pipeMode: null,
  bufferLimit: 1 << 20,
  keepAliveSeconds: null,
};

export const dialOptions: DialOptions = {
  connectTimeoutMs: 5000,
  bufferLimit: 1 << 20,
  bindAddress: null,
  keepAliveSeconds: null,
};

/** A network with one listener on loopback that hands out what it accepts, and plain Node sockets to talk to it. */
export class Ground {
  readonly network: Network;
  port: number;
  private readonly accepted: AcceptedConnection[];
  private readonly waiting: ((connection: AcceptedConnection) => void)[];
  private readonly closers: (() => void)[];

  private constructor(network: Network) {
    this.network = network;
    this.port = 0;
    this.accepted = [];
    this.waiting = [];
    this.closers = [];
  }

  static async open(
    options: ListenOptions = listenOptions,
    network: Network = new NodeNetwork(new Loop()),
  ): Promise<Ground> {
    const ground = new Ground(network);
    const listening = await ground.network.listen({ kind: 'ip', host: '127.0.0.1', port: 0 }, options, {
      onAccepted: (connection) => ground.take(connection),
      onAcceptFailure: (message) => {
        throw new Error(message);
      },
    });
    ground.port = listening.address.port;
    ground.closers.push(() => listening.close());
    return ground;
  }

  private take(connection: AcceptedConnection): void {
    const waiter = this.waiting.shift();
    if (waiter === undefined) this.accepted.push(connection);
    else waiter(connection);
  }

  /** A Node socket and the connection that we accepted from it. */
  async accept(): Promise<{ client: Socket; connection: AcceptedConnection }> {
    const client = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => {});
    this.closers.push(() => client.destroy());
    const connection = await (this.accepted.length > 0
      ? Promise.resolve(this.accepted.shift()!)
      : new Promise<AcceptedConnection>((resolve) => this.waiting.push(resolve)));
    return { client, connection };
  }

  /** A connection that we dialled and the Node socket that its server has. */
  async dial(): Promise<{ server: Socket; connection: Connection }> {
    const listener = createServer({ allowHalfOpen: true });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    const socket = once(listener, 'connection') as Promise<[Socket]>;
    const connection = await new Promise<Connection>((resolve, reject) => {
      this.network.dial({ kind: 'ip', host: '127.0.0.1', port }, dialOptions, {
        onConnected: resolve,
        onDialFailure: (failure) => reject(new Error(failure.detail)),
      });
    });
    const [server] = await socket;
    server.on('error', () => {});
    this.closers.push(() => server.destroy());
    listener.close();
    return { server, connection };
  }

  close(): void {
    for (const close of this.closers) close();
  }
}

/** Writes down what a sink hears. */
export class RecordingSink implements ConnectionSink {
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  drains = 0;
  failure: Failure | null = null;
  readonly ended: Promise<void>;
  readonly closed: Promise<Failure>;
  private hearEnd!: () => void;
  private hearClosed!: (failure: Failure) => void;
  private wanted: { size: number; resolve: () => void } | null = null;
  private drainWaiter: (() => void) | null = null;

  constructor() {
    this.ended = new Promise((resolve) => (this.hearEnd = resolve));
    this.closed = new Promise((resolve) => (this.hearClosed = resolve));
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** When `size` bytes have come. */
  async received(size: number): Promise<void> {
    if (this.bytes < size) await new Promise<void>((resolve) => (this.wanted = { size, resolve }));
  }

  /** When the next onDrain has come. */
  async drained(): Promise<void> {
    if (this.drains === 0) await new Promise<void>((resolve) => (this.drainWaiter = resolve));
  }

  onBytes(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.wanted !== null && this.bytes >= this.wanted.size) this.wanted.resolve();
  }

  onDrain(): void {
    this.drains++;
    this.drainWaiter?.();
  }

  onEnd(): void {
    this.events.push('end');
    this.hearEnd();
  }

  onClosed(failure: Failure): void {
    this.events.push('closed');
    this.failure = failure;
    this.hearClosed(failure);
  }
}
