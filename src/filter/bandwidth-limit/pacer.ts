import type { Timed } from '../../core/clock.ts';
import { keepIn } from '../../core/joined-bytes.ts';
import type { Stream } from '../filter.ts';
import type { Bandwidth, BandwidthStats } from './bandwidth.ts';

/** The half of a stream that is paced. */
export interface PacedHalf {
  inject(chunk: Uint8Array, end: boolean): void;
  /** The trailers may follow. */
  resume(): void;
  /** All has passed, or the last of it is about to. */
  finish(): void;
  onAboveHighWatermark(): void;
  onBelowLowWatermark(): void;
}

/** Lets a body through as fast as its bandwidth has room for it: Envoy's `StreamRateLimiter` over a shared bucket. */
export class Pacer implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** Milliseconds, counted by the interval, that bytes have waited for room. */
  delayMs: number;
  private readonly bandwidth: Bandwidth;
  private readonly stats: BandwidthStats;
  private readonly stream: Stream;
  private readonly half: PacedHalf;
  private readonly waiting: Uint8Array[];
  private waitingBytes: number;
  private beganMs: number;
  private isAboveHighWatermark: boolean;
  private sawEnd: boolean;
  private sawTrailers: boolean;
  private isFinished: boolean;

  constructor(bandwidth: Bandwidth, stats: BandwidthStats, stream: Stream, half: PacedHalf) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.delayMs = 0;
    this.bandwidth = bandwidth;
    this.stats = stats;
    this.stream = stream;
    this.half = half;
    this.waiting = [];
    this.waitingBytes = 0;
    this.beganMs = NaN;
    this.isAboveHighWatermark = false;
    this.sawEnd = false;
    this.sawTrailers = false;
    this.isFinished = false;
  }

  /** Milliseconds since its first bytes; 0: there were none. */
  get elapsedMs(): number {
    return Number.isNaN(this.beganMs) ? 0 : Math.floor(this.stream.clock.now - this.beganMs);
  }

  take(chunk: Uint8Array, end: boolean): void {
    const { stream, stats } = this;
    if (Number.isNaN(this.beganMs)) {
      this.beganMs = stream.clock.now;
      stats.pending.inc();
    }
    stats.incomingSize.set(chunk.length);
    stats.incomingTotal.add(chunk.length);
    if (chunk.length > 0) keepIn(this.waiting, chunk);
    this.waitingBytes += chunk.length;
    this.sawEnd = end;
    // What waits already goes first.
    if (this.deadline === Infinity) this.tick(stream.clock.now);
    const { bufferLimit } = stream;
    if (bufferLimit === 0 || this.waitingBytes <= bufferLimit || this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = true;
    this.half.onAboveHighWatermark();
  }

  /** True: trailers must wait for the body. */
  holdsTrailers(): boolean {
    this.sawTrailers = this.waitingBytes > 0;
    if (!this.sawTrailers) this.finish();
    return this.sawTrailers;
  }

  tick(now: number): void {
    const { stream, stats, bandwidth } = this;
    const bytes = bandwidth.take(now, this.waitingBytes);
    const parts = this.cut(bytes);
    stats.allowedSize.set(bytes);
    stats.allowedTotal.add(bytes);
    const isDone = this.waitingBytes === 0;
    if (!isDone) {
      const { fillMs } = bandwidth.data;
      stats.enforced.inc();
      this.delayMs += fillMs;
      stream.timers.schedule(this, now + fillMs);
    }
    this.letGoOn();
    this.giveOn(parts, isDone && this.sawEnd && !this.sawTrailers);
    if (!isDone || !this.sawTrailers) return;
    this.finish();
    this.half.resume();
  }

  stop(): void {
    this.stream.timers.cancel(this);
    if (!this.isFinished && !Number.isNaN(this.beganMs)) this.stats.pending.dec();
    this.isFinished = true;
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    this.half.onBelowLowWatermark();
  }

  private giveOn(parts: readonly Uint8Array[], endsHere: boolean): void {
    if (endsHere) this.finish();
    for (let i = 0; i < parts.length; i++) this.half.inject(parts[i], endsHere && i === parts.length - 1);
    if (endsHere && parts.length === 0) this.half.inject(new Uint8Array(0), true);
  }

  private finish(): void {
    if (this.isFinished || Number.isNaN(this.beganMs)) return;
    this.isFinished = true;
    this.stats.duration.record(this.elapsedMs);
    this.stats.pending.dec();
    this.half.finish();
  }

  private letGoOn(): void {
    if (!this.isAboveHighWatermark || this.waitingBytes > this.stream.bufferLimit / 2) return;
    this.isAboveHighWatermark = false;
    this.half.onBelowLowWatermark();
  }

  /** The first so many bytes of what waits. */
  private cut(bytes: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let left = bytes;
    while (left > 0) {
      const chunk = this.waiting[0];
      if (chunk.length <= left) {
        parts.push(chunk);
        this.waiting.shift();
      } else {
        parts.push(chunk.subarray(0, left));
        this.waiting[0] = chunk.subarray(left);
      }
      left -= parts[parts.length - 1].length;
    }
    this.waitingBytes -= bytes;
    return parts;
  }
}
