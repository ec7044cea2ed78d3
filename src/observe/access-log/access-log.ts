import type { Outcome } from '../outcome.ts';

/** Receives every ended stream. The filter, the format and the file are its own affair. */
export interface AccessLog {
  log(outcome: Outcome): void;
}
