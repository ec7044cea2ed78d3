import type { Clock } from '../core/clock.ts';

/** `--drain-strategy` and `--drain-time-s`. */
export interface DrainOptions {
  readonly strategy: 'gradual' | 'immediate';
  readonly timeMs: number;
}

/** Clients that are to go are asked so by their answers: at once, or by more and more of them until the time is over. */
export class Drain {
  private readonly options: DrainOptions;
  private readonly clock: Clock;
  private readonly random: () => number;
  /** NaN: not under way. */
  private startMs: number;

  constructor(options: DrainOptions, clock: Clock, random: () => number) {
    this.options = options;
    this.clock = clock;
    this.random = random;
    this.startMs = NaN;
  }

  /** A second call changes nothing. */
  begin(): void {
    if (Number.isNaN(this.startMs)) this.startMs = this.clock.now;
  }

  /**
   * Whether this answer asks its client to go. Drawn anew with every call: its probability grows by the second, from
   * one second's share to all. Source: Envoy `DrainManagerImpl::drainClose`.
   */
  get asksToGo(): boolean {
    if (Number.isNaN(this.startMs)) return false;
    const { strategy, timeMs } = this.options;
    if (strategy === 'immediate') return true;
    const seconds = Math.floor((this.clock.now - this.startMs) / 1000) + 1;
    return this.random() * (timeMs / 1000) < seconds;
  }
}
