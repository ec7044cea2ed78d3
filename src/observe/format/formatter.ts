import type { LineBytes } from '../access-log/line-bytes.ts';
import type { Outcome } from '../outcome.ts';

/** A substitution format string, compiled once. Missing values print `-` (or nothing, where the config says so). */
export interface Formatter {
  /** Bytes, one per character (latin1), as header values are: text of the configuration is in it as UTF-8. */
  format(outcome: Outcome): string;
  /** The same as bytes, for a log: behind what `line` holds. */
  write(outcome: Outcome, line: LineBytes): void;
}
