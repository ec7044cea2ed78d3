import type { FileStats } from '../stats/file-stats.ts';
import { LineBytes } from './line-bytes.ts';

// `import` would load Node's streams, which no worker needs.
const { closeSync, openSync, write } = process.getBuiltinModule('node:fs');

/** A buffer of this size is written at once. Source: Envoy `AccessLogFileImpl::MIN_FLUSH_SIZE`. */
const FLUSH_BYTES = 64 * 1024;
/** Lines that the disk does not take are dropped and counted above this. Envoy has no limit. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024;
/** Memory that a slow disk has made grow beyond this is not kept. */
const KEPT_BYTES_MAX = 4 * FLUSH_BYTES;
/** A pipe whose reader is slow is tried again after this many milliseconds. */
const RETRY_MS = 10;

/**
 * One log file in one thread. Lines are gathered and written behind the data path's back; each write is whole lines to
 * a descriptor in append mode, so that threads and processes can share the file.
 */
export class LogFile {
  readonly path: string;
  private readonly stats: FileStats;
  private fd: number;
  /** Opened by `reopen`, to be used from the next write on; -1: none. */
  private nextFd: number;
  private mustReopen: boolean;
  private lines: LineBytes;
  /** Written out, to be used again; null: being written. */
  private spare: LineBytes | null;
  /** Where in `lines` the line begins that is being written. */
  private lineStart: number;
  private isWriting: boolean;
  private whenIdle: (() => void)[];

  /** `/dev/stdout` and `/dev/stderr` are the process's own streams; anything else is opened in append mode. */
  constructor(path: string, stats: FileStats) {
    this.path = path;
    this.stats = stats;
    this.fd = isStream(path) ? streamFd(path) : openLog(path);
    this.nextFd = -1;
    this.mustReopen = false;
    this.lines = new LineBytes();
    this.spare = null;
    this.lineStart = 0;
    this.isWriting = false;
    this.whenIdle = [];
  }

  /** Where one line is to be written, line end included; `endLine` follows. */
  beginLine(): LineBytes {
    this.lineStart = this.lines.length;
    return this.lines;
  }

  endLine(): void {
    const { lines, lineStart } = this;
    if (lines.length > BUFFER_BYTES_MAX) {
      lines.length = lineStart;
      this.stats.writeFailed.inc();
      return;
    }
    this.stats.writeBuffered.inc();
    this.stats.bytesBuffered.add(lines.length - lineStart);
    if (lines.length >= FLUSH_BYTES) this.flush();
  }

  /** Writes what is gathered, unless a write is under way: that one goes on with it. */
  flush(): void {
    if (this.isWriting || this.lines.length === 0) return;
    this.changeDescriptor();
    const written = this.lines;
    this.lines = this.spare ?? new LineBytes();
    this.spare = null;
    this.isWriting = true;
    this.writeRest(written, 0);
  }

  /** By the flush timer. */
  flushByTimer(): void {
    if (this.lines.length === 0) return;
    this.stats.flushedByTimer.inc();
    this.flush();
  }

  /** Opens the path again, for log rotation. Where that fails the old file is kept and the next flush tries again. */
  reopen(): void {
    if (isStream(this.path)) return;
    try {
      const fd = openLog(this.path);
      if (this.nextFd >= 0) closeSync(this.nextFd);
      this.nextFd = fd;
      this.mustReopen = false;
    } catch {
      this.mustReopen = true;
      this.stats.reopenFailed.inc();
    }
  }

  /** Writes the rest and closes. */
  async close(): Promise<void> {
    do {
      this.flush();
      await this.idle();
    } while (this.lines.length > 0);
    this.changeDescriptor();
    if (!isStream(this.path)) closeSync(this.fd);
  }

  private idle(): Promise<void> {
    if (!this.isWriting) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle.push(resolve);
    });
  }

  private changeDescriptor(): void {
    if (this.mustReopen) this.reopen();
    if (this.nextFd < 0) return;
    closeSync(this.fd);
    this.fd = this.nextFd;
    this.nextFd = -1;
  }

  private writeRest(lines: LineBytes, from: number): void {
    write(this.fd, lines.bytes, from, lines.length - from, null, (error, written) =>
      this.onWritten(lines, from, error, written),
    );
  }

  private onWritten(lines: LineBytes, from: number, error: NodeJS.ErrnoException | null, written: number): void {
    if (error !== null && error.code === 'EAGAIN') {
      setTimeout(() => this.writeRest(lines, from), RETRY_MS);
      return;
    }
    if (error === null && from + written < lines.length) {
      this.writeRest(lines, from + written);
      return;
    }
    if (error === null) this.stats.writeCompleted.inc();
    else this.stats.writeFailed.inc();
    this.stats.bytesBuffered.add(-lines.length);
    lines.length = 0;
    if (lines.capacity <= KEPT_BYTES_MAX) this.spare = lines;
    this.isWriting = false;
    if (this.lines.length >= FLUSH_BYTES) this.flush();
    if (!this.isWriting) for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}

function isStream(path: string): boolean {
  return path === '/dev/stdout' || path === '/dev/stderr';
}

/** The process's own streams: opening them by name fails for sockets and moves no offset. */
function streamFd(path: string): number {
  return path === '/dev/stdout' ? 1 : 2;
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    throw new Error(`unable to open file '${path}': ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error });
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'No such file or directory';
    case 'EACCES':
      return 'Permission denied';
    case 'EISDIR':
      return 'Is a directory';
    default:
      return message;
  }
}
