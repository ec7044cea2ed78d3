/** Something to be done at another time: `setTimeout`, or what a test has in its place. */
export interface Later {
  /** Milliseconds since the epoch. */
  now(): number;
  /** @returns how to call it off */
  after(delayMs: number, run: () => void): () => void;
}

/** Longer than a timer of Node can wait. */
const timerMaxMs = 0x7fff_ffff;

/** By the clock of the machine. */
export const machineTime: Later = {
  now: Date.now,
  after(delayMs, run) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      timer = setTimeout(() => (left > timerMaxMs ? wait(left - timerMaxMs) : run()), Math.min(left, timerMaxMs));
      timer.unref();
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** Waits that grow, each by chance half shorter or longer: 500 ms to a minute, as Istio's agent. */
export class GrowingWait {
  private readonly random: () => number;
  private nextMs: number;

  constructor(random: () => number) {
    this.random = random;
    this.nextMs = firstWaitMs;
  }

  next(): number {
    const wait = this.nextMs * (0.5 + this.random());
    this.nextMs = Math.min(this.nextMs * waitFactor, waitMaxMs);
    return wait;
  }

  reset(): void {
    this.nextMs = firstWaitMs;
  }
}

const firstWaitMs = 500;
const waitFactor = 1.5;
const waitMaxMs = 60_000;
