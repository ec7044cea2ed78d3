import type { Reason } from '../core/rejection.ts';
import { isSecretPath } from './secret-fields.ts';

/** A reason for refusal with what the config room knows besides; a plain `Reason` of a decoder will do as well. */
export interface ConfigReason extends Reason {
  /** What the text says, as it would be written: `"100ms"`. */
  readonly found?: string;
  /** What could stand there: `must be greater than 0s`. */
  readonly allowed?: string;
  /** A near name that was probably meant. */
  readonly suggestion?: string;
  /** Said, but not refused: a deprecated field. */
  readonly isWarning?: boolean;
  /** The name of the field is what is wrong, not its value. */
  readonly isAboutName?: boolean;
  /** Where in the text, when the text itself cannot be read; otherwise `path` says it. */
  readonly offset?: number;
}

/** A reason placed in the text. */
export interface Problem extends ConfigReason {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** Characters to underline, within the line; at least 1. */
  readonly length: number;
}

export function wrongValue(path: string, allowed: string, found: string, suggestion?: string): ConfigReason {
  if (isSecretPath(path)) return { path, message: `${allowed}; what was found is a secret`, allowed };
  const reason = { path, message: `${allowed}, found ${found}`, found, allowed };
  return suggestion === undefined ? reason : { ...reason, suggestion };
}
