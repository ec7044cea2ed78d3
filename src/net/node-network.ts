import type { Server, Socket } from 'node:net';
import type { Timed, Timers, Clock } from '../core/clock.ts';
import { ConnectionTimeout } from '../core/failures.ts';
import type { Address } from '../core/peer.ts';
import type { Loop } from './loop.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
} from './network.ts';
import { ReadMemory } from './read-memory.ts';
import { boundTo, dialFailure, errorText } from './socket-error.ts';
import { SocketPeer } from './socket-peer.ts';
import { dialsFromOwnSocket, listensOnOwnSocket, openDialingSocket, openListeningSocket } from './source-socket.ts';
import { onSocketRead, readThrough, TcpConnection } from './tcp-connection.ts';

/** The operating system through `node:net`. */
export class NodeNetwork implements Network {
  readonly clock: Clock;
  readonly timers: Timers;
  private readonly loop: Loop;
  private readonly memory: ReadMemory;

  constructor(loop: Loop) {
    this.loop = loop;
    this.clock = loop.clock;
    this.timers = loop.timers;
    this.memory = new ReadMemory(onSocketRead);
  }

  listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    const server = process
      .getBuiltinModule('node:net')
      .createServer({ allowHalfOpen: true, noDelay: address.kind === 'ip' });
    const listening = new NodeListeningSocket(server, address, handler);
    server.on('connection', (socket: Socket) => this.accept(socket, options, listening.handler));
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(errorText(error), { cause: error })));
      const bound = (): void => {
        server.removeAllListeners('error');
        server.on('error', (error: NodeJS.ErrnoException) => listening.handler.onAcceptFailure(errorText(error)));
        listening.bound(options);
        resolve(listening);
      };
      if (address.kind === 'pipe') {
        removeStaleSocket(address.host);
        server.listen({ path: pipePath(address.host), ...backlog(options) }, bound);
      } else if (listensOnOwnSocket(options)) {
        server.listen({ fd: openListeningSocket(address, options), ...backlog(options) }, bound);
      } else {
        const { reusePort, ipv6Only } = options;
        server.listen({ host: address.host, port: address.port, reusePort, ipv6Only, ...backlog(options) }, bound);
      }
    });
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    return new NodeDialing(address, options, handler, this.loop, this.memory);
  }

  private accept(socket: Socket, options: ListenOptions, handler: AcceptHandler): void {
    this.loop.enter();
    readThrough(socket, this.memory);
    if (options.keepAliveSeconds !== null) socket.setKeepAlive(true, options.keepAliveSeconds * 1000);
    const connection = new TcpConnection(
      socket,
      new SocketPeer(socket, null, null),
      options.bufferLimit,
      this.loop,
      this.memory,
    );
    handler.onAccepted(connection);
    this.loop.leave();
  }
}

function backlog(options: ListenOptions): { backlog?: number } {
  // libuv passes it on as it is, and the kernel cuts it to net.core.somaxconn.
  return { backlog: options.backlog < 0 ? 0x7fffffff : options.backlog };
}

/** `@name` is Linux's abstract namespace. */
function pipePath(path: string): string {
  return path.startsWith('@') ? `\0${path.slice(1)}` : path;
}

/** A socket file that a process left behind would make bind fail; Envoy removes it too. */
function removeStaleSocket(path: string): void {
  if (path.startsWith('@')) return;
  try {
    process.getBuiltinModule('node:fs').unlinkSync(path);
  } catch {
    // Not there: nothing to remove. Not ours: bind says so.
  }
}

class NodeListeningSocket implements ListeningSocket {
  address: Address;
  handler: AcceptHandler;
  private readonly server: Server;

  constructor(server: Server, asked: Address, handler: AcceptHandler) {
    this.address = asked;
    this.handler = handler;
    this.server = server;
  }

  /** The kernel has given it its port. */
  bound(options: ListenOptions): void {
    const { kind, host } = this.address;
    const bound = this.server.address();
    if (bound !== null && typeof bound === 'object') this.address = { kind: 'ip', host, port: bound.port };
    if (kind === 'pipe' && options.pipeMode !== null)
      process.getBuiltinModule('node:fs').chmodSync(host, options.pipeMode);
  }

  close(): void {
    this.server.close();
  }
}

/** What the kernel takes where nobody says otherwise. libuv wants all three, and has other defaults. */
const kernelKeepAlive = { seconds: 7200, intervalSeconds: 75, probes: 9 } as const;

function keepAlive(socket: Socket, { keepAliveSeconds, keepAliveIntervalSeconds, keepAliveProbes }: DialOptions): void {
  const settings = {
    enable: true,
    initialDelay: (keepAliveSeconds || kernelKeepAlive.seconds) * 1000,
    interval: (keepAliveIntervalSeconds || kernelKeepAlive.intervalSeconds) * 1000,
    count: keepAliveProbes || kernelKeepAlive.probes,
  };
  // Newer than its types.
  (socket.setKeepAlive as (settings: object) => void).call(socket, settings);
}

/** One attempt to open a connection. */
class NodeDialing implements Dialing, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly socket: Socket;
  private readonly address: Address;
  private readonly options: DialOptions;
  private readonly loop: Loop;
  private readonly memory: ReadMemory;
  private handler: DialHandler | null;

  constructor(address: Address, options: DialOptions, handler: DialHandler, loop: Loop, memory: ReadMemory) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.address = address;
    this.options = options;
    this.loop = loop;
    this.memory = memory;
    this.handler = handler;
    let refusal: Error | null = null;
    let own: object | null = null;
    try {
      // It is not connected yet, so nothing is read.
      if (dialsFromOwnSocket(address, options)) own = { fd: openDialingSocket(address, options), manualStart: true };
    } catch (error) {
      refusal = error as Error;
    }
    const { Socket } = process.getBuiltinModule('node:net');
    this.socket = new Socket({
      ...own,
      allowHalfOpen: true,
      noDelay: address.kind === 'ip',
      onread: memory.onread,
    } as object);
    if (options.keepAliveSeconds !== null) keepAlive(this.socket, options);
    this.socket.once('error', (error) => this.fail(error));
    this.socket.once('connect', () => this.connected());
    // Told later: the caller does not have us yet.
    if (refusal === null) this.connect();
    else process.nextTick(() => this.fail(refusal));
    loop.timers.schedule(this, loop.clock.now + options.connectTimeoutMs);
  }

  tick(): void {
    const handler = this.take();
    this.socket.destroy();
    handler?.onDialFailure(ConnectionTimeout);
  }

  cancel(): void {
    if (this.take() !== null) this.socket.destroy();
  }

  private connect(): void {
    const { address, options } = this;
    if (address.kind === 'pipe') {
      this.socket.connect({ path: pipePath(address.host) });
      return;
    }
    // One of our own is bound already.
    const bind = dialsFromOwnSocket(address, options) ? null : options.bindAddress;
    const local =
      bind === null ? {} : { localAddress: bind.host, ...(bind.port === 0 ? {} : { localPort: bind.port }) };
    this.socket.connect({ host: address.host, port: address.port, autoSelectFamily: false, ...local });
  }

  private connected(): void {
    const handler = this.take();
    if (handler === null) return;
    this.socket.removeAllListeners('error');
    this.memory.letChange(this.socket);
    this.loop.enter();
    const peer = new SocketPeer(this.socket, this.address, null);
    handler.onConnected(new TcpConnection(this.socket, peer, this.options.bufferLimit, this.loop, this.memory));
    this.loop.leave();
  }

  private fail(error: NodeJS.ErrnoException): void {
    const handler = this.take();
    if (handler === null) return;
    this.socket.destroy();
    this.loop.enter();
    handler.onDialFailure(dialFailure(error, boundTo(this.options)));
    this.loop.leave();
  }

  /** The handler hears exactly one thing. */
  private take(): DialHandler | null {
    const handler = this.handler;
    this.handler = null;
    this.loop.timers.cancel(this);
    return handler;
  }
}
