import { closeSync, openSync, writeSync } from 'node:fs';
import { escapeLogLine, type LogFormat, type LogOrigin } from './log-format.ts';
import type { LogLevels } from './log-levels.ts';
import { LogLevel, logComponents, type LogComponent } from './level.ts';
import type { Log, Logs } from './log.ts';

/** Longest message; the rest is cut. glog, on whose lines spdlog's users grew up, cuts at 30 000. */
const messageLengthMax = 30_000;

/** Where lines go. */
export interface LogFile {
  write(line: string): void;
  /** After the file was moved away: the next line goes to a new file of the same name. */
  reopen(): void;
}

/**
 * Appends to a file, or to standard error, with one write per line and nothing kept back: several threads may write to
 * the same place, and the last words before an end are not lost.
 */
export class AppendingLogFile implements LogFile {
  private readonly path: string;
  private descriptor: number;

  /**
   * @param path empty for standard error
   * @throws Error when the file cannot be opened
   */
  constructor(path: string) {
    this.path = path;
    this.descriptor = path === '' ? 2 : openSync(path, 'a');
  }

  write(line: string): void {
    try {
      writeSync(this.descriptor, line);
    } catch {
      // A full disk, a closed pipe or a reader that is too slow: the line is lost, the proxy goes on.
    }
  }

  reopen(): void {
    if (this.path === '') return;
    let next: number;
    try {
      next = openSync(this.path, 'a');
    } catch {
      // Better the old file than none.
      return;
    }
    closeSync(this.descriptor);
    this.descriptor = next;
  }
}

export interface LogWriterOptions {
  readonly levels: LogLevels;
  readonly format: LogFormat;
  readonly file: LogFile;
  readonly origin: LogOrigin;
  /** `--log-format-escaped`. */
  readonly isEscaped: boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The application log of one thread. */
export class LogWriter implements Logs {
  /** Replaced once when the bootstrap brings `application_log_config`. */
  format: LogFormat;
  private readonly options: LogWriterOptions;
  private readonly logs = new Map<LogComponent, ComponentLog>();

  constructor(options: LogWriterOptions) {
    this.options = options;
    this.format = options.format;
  }

  component(name: LogComponent): Log {
    let log = this.logs.get(name);
    if (log === undefined) this.logs.set(name, (log = new ComponentLog(this, this.options.levels, name)));
    return log;
  }

  write(level: LogLevel, component: LogComponent, message: string): void {
    const cut = message.length > messageLengthMax ? `${message.slice(0, messageLengthMax)}…` : message;
    const line = this.format.format(
      { epochMs: this.options.now(), level, component, message: cut },
      this.options.origin,
    );
    this.options.file.write(`${this.options.isEscaped ? escapeLogLine(line) : line}\n`);
  }

  reopen(): void {
    this.options.file.reopen();
  }
}

class ComponentLog implements Log {
  private readonly writer: LogWriter;
  private readonly levels: LogLevels;
  private readonly name: LogComponent;
  private readonly index: number;

  constructor(writer: LogWriter, levels: LogLevels, name: LogComponent) {
    this.writer = writer;
    this.levels = levels;
    this.name = name;
    this.index = logComponents.indexOf(name);
  }

  isEnabled(level: LogLevel): boolean {
    return this.levels.isEnabled(this.index, level);
  }

  trace(message: string): void {
    if (this.isEnabled(LogLevel.Trace)) this.writer.write(LogLevel.Trace, this.name, message);
  }

  debug(message: string): void {
    if (this.isEnabled(LogLevel.Debug)) this.writer.write(LogLevel.Debug, this.name, message);
  }

  info(message: string): void {
    if (this.isEnabled(LogLevel.Info)) this.writer.write(LogLevel.Info, this.name, message);
  }

  warn(message: string): void {
    if (this.isEnabled(LogLevel.Warning)) this.writer.write(LogLevel.Warning, this.name, message);
  }

  error(message: string): void {
    if (this.isEnabled(LogLevel.Error)) this.writer.write(LogLevel.Error, this.name, message);
  }

  critical(message: string): void {
    if (this.isEnabled(LogLevel.Critical)) this.writer.write(LogLevel.Critical, this.name, message);
  }
}
