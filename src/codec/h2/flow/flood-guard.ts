import type { Failure } from '../../../core/failure.ts';
import { H2Counter } from '../counters.ts';
import { InboundEmptyFramesFlood, InboundFramesFlood } from '../failures.ts';
import { FrameFlag, FrameType } from '../frame/frame.ts';
import type { H2Options } from '../options.ts';

/** Envoy's `ProtocolConstraints` for what comes in: frames that cost more than they are worth. */
export class FloodGuard {
  private readonly options: H2Options;
  /** Streams opened, and DATA frames sent: what WINDOW_UPDATE and PRIORITY frames may be about. */
  openedStreams: number;
  sentDataFrames: number;
  private emptyFrames: number;
  private priorityFrames: number;
  private windowUpdateFrames: number;
  private resetTokens: number;
  private resetAt: number;

  constructor(options: H2Options) {
    this.options = options;
    this.openedStreams = 0;
    this.sentDataFrames = 0;
    this.emptyFrames = 0;
    this.priorityFrames = 0;
    this.windowUpdateFrames = 0;
    this.resetTokens = options.streamResetBurst;
    this.resetAt = -Infinity;
  }

  /** A HEADERS, CONTINUATION or DATA frame; `contentBytes` is without padding. */
  onContent(contentBytes: number, end: boolean): Failure | null {
    if (contentBytes > 0 || end) {
      this.emptyFrames = 0;
      return null;
    }
    const { options } = this;
    if (++this.emptyFrames <= options.maxConsecutiveInboundFramesWithEmptyPayload) return null;
    options.counters.count(H2Counter.InboundEmptyFramesFlood);
    return InboundEmptyFramesFlood;
  }

  /** Any other frame. */
  onFrame(type: number, flags: number, length: number): Failure | null {
    switch (type) {
      case FrameType.WindowUpdate:
        return this.onWindowUpdate();
      case FrameType.Priority:
        return this.onPriority();
      case FrameType.Headers:
      case FrameType.Continuation:
        return this.onContent(length, type === FrameType.Headers && (flags & FrameFlag.EndStream) !== 0);
      default:
        return null;
    }
  }

  /** A RST_STREAM: a bucket of `stream_reset_burst` that fills at `stream_reset_rate`. */
  onReset(now: number): Failure | null {
    const { streamResetBurst, streamResetRate } = this.options;
    if (now > this.resetAt) {
      const gained = ((now - this.resetAt) * streamResetRate) / 1000;
      this.resetTokens = Math.min(streamResetBurst, this.resetTokens + gained);
      this.resetAt = now;
    }
    if (this.resetTokens < 1) return InboundFramesFlood.with('too many RST_STREAM frames');
    this.resetTokens--;
    return null;
  }

  private onPriority(): Failure | null {
    const { options } = this;
    if (++this.priorityFrames <= options.maxInboundPriorityFramesPerStream * (1 + this.openedStreams)) return null;
    options.counters.count(H2Counter.InboundPriorityFramesFlood);
    return InboundFramesFlood.with('too many PRIORITY frames');
  }

  private onWindowUpdate(): Failure | null {
    const { options, openedStreams, sentDataFrames } = this;
    const perFrame = options.maxInboundWindowUpdateFramesPerDataFrameSent;
    if (++this.windowUpdateFrames <= 5 + 2 * (openedStreams + perFrame * sentDataFrames)) return null;
    options.counters.count(H2Counter.InboundWindowUpdateFramesFlood);
    return InboundFramesFlood.with('too many WINDOW_UPDATE frames');
  }
}
