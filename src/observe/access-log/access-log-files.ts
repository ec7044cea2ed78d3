import { FileStats } from '../stats/file-stats.ts';
import { LogFile } from './log-file.ts';
import type { StatsScope } from '../stats/stats.ts';
import { WorkerStats } from '../stats/worker-stats.ts';

/** The log files of one thread: each path is opened once, and stays open until the thread ends. */
export class AccessLogFiles {
  private readonly flushIntervalMs: number;
  private readonly stats: FileStats;
  private readonly files: Map<string, LogFile>;
  private timer: NodeJS.Timeout | null;

  /** `flushIntervalMs`: `--file-flush-interval-msec`. `stats`: the root scope; without it nothing is counted. */
  constructor(flushIntervalMs: number, stats?: StatsScope) {
    this.flushIntervalMs = flushIntervalMs;
    this.stats = new FileStats(stats ?? new WorkerStats(() => undefined).root);
    this.files = new Map();
    this.timer = null;
  }

  /** Throws, with Envoy's words, where the file cannot be opened. */
  open(path: string): LogFile {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const file = new LogFile(path, this.stats);
    this.files.set(path, file);
    this.timer ??= setInterval(() => this.flushByTimer(), this.flushIntervalMs).unref();
    return file;
  }

  /** Starts writing everything that is gathered. */
  flush(): void {
    for (const file of this.files.values()) file.flush();
  }

  /** SIGUSR1: for log rotation. */
  reopen(): void {
    for (const file of this.files.values()) file.reopen();
  }

  /** At the end of the thread: resolves when everything is written. */
  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await Promise.all(Array.from(this.files.values(), (file) => file.close()));
    this.files.clear();
  }

  private flushByTimer(): void {
    for (const file of this.files.values()) file.flushByTimer();
  }
}
