/**
 * How long to wait before a stream is opened again: anything below a bound that doubles with every failure.
 * Source: Envoy's `JitteredExponentialBackOffStrategy`, with the bounds of its control-plane streams.
 */
export class BackOff {
  private readonly baseMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;
  private boundMs: number;

  /** `random`: 0 ≤ x < 1. */
  constructor(random: () => number, baseMs = 500, maxMs = 30_000) {
    this.baseMs = baseMs;
    this.maxMs = maxMs;
    this.random = random;
    this.boundMs = baseMs;
  }

  /** Milliseconds. */
  next(): number {
    // Never at once: who tries again and again must let others have their turn.
    const wait = Math.max(1, Math.floor(this.random() * this.boundMs));
    this.boundMs = Math.min(this.boundMs * 2, this.maxMs);
    return wait;
  }

  reset(): void {
    this.boundMs = this.baseMs;
  }
}
