import { LogLevel, logComponents, type LogComponent } from './level.ts';

/**
 * A level per component, in shared memory: what `/logging` changes holds in every thread at once, and asking costs one
 * array read.
 */
export class LogLevels {
  /** Give this to a worker, which makes its own view with `new LogLevels(shared)`. */
  readonly shared: SharedArrayBuffer;
  private readonly levels: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(logComponents.length)) {
    this.shared = shared;
    this.levels = new Uint8Array(shared);
  }

  get(component: LogComponent): LogLevel {
    return this.levels[logComponents.indexOf(component)] as LogLevel;
  }

  set(component: LogComponent, level: LogLevel): void {
    this.levels[logComponents.indexOf(component)] = level;
  }

  setAll(level: LogLevel): void {
    this.levels.fill(level);
  }

  isEnabled(componentIndex: number, level: LogLevel): boolean {
    return level >= this.levels[componentIndex] && level !== LogLevel.Off;
  }
}
