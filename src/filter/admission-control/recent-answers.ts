/** Answers are gathered for so long before they are a sample. */
const sampleMs = 1000;

interface Sample {
  readonly beganMs: number;
  requests: number;
  successes: number;
}

/** How many requests there were within a window, and how many of them went well. Source: Envoy `ThreadLocalController`. */
export class RecentAnswers {
  requests: number;
  successes: number;
  private readonly windowMs: number;
  /** At most one for each second of the window, the oldest first. */
  private readonly samples: Sample[];

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.requests = 0;
    this.successes = 0;
    this.samples = [];
  }

  record(isSuccess: boolean, nowMs: number): void {
    this.forget(nowMs);
    let last = this.samples.at(-1);
    if (last === undefined || nowMs - last.beganMs >= sampleMs) {
      last = { beganMs: nowMs, requests: 0, successes: 0 };
      this.samples.push(last);
    }
    last.requests++;
    this.requests++;
    if (!isSuccess) return;
    last.successes++;
    this.successes++;
  }

  /** Requests a second, whole, since the oldest that counts. */
  rate(nowMs: number): number {
    this.forget(nowMs);
    if (this.samples.length === 0) return 0;
    const seconds = Math.floor((nowMs - this.samples[0].beganMs) / 1000);
    return Math.floor(this.requests / Math.max(1, seconds));
  }

  /** What is older than the window. */
  forget(nowMs: number): void {
    const { samples } = this;
    while (samples.length > 0 && nowMs - samples[0].beganMs >= this.windowMs) {
      const { requests, successes } = samples.shift()!;
      this.requests -= requests;
      this.successes -= successes;
    }
  }
}
