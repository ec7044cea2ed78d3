import type { LogLevel } from '../../observe/log/level.ts';
import type { Log } from '../../observe/log/log.ts';
import { ZtunnelLevel, type LogLines } from './log-lines.ts';

/** The lines of one scope, for what knows Envoy's levels. */
export class LineLog implements Log {
  private readonly lines: LogLines;
  private readonly scope: string;

  constructor(lines: LogLines, scope: string) {
    this.lines = lines;
    this.scope = scope;
  }

  isEnabled(_level: LogLevel): boolean {
    return true;
  }

  trace(message: string): void {
    this.lines.write(ZtunnelLevel.Trace, this.scope, message);
  }

  debug(message: string): void {
    this.lines.write(ZtunnelLevel.Debug, this.scope, message);
  }

  info(message: string): void {
    this.lines.write(ZtunnelLevel.Info, this.scope, message);
  }

  warn(message: string): void {
    this.lines.write(ZtunnelLevel.Warn, this.scope, message);
  }

  error(message: string): void {
    this.lines.write(ZtunnelLevel.Error, this.scope, message);
  }

  critical(message: string): void {
    this.lines.write(ZtunnelLevel.Error, this.scope, message);
  }
}
