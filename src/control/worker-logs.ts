import type { Clock } from '../core/clock.ts';
import { LogLevel, logComponents, type LogComponent } from '../observe/log/level.ts';
import { LogLevels } from '../observe/log/log-levels.ts';
import type { Log, Logs } from '../observe/log/log.ts';

/** What a worker has to say, on its way to the log that the main thread writes. */
export interface WorkerLogMessage {
  readonly component: LogComponent;
  readonly level: LogLevel;
  readonly message: string;
}

/** A peer decides how often most of these messages come. */
const messagesPerSecondMax = 100;

/** A worker's logs: the main thread writes them. */
export class WorkerLogs implements Logs {
  private readonly levels: LogLevels;
  private readonly clock: Clock;
  private readonly post: (message: WorkerLogMessage) => void;
  private secondMs: number;
  private count: number;

  /** `shared`: `LogLevels.shared` of the main thread. */
  constructor(shared: SharedArrayBuffer, clock: Clock, post: (message: WorkerLogMessage) => void) {
    this.levels = new LogLevels(shared);
    this.clock = clock;
    this.post = post;
    this.secondMs = 0;
    this.count = 0;
  }

  component(name: LogComponent): Log {
    const index = logComponents.indexOf(name);
    const isEnabled = (level: LogLevel): boolean => this.levels.isEnabled(index, level);
    const say =
      (level: LogLevel) =>
      (message: string): void => {
        if (isEnabled(level)) this.say({ component: name, level, message });
      };
    return {
      isEnabled,
      trace: say(LogLevel.Trace),
      debug: say(LogLevel.Debug),
      info: say(LogLevel.Info),
      warn: say(LogLevel.Warning),
      error: say(LogLevel.Error),
      critical: say(LogLevel.Critical),
    };
  }

  private say(message: WorkerLogMessage): void {
    const { now } = this.clock;
    if (now - this.secondMs >= 1000) {
      this.secondMs = now;
      this.count = 0;
    }
    this.count++;
    if (this.count < messagesPerSecondMax) this.post(message);
    else if (this.count === messagesPerSecondMax)
      this.post({ ...message, message: `${message.message} (more like this are left out for a second)` });
  }
}

/** Writes what a worker has said. */
export function writeWorkerLog(logs: Logs, { component, level, message }: WorkerLogMessage): void {
  const log = logs.component(component);
  if (level === LogLevel.Trace) log.trace(message);
  else if (level === LogLevel.Debug) log.debug(message);
  else if (level === LogLevel.Info) log.info(message);
  else if (level === LogLevel.Warning) log.warn(message);
  else if (level === LogLevel.Error) log.error(message);
  else log.critical(message);
}
