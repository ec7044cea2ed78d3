import { Clock } from '../../../src/core/clock.ts';
import type { Connection, ConnectionOwner, ConnectionSink } from '../../../src/core/connection.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type { Address, Peer } from '../../../src/core/peer.ts';
import type { DialHandler, Dialing, DialOptions, ListeningSocket, Network } from '../../../src/net/network.ts';
import { TimerHeap } from '../../../src/net/timer-heap.ts';

/** An upstream's end of a connection is the test. */
export class MemoryConnection implements Connection {
  readonly id: number;
  readonly peer: Peer;
  openedMs = 0;
  owner: ConnectionOwner | null = null;
  bufferLimit = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** What has been written and not yet taken by the test. */
  written = '';
  /** What `write` answers: false is "above the high watermark". */
  /** Bytes that the kernel has not taken. */
  unsent = 0;
  private closesWith: Failure | null = null;
  accepts = true;
  hasEnded = false;
  pauses = 0;
  destroyedWith: Failure | null = null;
  private sink: ConnectionSink | null = null;
  private isClosed = false;

  constructor(id: number, address: Address) {
    this.id = id;
    const local: Address = { kind: 'ip', host: '127.0.0.1', port: 1 };
    this.peer = {
      remote: address,
      local,
      directRemote: address,
      directLocal: local,
      serverName: '',
      alpn: '',
      transportProtocol: 'raw_buffer',
      applicationProtocols: [],
      ja3: '',
      ja4: '',
      tls: null,
    };
  }

  get bufferedBytes(): number {
    return this.unsent;
  }

  attach(sink: ConnectionSink): void {
    this.sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    return this.writeLatin1(Buffer.from(chunk).toString('latin1'));
  }

  writeLatin1(text: string): boolean {
    this.written += text;
    this.bytesWritten += text.length;
    return this.accepts;
  }

  end(): void {
    this.hasEnded = true;
  }

  closeAfterFlush(_stallMs: number, failure: Failure): void {
    if (this.unsent === 0) this.destroy(failure);
    else this.closesWith = failure;
  }

  reset(failure: Failure): void {
    this.destroy(failure);
  }

  destroy(failure: Failure): void {
    this.destroyedWith ??= failure;
    this.close(failure);
  }

  endAndLinger(_lingerMs: number, failure: Failure): void {
    this.destroy(failure);
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.pauses--;
  }

  get isOpen(): boolean {
    return !this.isClosed;
  }

  // The other end.

  /** Takes what `unsent` says. */
  flush(): void {
    this.unsent = 0;
    if (this.closesWith !== null) this.destroy(this.closesWith);
  }

  take(): string {
    const { written } = this;
    this.written = '';
    return written;
  }

  receive(text: string): void {
    this.bytesRead += text.length;
    this.sink!.onBytes(Buffer.from(text, 'latin1'));
  }

  drained(): void {
    this.accepts = true;
    this.sink!.onDrain();
  }

  peerEnded(): void {
    this.sink!.onEnd();
  }

  close(failure: Failure): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.sink?.onClosed(failure);
    this.owner?.onConnectionClosed(this);
  }
}

export class MemoryDial implements Dialing {
  readonly address: Address;
  readonly options: DialOptions;
  isCancelled = false;
  private readonly clock: Clock;
  private readonly handler: DialHandler;
  private static lastId = 0;

  constructor(address: Address, options: DialOptions, handler: DialHandler, clock: Clock) {
    this.clock = clock;
    this.address = address;
    this.options = options;
    this.handler = handler;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  succeed(): MemoryConnection {
    const connection = new MemoryConnection(++MemoryDial.lastId, this.address);
    connection.openedMs = this.clock.now;
    this.handler.onConnected(connection);
    return connection;
  }

  fail(failure: Failure): void {
    this.handler.onDialFailure(failure);
  }
}

/** Dials wait until the test decides about them; time stands until the test moves it. */
export class MemoryNetwork implements Network {
  readonly clock = new Clock();
  readonly timers = new TimerHeap(() => {});
  /** All dials ever, in order. */
  readonly dials: MemoryDial[] = [];

  listen(): Promise<ListeningSocket> {
    return Promise.reject(new Error('nobody listens in memory'));
  }

  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing {
    const dial = new MemoryDial(address, options, handler, this.clock);
    this.dials.push(dial);
    return dial;
  }

  advance(milliseconds: number): void {
    this.clock.now += milliseconds;
    this.timers.run(this.clock.now);
  }
}
