import type { Connection, ConnectionOwner, ConnectionSink } from './connection.ts';
import type { Failure } from './failure.ts';
import type { Peer } from './peer.ts';

/**
 * A connection around another, for whoever looks at what passes: what it does not say otherwise goes to the inner one. What
 * comes in returns to whoever it attaches there.
 */
export abstract class WrappedConnection implements Connection {
  readonly inner: Connection;
  readonly id: number;
  readonly openedMs: number;
  owner: ConnectionOwner | null;

  constructor(inner: Connection) {
    this.inner = inner;
    this.id = inner.id;
    this.openedMs = inner.openedMs;
    this.owner = null;
  }

  abstract attach(sink: ConnectionSink): void;

  get peer(): Peer {
    return this.inner.peer;
  }

  write(chunk: Uint8Array): boolean {
    return this.inner.write(chunk);
  }

  writeLatin1(text: string): boolean {
    return this.inner.writeLatin1(text);
  }

  end(): void {
    this.inner.end();
  }

  reset(failure: Failure): void {
    this.inner.reset(failure);
  }

  destroy(failure: Failure): void {
    this.inner.destroy(failure);
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    this.inner.endAndLinger(lingerMs, failure);
  }

  closeAfterFlush(stallMs: number, failure: Failure): void {
    this.inner.closeAfterFlush(stallMs, failure);
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  carriesMany(): void {
    this.inner.carriesMany?.();
  }

  get bufferedBytes(): number {
    return this.inner.bufferedBytes;
  }

  get bufferLimit(): number {
    return this.inner.bufferLimit;
  }

  set bufferLimit(limit: number) {
    this.inner.bufferLimit = limit;
  }

  get bytesRead(): number {
    return this.inner.bytesRead;
  }

  get bytesWritten(): number {
    return this.inner.bytesWritten;
  }
}
