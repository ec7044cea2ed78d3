import type { H2ServerOptions } from '../options.ts';

/**
 * Envoy's guard against rapid reset (CVE-2023-44487): a connection of which most streams end early without an answer is
 * not worth keeping. Judged when `overload.premature_reset_total_stream_count` streams have ended, or as soon as the
 * rest of that number could not change the verdict.
 */
export class PrematureResetGuard {
  private readonly total: number;
  private readonly lifetimeMs: number;
  private ended: number;
  private premature: number;

  constructor(options: H2ServerOptions) {
    this.total = options.prematureResetTotalStreamCount;
    this.lifetimeMs = options.prematureResetMinStreamLifetimeMs;
    this.ended = 0;
    this.premature = 0;
  }

  onEnd(wasAnswered: boolean, lifetimeMs: number): void {
    this.ended++;
    if (!wasAnswered && lifetimeMs <= this.lifetimeMs) this.premature++;
  }

  get isTooMany(): boolean {
    return this.premature * 2 >= Math.max(this.total, this.ended);
  }
}
