import type { Timed } from '../../core/clock.ts';
import type { AcceptedConnection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import { noBytes } from '../../core/bytes.ts';
import { InspectedPeer } from './inspected-peer.ts';
import type { FilterNow, Inspection } from './inspection.ts';
import { Verdict, type Inspected } from './listener-filter.ts';

/** What a buffer for bytes that come in pieces has to begin with. */
const pieceBufferBytes = 1024;

/** A connection that listener filters still look at: Envoy's `ActiveTcpSocket`. */
export class PendingConnection implements Inspected, ConnectionSink, Timed {
  readonly connection: AcceptedConnection;
  readonly peer: InspectedPeer;
  /** Another listener has accepted it. */
  readonly isHandedOver: boolean;
  bytes: Uint8Array;
  progress: number;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly inspection: Inspection;
  private readonly filters: readonly FilterNow[];
  /** Which filter is at it. */
  private filter: number;
  private isAttached: boolean;
  /** It has been passed on or is being closed. */
  private isOver: boolean;
  /** `bytes` end where this is filled to; null: they lie in memory of the connection's. */
  private buffer: Uint8Array | null;
  private filled: number;

  constructor(
    connection: AcceptedConnection,
    inspection: Inspection,
    filters: readonly FilterNow[],
    isHandedOver: boolean,
  ) {
    this.connection = connection;
    this.peer = new InspectedPeer(connection.peer);
    this.isHandedOver = isHandedOver;
    this.bytes = noBytes;
    this.progress = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.inspection = inspection;
    this.filters = filters;
    this.filter = 0;
    this.isAttached = false;
    this.isOver = false;
    this.buffer = null;
    this.filled = 0;
  }

  /** Lets the filters look, each until it has seen enough. */
  advance(): void {
    const { filters } = this;
    while (this.filter < filters.length) {
      const { filter, isDisabled } = filters[this.filter];
      const verdict = isDisabled !== null && isDisabled(this.peer) ? Verdict.Continue : filter.inspect(this);
      if (verdict === Verdict.NeedMore) {
        this.wait();
        return;
      }
      if (verdict === Verdict.Close) {
        this.close();
        return;
      }
      this.filter++;
      this.progress = 0;
    }
    this.passOn();
  }

  consume(size: number): void {
    this.bytes = this.bytes.subarray(size);
  }

  /** The filters have taken too long. */
  tick(): void {
    if (this.inspection.timedOut()) this.passOn();
    else this.close();
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.inspection.given(this);
    const { failure } = this.inspection;
    // As the kernel does where bytes were not read, and in Envoy these were not.
    if (this.bytes.length > 0) this.connection.reset(failure);
    else this.connection.destroy(failure);
  }

  onBytes(chunk: Uint8Array): void {
    if (this.isOver) return;
    this.gather(chunk);
    this.advance();
  }

  onDrain(): void {}

  /** What a filter waits for will not come. */
  onEnd(): void {
    if (this.isOver) return;
    this.inspection.lost(false);
    this.close();
  }

  onClosed(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.inspection.lost(failure.detail !== '');
    this.inspection.given(this);
  }

  private wait(): void {
    if (this.isAttached) return;
    this.isAttached = true;
    this.inspection.waits(this);
    this.connection.attach(this);
  }

  private passOn(): void {
    this.isOver = true;
    const { connection } = this;
    connection.peer = this.peer;
    if (this.isAttached) connection.detach(this.bytes);
    this.inspection.done(this);
  }

  private gather(chunk: Uint8Array): void {
    const { buffer, bytes } = this;
    if (bytes.length === 0 && !lentBytes.isLent(chunk)) {
      this.buffer = null;
      this.bytes = chunk;
      return;
    }
    const size = bytes.length + chunk.length;
    if (buffer !== null && this.filled + chunk.length <= buffer.length) {
      buffer.set(chunk, this.filled);
      this.filled += chunk.length;
      this.bytes = buffer.subarray(this.filled - size, this.filled);
    } else {
      const larger = new Uint8Array(Math.max(pieceBufferBytes, 2 * size));
      larger.set(bytes);
      larger.set(chunk, bytes.length);
      this.buffer = larger;
      this.filled = size;
      this.bytes = larger.subarray(0, size);
    }
    lentBytes.settle(chunk, chunk.length);
  }
}
