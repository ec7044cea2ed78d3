/**
 * A client of tunnel-server.ts.
 *
 * `node bench/load/tunnel.ts '{"kind":…}'` prints one line of JSON; of `held` it prints `ready` and stays until standard
 * input ends.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TunnelLoad {
  /**
   * `ready`: until one byte has come back. `ping-pong`: 100 bytes there and back. `up`, `down`: as much as there is room
   * for. `open`: connections that carry one byte both ways. `each`: one of those to every address. `held`: connections
   * that have carried one and stay.
   */
  readonly kind: 'ready' | 'ping-pong' | 'up' | 'down' | 'open' | 'each' | 'held';
  readonly addresses: readonly string[];
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface TunnelResult {
  /** Round trips, bytes or connections. */
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
}

const ping = Buffer.alloc(100, 'p');
const chunk = Buffer.alloc(64 * 1024, 'c');

class Client {
  readonly load: TunnelLoad;
  requests: number;
  errors: number;
  isOver: boolean;

  constructor(load: TunnelLoad) {
    this.load = load;
    this.requests = 0;
    this.errors = 0;
    this.isOver = false;
  }

  dial(kind: string, host = this.load.addresses[0]): Socket {
    const socket = connect({ host, port: this.load.port, allowHalfOpen: true });
    socket.setNoDelay(true);
    socket.on('error', () => {
      this.errors++;
      socket.destroy();
    });
    socket.write(kind);
    return socket;
  }

  /** One connection's part, until the time is over. */
  carry(): Promise<unknown> {
    switch (this.load.kind) {
      case 'ping-pong':
        return this.pingPong();
      case 'up':
        return this.up();
      case 'down':
        return this.down();
      default:
        return this.open();
    }
  }

  private pingPong(): Promise<unknown> {
    const socket = this.dial('e');
    const closed = once(socket, 'close');
    let missing = ping.length;
    socket.on('data', (bytes: Buffer) => {
      missing -= bytes.length;
      if (missing > 0) return;
      this.requests++;
      missing = ping.length;
      if (this.isOver) socket.destroy();
      else socket.write(ping);
    });
    socket.write(ping);
    return closed;
  }

  private up(): Promise<unknown> {
    const socket = this.dial('d');
    const closed = once(socket, 'close');
    const more = (): void => {
      while (!this.isOver && socket.write(chunk));
      if (this.isOver && !socket.writableEnded) socket.end();
    };
    let answer = '';
    socket.on('drain', more);
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    socket.on('end', () => {
      this.requests += Number(answer);
      socket.destroy();
    });
    more();
    return closed;
  }

  private down(): Promise<unknown> {
    const socket = this.dial('s');
    const closed = once(socket, 'close');
    socket.on('data', (bytes: Buffer) => {
      this.requests += bytes.length;
      if (this.isOver && !socket.writableEnded) socket.end();
    });
    socket.on('end', () => socket.destroy());
    return closed;
  }

  private async open(): Promise<void> {
    while (!this.isOver) await this.oneByte();
  }

  /** Connections to the addresses in turn, each once. */
  async each(): Promise<void> {
    for (
      let host = this.load.addresses.at(this.requests);
      host !== undefined;
      host = this.load.addresses.at(this.requests)
    ) {
      const batch: Promise<unknown>[] = [];
      const { addresses, connections } = this.load;
      for (const address of addresses.slice(this.requests, this.requests + connections))
        batch.push(this.oneByte(address));
      const before = this.errors;
      await Promise.all(batch);
      if (this.errors > before) return;
    }
  }

  private async oneByte(host?: string): Promise<void> {
    const socket = this.dial('e!', host);
    socket.once('data', () => {
      this.requests++;
      socket.end();
      socket.on('end', () => socket.destroy());
    });
    socket.resume();
    await once(socket, 'close');
  }

  async held(): Promise<void> {
    const sockets: Socket[] = [];
    while (sockets.length < this.load.connections) {
      const socket = this.dial('e!');
      sockets.push(socket);
      await once(socket, 'data');
    }
    console.log('ready');
    process.stdin.resume();
    await once(process.stdin, 'end');
    for (const socket of sockets) socket.destroy();
  }

  /** Whoever does not answer within a tenth of a second is asked again on another connection. */
  async ready(): Promise<void> {
    const until = performance.now() + this.load.seconds * 1000;
    while (this.requests === 0) {
      if (performance.now() > until) throw new Error('nothing came back');
      const socket = this.dial('e!');
      socket.once('data', () => (this.requests = 1));
      await sleep(100);
      socket.destroy();
    }
    this.errors = 0;
  }
}

async function main(load: TunnelLoad): Promise<TunnelResult> {
  const client = new Client(load);
  const startedAt = performance.now();
  if (load.kind === 'held') await client.held();
  else if (load.kind === 'ready') await client.ready();
  else if (load.kind === 'each') await client.each();
  else {
    const parts = Array.from({ length: load.connections }, () => client.carry());
    await sleep(load.seconds * 1000);
    client.isOver = true;
    await Promise.all(parts);
  }
  const { requests, errors } = client;
  return { requests, errors, seconds: (performance.now() - startedAt) / 1000 };
}

if (import.meta.main) {
  const load = JSON.parse(process.argv[2] ?? '{}') as TunnelLoad;
  const result = await main(load);
  if (load.kind !== 'held') console.log(JSON.stringify(result));
  process.exit(0);
}
