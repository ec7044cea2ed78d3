import type { Clock } from '../../../core/clock.ts';

/** The Date header's value, made once per second. */
export class DateHeader {
  private readonly clock: Clock;
  private second: number;
  private text: string;

  constructor(clock: Clock) {
    this.clock = clock;
    this.second = -1;
    this.text = '';
  }

  get value(): string {
    const second = Math.floor(this.clock.epochMs / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = new Date(second * 1000).toUTCString();
    }
    return this.text;
  }
}
