import type { LogComponent, LogLevel } from './level.ts';

/** The application log, bound to one of Envoy's component names. */
export interface Log {
  /** Ask before a message that is dear to build. */
  isEnabled(level: LogLevel): boolean;
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  critical(message: string): void;
}

/** Hands out logs. One per thread. */
export interface Logs {
  component(name: LogComponent): Log;
}

/** One entry, as formats see it. */
export interface LogEntry {
  readonly epochMs: number;
  readonly level: LogLevel;
  readonly component: LogComponent;
  readonly message: string;
}
