import { latin1, writeLatin1 } from '../src/core/bytes.ts';
import type { ByteSource, AcceptedConnection, ConnectionOwner, ConnectionSink } from '../src/core/connection.ts';
import type { Failure } from '../src/core/failure.ts';
import type { Address, Peer } from '../src/core/peer.ts';
import { Loop, type Flushable } from '../src/net/loop.ts';
import type {
  AcceptHandler,
  DialHandler,
  Dialing,
  DialOptions,
  ListeningSocket,
  ListenOptions,
  Network,
} from '../src/net/network.ts';

/** Stands for the kernel's memory. */
const wire = Buffer.alloc(1 << 20);

/** What a peer does with bytes that were sent to it. */
export type Receiver = (connection: MemoryConnection, size: number) => void;

/** A connection whose other end is a function: it gathers and sends as the ones of `net/` do, without a kernel. */
export class MemoryConnection implements AcceptedConnection, Flushable {
  readonly id: number;
  readonly peer: Peer;
  readonly openedMs: number;
  owner: ConnectionOwner | null;
  bufferLimit: number;
  bytesRead: number;
  bytesWritten: number;
  readonly bufferedBytes: number;
  private readonly loop: Loop;
  private readonly receiver: Receiver;
  private sink: ConnectionSink | null;
  private text: string;
  private source: ByteSource | null;
  private isDirty: boolean;

  constructor(id: number, peer: Peer, loop: Loop, bufferLimit: number, receiver: Receiver) {
    this.id = id;
    this.peer = peer;
    this.openedMs = loop.clock.now;
    this.owner = null;
    this.bufferLimit = bufferLimit;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.bufferedBytes = 0;
    this.loop = loop;
    this.receiver = receiver;
    this.sink = null;
    this.text = '';
    this.source = null;
    this.isDirty = false;
  }

  attach(sink: ConnectionSink): void {
    this.sink = sink;
  }

  detach(): void {
    throw new Error('nothing is looked at in this bench');
  }

  write(chunk: Uint8Array): boolean {
    return this.writeLatin1(latin1(chunk, 0, chunk.length));
  }

  writeLatin1(text: string): boolean {
    this.text = this.text === '' ? text : this.text + text;
    this.bytesWritten += text.length;
    if (this.isDirty) return true;
    this.isDirty = true;
    this.loop.markDirty(this);
    return true;
  }

  flushLater(source: ByteSource): void {
    this.source = source;
    if (this.isDirty) return;
    this.isDirty = true;
    this.loop.markDirty(this);
  }

  flush(): void {
    this.source?.flush();
    this.source = null;
    this.isDirty = false;
    const { text } = this;
    this.text = '';
    writeLatin1(wire, text, 0);
    this.receiver(this, text.length);
  }

  /** The bytes that were flushed last, for a look at them. */
  static sent(size: number): string {
    return latin1(wire, 0, size);
  }

  /** The other end has sent `bytes`. */
  arrive(bytes: Buffer): void {
    const chunk = Buffer.allocUnsafe(bytes.length);
    bytes.copy(chunk, 0, 0, bytes.length);
    this.loop.enter();
    this.bytesRead += chunk.length;
    this.sink!.onBytes(chunk);
    this.loop.leave();
  }

  end(): void {
    throw new Error('nothing closes in this bench');
  }

  reset(failure: Failure): void {
    this.destroy(failure);
  }

  destroy(failure: Failure): void {
    throw new Error(`closed: ${failure.kind.reason}`);
  }

  endAndLinger(_lingerMs: number, failure: Failure): void {
    this.destroy(failure);
  }

  closeAfterFlush(_stallMs: number, failure: Failure): void {
    this.destroy(failure);
  }

  pause(): void {}

  resume(): void {}
}

/** One listener and one upstream, in memory. */
export class MemoryNetwork implements Network {
  readonly loop: Loop;
  readonly clock: Loop['clock'];
  readonly timers: Loop['timers'];
  private readonly upstream: Receiver;
  private handler: AcceptHandler | null;
  private lastId: number;

  constructor(upstream: Receiver) {
    this.loop = new Loop({ askForEnd() {}, wakeIn() {} });
    this.clock = this.loop.clock;
    this.timers = this.loop.timers;
    this.upstream = upstream;
    this.handler = null;
    this.lastId = 0;
  }

  listen(address: Address, _options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket> {
    this.handler = handler;
    return Promise.resolve({ address, handler, close() {} });
  }

  dial(address: Address, { bufferLimit }: DialOptions, handler: DialHandler): Dialing {
    const connection = new MemoryConnection(++this.lastId, peerOf(address), this.loop, bufferLimit, this.upstream);
    handler.onConnected(connection);
    return { cancel() {} };
  }

  accept(port: number, receiver: Receiver): MemoryConnection {
    const address: Address = { kind: 'ip', host: '127.0.0.1', port };
    const connection = new MemoryConnection(++this.lastId, peerOf(address), this.loop, 1 << 20, receiver);
    this.handler!.onAccepted(connection);
    return connection;
  }
}

function peerOf(remote: Address): Peer {
  const local: Address = { kind: 'ip', host: '127.0.0.1', port: 8080 };
  const ends = { remote, local, directRemote: remote, directLocal: local };
  return {
    ...ends,
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,
  };
}
