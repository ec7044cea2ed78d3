import { noBytes } from '../../core/bytes.ts';
import type { Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import { WrappedConnection } from '../../core/wrapped-connection.ts';
import { NetworkVerdict, type FilteredStream, type NetworkFilter } from '../../filter/network/network-filter.ts';
import type { ActiveConnection } from '../../listener/network-filter.ts';
import { ConnectionNotes } from '../../observe/connection-notes.ts';
import { Outcome } from '../../observe/outcome.ts';
import type { FilteredHandler } from './filtered-handler.ts';

/** Held back at most where the listener sets no limit: Envoy's default of `per_connection_buffer_limit_bytes`. */
const heldBytesMax = 1024 * 1024;

/**
 * A connection on its way through the filters in front of the terminal one. That gets this in the connection's place where
 * a filter wants to see bytes or the end, or has held it back; else the connection itself.
 */
export class FilteredConnection extends WrappedConnection implements ConnectionSink, FilteredStream, ActiveConnection {
  readonly notes: ConnectionNotes;
  private readonly handler: FilteredHandler;
  private readonly filters: readonly NetworkFilter[];
  private readonly filterChainName: string;
  private readonly needsBytes: boolean;
  private readonly hearsWrites: boolean;
  /** Bytes and the end come here. */
  private isAttached: boolean;
  /** The filter that hears next of the new connection. */
  private opening: number;
  /** The terminal filter's; null: it does not have it yet. */
  private active: ActiveConnection | null;
  private sink: ConnectionSink | null;
  /** The filter that hears next of the first chunk that is held. */
  private reading: number;
  /** A filter has said Stop. */
  private isStopped: boolean;
  private held: Uint8Array[];
  private heldBytes: number;
  /** What the filters look at right now. */
  private passing: Uint8Array;
  /** Of those, what came while nothing was to be read: a listener filter had looked at it. */
  private unreadBytes: number;
  private isSourcePaused: boolean;
  private hasEnded: boolean;
  private isEndTold: boolean;
  private pauses: number;
  private isClosed: boolean;

  constructor(handler: FilteredHandler, filters: readonly NetworkFilter[], inner: Connection, filterChainName: string) {
    super(inner);
    this.notes = new ConnectionNotes(inner.peer.filterState ?? null);
    this.handler = handler;
    this.filters = filters;
    this.filterChainName = filterChainName;
    this.hearsWrites = filters.some((filter) => 'onWrite' in filter);
    this.needsBytes = this.hearsWrites || filters.some((filter) => 'onData' in filter || 'onClosed' in filter);
    this.passing = noBytes;
    this.isAttached = false;
    this.opening = 0;
    this.active = null;
    this.sink = null;
    this.reading = 0;
    this.isStopped = false;
    this.held = [];
    this.heldBytes = 0;
    this.unreadBytes = 0;
    this.isSourcePaused = false;
    this.hasEnded = false;
    this.isEndTold = false;
    this.pauses = 0;
    this.isClosed = false;
  }

  get isIdle(): boolean {
    return this.active !== null && this.active.isIdle;
  }

  connectionOutcome(): Outcome {
    return this.active?.connectionOutcome?.() ?? new Outcome();
  }

  /** Tells the filters of the new connection, as far as they let it pass. */
  open(): void {
    while (this.opening < this.filters.length) {
      const filter = this.filters[this.opening++];
      const isStop = filter.onNewConnection?.(this) === NetworkVerdict.Stop;
      if (this.isClosed) return;
      if (!isStop) continue;
      this.isStopped = true;
      this.attachToInner();
      return;
    }
    this.handler.left(this);
    const isBetween = this.needsBytes || this.isAttached;
    this.active = this.handler.terminal.handle(isBetween ? this : this.inner, this.filterChainName, this.notes);
  }

  // FilteredStream, for the filters

  proceed(): void {
    if (!this.isStopped || this.isClosed) return;
    this.isStopped = false;
    if (this.active === null) this.open();
    else this.deliver();
  }

  replace(chunk: Uint8Array): void {
    this.heldBytes += chunk.length - this.passing.length;
    this.passing = chunk;
  }

  send(chunk: Uint8Array): void {
    this.inner.write(chunk);
  }

  close(reason: string): void {
    if (this.isClosed) return;
    this.notes.closeReason = reason;
    const failure = DownstreamLocalClose.with(reason);
    this.inner.destroy(failure);
    if (!this.isAttached) this.onClosed(failure);
  }

  // ConnectionSink, for the connection

  onBytes(chunk: Uint8Array): void {
    if (this.isHolding || this.held.length > 0) this.hold(chunk);
    else this.pass(chunk);
  }

  onDrain(): void {
    this.sink?.onDrain();
  }

  onEnd(): void {
    this.hasEnded = true;
    if (!this.isHolding && this.held.length === 0) this.passEnd();
  }

  onClosed(failure: Failure): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.notes.keptBytes += this.heldBytes - this.unreadBytes;
    this.held = [];
    for (let i = 0; i < this.opening; i++) this.filters[i].onClosed?.(this);
    if (this.active === null) {
      this.handler.left(this);
      this.handler.terminal.refused?.(this.inner, this.filterChainName, this.notes);
    }
    this.sink?.onClosed(failure);
    this.owner?.onConnectionClosed(this);
  }

  // Connection, for the terminal filter

  attach(sink: ConnectionSink): void {
    this.sink = sink;
    if (this.isAttached) this.deliver();
    else this.attachToInner();
  }

  override write(chunk: Uint8Array): boolean {
    if (this.hearsWrites) this.tellOfWrite();
    return this.inner.write(chunk);
  }

  override writeLatin1(text: string): boolean {
    if (this.hearsWrites) this.tellOfWrite();
    return this.inner.writeLatin1(text);
  }

  override pause(): void {
    this.pauses++;
    this.inner.pause();
  }

  override resume(): void {
    if (this.pauses === 0) return;
    this.pauses--;
    this.inner.resume();
    this.deliver();
  }

  // ---- inside

  private attachToInner(): void {
    if (this.isAttached) return;
    this.isAttached = true;
    this.inner.attach(this);
  }

  private get isHolding(): boolean {
    return this.isStopped || this.sink === null || this.pauses > 0;
  }

  private hold(chunk: Uint8Array): void {
    lentBytes.keep(chunk);
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    if (this.pauses > 0) this.unreadBytes += chunk.length;
    this.balanceSource();
  }

  /** What is held back has a limit. */
  private balanceSource(): void {
    const isFull = this.heldBytes >= (this.inner.bufferLimit || heldBytesMax);
    if (isFull === this.isSourcePaused) return;
    this.isSourcePaused = isFull;
    if (isFull) this.inner.pause();
    else this.inner.resume();
  }

  private deliver(): void {
    if (!this.isHolding) this.unreadBytes = 0;
    while (!this.isHolding && !this.isClosed && this.held.length > 0) {
      const chunk = this.held.shift()!;
      this.heldBytes -= chunk.length;
      this.pass(chunk);
    }
    if (this.isClosed) return;
    this.balanceSource();
    if (this.hasEnded && !this.isHolding && this.held.length === 0) this.passEnd();
  }

  /** To the filters that have not had it, and then to the terminal one. */
  private pass(chunk: Uint8Array): void {
    this.heldBytes += chunk.length;
    this.passing = chunk;
    const isThrough = this.isLetThrough(false);
    const passed = this.takePassed();
    if (!isThrough) this.holdAgain(passed);
    else if (passed.length > 0) this.sink!.onBytes(passed);
  }

  private passEnd(): void {
    if (this.isEndTold) return;
    const isThrough = this.isLetThrough(true);
    // A filter may have waited for more.
    const passed = this.takePassed();
    if (!isThrough) {
      if (passed.length > 0) this.holdAgain(passed);
      return;
    }
    this.isEndTold = true;
    if (passed.length > 0) this.sink!.onBytes(passed);
    this.sink!.onEnd();
  }

  private takePassed(): Uint8Array {
    const { passing } = this;
    this.passing = noBytes;
    this.heldBytes -= passing.length;
    return passing;
  }

  /** A filter has stopped it. */
  private holdAgain(chunk: Uint8Array): void {
    this.heldBytes += chunk.length;
    if (this.isClosed) return;
    lentBytes.keep(chunk);
    this.held.unshift(chunk);
    this.balanceSource();
  }

  /** What the filters leave of it is `passing`. */
  private isLetThrough(end: boolean): boolean {
    while (this.reading < this.filters.length) {
      const filter = this.filters[this.reading++];
      const isStop = filter.onData?.(this, this.passing, end) === NetworkVerdict.Stop;
      if (this.isClosed) return false;
      // Nothing is left of it.
      if (!isStop && this.passing.length === 0 && !end) break;
      if (!isStop) continue;
      this.isStopped = true;
      return false;
    }
    this.reading = 0;
    return true;
  }

  private tellOfWrite(): void {
    for (const filter of this.filters) filter.onWrite?.(this);
  }
}
