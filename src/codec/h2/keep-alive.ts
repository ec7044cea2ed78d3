import type { KeepAliveOptions } from './options.ts';

/** What a keep-alive wants done. */
export const KeepAliveAction = { None: 0, Ping: 1, GiveUp: 2 } as const;
export type KeepAliveAction = (typeof KeepAliveAction)[keyof typeof KeepAliveAction];

/**
 * `connection_keepalive`: asks at intervals whether the peer is there. Any frame counts as a sign of life while an
 * answer is awaited, for the answer may stand behind large frames.
 */
export class KeepAlive {
  private readonly options: KeepAliveOptions;
  private pingAt: number;
  /** Infinity: no answer is awaited. */
  private timeoutAt: number;
  private activeAt: number;

  constructor(options: KeepAliveOptions) {
    this.options = options;
    this.pingAt = Infinity;
    this.timeoutAt = Infinity;
    this.activeAt = -Infinity;
  }

  begin(now: number): void {
    this.activeAt = now;
    this.onAnswer(now);
  }

  get deadline(): number {
    return Math.min(this.pingAt, this.timeoutAt);
  }

  onBytes(now: number): void {
    this.activeAt = now;
    if (this.timeoutAt !== Infinity) this.timeoutAt = now + this.options.timeoutMs;
  }

  /** A PING was acknowledged. */
  onAnswer(now: number): void {
    const { intervalMs, jitter } = this.options;
    this.timeoutAt = Infinity;
    if (intervalMs > 0) this.pingAt = now + intervalMs + intervalMs * jitter * Math.random();
  }

  /** A stream is to be opened: whether to ask first. */
  onOpen(now: number): KeepAliveAction {
    const { idleIntervalMs } = this.options;
    if (idleIntervalMs === 0 || now - this.activeAt <= idleIntervalMs) return KeepAliveAction.None;
    return this.ask(now);
  }

  tick(now: number): KeepAliveAction {
    if (now >= this.timeoutAt) {
      this.pingAt = Infinity;
      this.timeoutAt = Infinity;
      return KeepAliveAction.GiveUp;
    }
    if (now < this.pingAt) return KeepAliveAction.None;
    this.pingAt = Infinity;
    return this.ask(now);
  }

  private ask(now: number): KeepAliveAction {
    if (this.timeoutAt !== Infinity) return KeepAliveAction.None;
    this.timeoutAt = now + this.options.timeoutMs;
    return KeepAliveAction.Ping;
  }
}
