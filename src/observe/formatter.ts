import type { Outcome } from './outcome.ts';

/** A substitution format string, compiled once. Missing values print `-` (or nothing, where the config says so). */
export interface Formatter {
  format(outcome: Outcome): string;
}
