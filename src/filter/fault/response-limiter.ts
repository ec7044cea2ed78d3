import { keepIn } from '../../core/joined-bytes.ts';
import type { Timed } from '../../core/clock.ts';
import type { HttpFilter, Stream } from '../filter.ts';

/** How often something is let through; Envoy's `StreamRateLimiter::DefaultFillInterval`. */
const intervalMs = 50;
/** What a pause may save up, milliseconds' worth of bytes. */
const savedMsMax = 1000;

/** Lets a response's body through at so many bytes a second, every 50 ms a part, as Envoy's `StreamRateLimiter`. */
export class ResponseLimiter implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly filter: HttpFilter;
  private readonly stream: Stream;
  private readonly bytesPerMs: number;
  private readonly waiting: Uint8Array[];
  private waitingBytes: number;
  /** Bytes that may go now. */
  private budget: number;
  private filledAt: number;
  private isAboveHighWatermark: boolean;
  private sawEnd: boolean;
  private sawTrailers: boolean;

  constructor(filter: HttpFilter, stream: Stream, kibPerSecond: number) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.filter = filter;
    this.stream = stream;
    this.bytesPerMs = (kibPerSecond * 1024) / 1000;
    this.waiting = [];
    this.waitingBytes = 0;
    this.budget = 0;
    this.filledAt = stream.clock.now;
    this.isAboveHighWatermark = false;
    this.sawEnd = false;
    this.sawTrailers = false;
  }

  take(chunk: Uint8Array, end: boolean): void {
    if (chunk.length > 0) keepIn(this.waiting, chunk);
    this.waitingBytes += chunk.length;
    this.sawEnd = end;
    const { bufferLimit } = this.stream;
    if (bufferLimit > 0 && this.waitingBytes > bufferLimit && !this.isAboveHighWatermark) {
      this.isAboveHighWatermark = true;
      this.stream.onResponseAboveHighWatermark();
    }
    if (this.deadline === Infinity) this.stream.timers.schedule(this, this.stream.clock.now + intervalMs);
  }

  /** True: trailers must wait for the body. */
  holdsTrailers(): boolean {
    this.sawTrailers = this.waitingBytes > 0;
    return this.sawTrailers;
  }

  tick(now: number): void {
    this.budget += Math.min(now - this.filledAt, savedMsMax) * this.bytesPerMs;
    this.filledAt = now;
    const bytes = Math.min(Math.floor(this.budget), this.waitingBytes);
    this.budget -= bytes;
    this.giveOn(bytes);
  }

  stop(): void {
    this.stream.timers.cancel(this);
    if (!this.isAboveHighWatermark) return;
    this.isAboveHighWatermark = false;
    this.stream.onResponseBelowLowWatermark();
  }

  private giveOn(bytes: number): void {
    const { stream, filter } = this;
    let left = bytes;
    const parts: Uint8Array[] = [];
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
    const isDone = this.waitingBytes === 0;
    if (!isDone) stream.timers.schedule(this, stream.clock.now + intervalMs);
    if (this.isAboveHighWatermark && this.waitingBytes <= stream.bufferLimit / 2) {
      this.isAboveHighWatermark = false;
      stream.onResponseBelowLowWatermark();
    }
    const endsHere = isDone && this.sawEnd;
    for (let i = 0; i < parts.length; i++) {
      stream.injectResponseData(filter, parts[i], endsHere && i === parts.length - 1);
    }
    if (endsHere && parts.length === 0) stream.injectResponseData(filter, new Uint8Array(0), true);
    if (isDone && this.sawTrailers) stream.resumeResponse(filter);
  }
}
