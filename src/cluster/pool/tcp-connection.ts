import type { Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, ClosedLocally } from '../../core/failures.ts';
import { WrappedConnection } from '../../core/wrapped-connection.ts';
import type { Dialing, DialHandler } from '../../net/network.ts';
import { IdleWait } from './idle-wait.ts';
import { dialOptionsFor } from './pool-context.ts';
import type { TcpConnectionPool } from './tcp-pool.ts';

/** An upstream connection that is being opened for somebody who waits in line. */
export class TcpPoolDial implements DialHandler {
  private readonly pool: TcpConnectionPool;
  private readonly startMs: number;
  private dialing: Dialing | null;
  private isOver: boolean;

  constructor(pool: TcpConnectionPool) {
    this.pool = pool;
    this.startMs = pool.context.network.clock.now;
    this.dialing = null;
    this.isOver = false;
  }

  dial(): void {
    const { host, options, context } = this.pool;
    const dialing = host.transport.dial(
      host.address,
      dialOptionsFor(context, host.address, options),
      host.optionsOf(options),
      this,
    );
    if (!this.isOver) this.dialing = dialing;
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.isOver = true;
    this.dialing?.cancel();
    const { accounts, context } = this.pool;
    accounts.destroyed(true, false);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
  }

  onConnected(connection: Connection): void {
    this.dialing = null;
    if (this.isOver) {
      connection.destroy(ClosedLocally);
      return;
    }
    this.isOver = true;
    const { accounts, context } = this.pool;
    accounts.connected(context.network.clock.now - this.startMs);
    const { filters = null } = context;
    const found = filters === null ? null : new Map<string, unknown>();
    const filtered = filters === null ? connection : filters.connected(connection, this.pool.host, found!);
    this.pool.dialSucceeded(this, new TcpPoolConnection(this.pool, filtered, this.startMs, found));
  }

  onDialFailure(failure: Failure): void {
    this.dialing = null;
    if (this.isOver) return;
    this.isOver = true;
    const { accounts, context } = this.pool;
    accounts.connectFailed(failure);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
    this.pool.dialFailed(this, failure);
  }
}

/** An open upstream connection in the hands of its user: counts what passes, and tells the pool when it ends. */
export class TcpPoolConnection extends WrappedConnection implements ConnectionSink {
  readonly found: ReadonlyMap<string, unknown> | null;
  private readonly pool: TcpConnectionPool;
  readonly startMs: number;
  /** Nobody has it yet; null: somebody has. */
  private wait: IdleWait | null;
  private sink: ConnectionSink | null;
  private isClosedByUs: boolean;

  constructor(
    pool: TcpConnectionPool,
    inner: Connection,
    startMs: number,
    found: ReadonlyMap<string, unknown> | null = null,
  ) {
    super(inner);
    this.found = found;
    this.pool = pool;
    this.wait = null;
    this.startMs = startMs;
    this.sink = null;
    this.isClosedByUs = false;
  }

  // Connection, for the user

  attach(sink: ConnectionSink): void {
    this.sink = sink;
    if (this.wait === null) {
      this.inner.attach(this);
      return;
    }
    this.wait.end();
    this.wait = null;
    this.inner.resume();
  }

  override write(chunk: Uint8Array): boolean {
    this.pool.accounts.txBytes.add(chunk.length);
    return this.inner.write(chunk);
  }

  override writeLatin1(text: string): boolean {
    this.pool.accounts.txBytes.add(text.length);
    return this.inner.writeLatin1(text);
  }

  override reset(failure: Failure): void {
    this.isClosedByUs = true;
    this.inner.reset(failure);
  }

  override destroy(failure: Failure): void {
    this.isClosedByUs = true;
    this.inner.destroy(failure);
  }

  override endAndLinger(lingerMs: number, failure: Failure): void {
    this.isClosedByUs = true;
    this.inner.endAndLinger(lingerMs, failure);
  }

  override closeAfterFlush(stallMs: number, failure: Failure): void {
    this.isClosedByUs = true;
    this.inner.closeAfterFlush(stallMs, failure);
  }

  // ConnectionSink, for the socket

  onBytes(chunk: Uint8Array): void {
    this.pool.accounts.rxBytes.add(chunk.length);
    this.sink!.onBytes(chunk);
  }

  onDrain(): void {
    this.sink!.onDrain();
  }

  onEnd(): void {
    if (this.sink === null) this.inner.destroy(ClosedByPeer);
    else this.sink.onEnd();
  }

  onClosed(failure: Failure): void {
    const { accounts, context } = this.pool;
    const isUsed = this.sink !== null;
    this.wait?.end();
    if (isUsed) accounts.requestEnded();
    accounts.destroyed(this.isClosedByUs, isUsed);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
    this.pool.connectionEnded(this);
    this.sink?.onClosed(failure);
    this.owner?.onConnectionClosed(this);
  }

  /** It is open before anybody needs it: nothing is read, and what ends it meanwhile ends it. */
  keep(idleMs: number): void {
    this.wait = new IdleWait(this, this.pool, idleMs);
    this.inner.attach(this);
    this.inner.pause();
  }

  /** Before anybody has it. */
  discard(): void {
    const { accounts, context } = this.pool;
    accounts.destroyed(true, false);
    accounts.connectionEnded(context.network.clock.now - this.startMs);
    this.inner.destroy(ClosedLocally);
  }
}
