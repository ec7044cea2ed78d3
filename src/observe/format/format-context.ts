import { hostname } from 'node:os';

import type { Clock } from '../../core/clock.ts';

/** What a format may say that is not of the stream. */
export interface FormatContext {
  /** %ENVIRONMENT(…)%. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** %HOSTNAME%. */
  readonly hostname: string;
  /** %EMIT_TIME%, and %DURATION% before the end; null: the moment is read where the format is used. */
  readonly clock: Clock | null;
}

let ofProcess: FormatContext | null = null;

/** The process's own; read once. Envoy, too, reads the environment when a format is configured. */
export function processContext(): FormatContext {
  ofProcess ??= { environment: { ...process.env }, hostname: hostname(), clock: null };
  return ofProcess;
}
