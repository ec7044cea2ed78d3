import type { Log } from '../src/observe/log/log.ts';

/** A log whose lines a test looks at. */
export class KeptLog implements Log {
  readonly lines: string[] = [];

  isEnabled(): boolean {
    return true;
  }

  trace(message: string): void {
    this.lines.push(message);
  }

  debug(message: string): void {
    this.lines.push(message);
  }

  info(message: string): void {
    this.lines.push(message);
  }

  warn(message: string): void {
    this.lines.push(message);
  }

  error(message: string): void {
    this.lines.push(message);
  }

  critical(message: string): void {
    this.lines.push(message);
  }
}
