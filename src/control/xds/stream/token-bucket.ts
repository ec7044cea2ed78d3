/** `rate_limit_settings`: so many requests at once, and so many a second. */
export class TokenBucket {
  private readonly maxTokens: number;
  private readonly fillPerSecond: number;
  private tokens: number;
  private filledMs: number;

  constructor(maxTokens: number, fillPerSecond: number, now: number) {
    this.maxTokens = maxTokens;
    this.fillPerSecond = fillPerSecond;
    this.tokens = maxTokens;
    this.filledMs = now;
  }

  take(now: number): boolean {
    const filled = this.tokens + ((now - this.filledMs) / 1000) * this.fillPerSecond;
    this.tokens = Math.min(this.maxTokens, filled);
    this.filledMs = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Milliseconds until `take` can say true; 0: now. */
  get waitMs(): number {
    return this.tokens >= 1 ? 0 : ((1 - this.tokens) / this.fillPerSecond) * 1000;
  }
}
