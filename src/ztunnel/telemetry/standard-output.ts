import { constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

const standardOutput = 1;

/** PIPE_BUF of Linux: so many bytes are taken whole or not at all, and lines of several threads do not mix. */
const pieceMax = 4096;

/** Bytes that wait for a reader; lines beyond that are dropped. */
const waitingMax = 4 * 1024 * 1024;

/** How long to wait before a reader whose pipe was full is tried again. */
const retryMs = 10;

const newLine = 10;
const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Standard output, as one thread writes to it: a slow reader loses nothing as long as little waits for it, one that does
 * not read holds nobody up, and one that is gone is nobody's loss.
 */
export class StandardOutput {
  /** Hears how many lines were dropped, when the reader takes more again. */
  onCaughtUp: (droppedLines: number) => void;
  private readonly fd: number;
  private waiting: Buffer[];
  private waitingBytes: number;
  private droppedLines: number;
  private retry: NodeJS.Timeout | null;

  constructor() {
    this.onCaughtUp = () => {};
    this.fd = descriptorThatDoesNotBlock();
    this.waiting = [];
    this.waitingBytes = 0;
    this.droppedLines = 0;
    this.retry = null;
  }

  /** Whole lines. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    const sent = this.waitingBytes === 0 ? this.send(bytes) : 0;
    if (sent < bytes.length) this.keep(bytes.subarray(sent));
  }

  /** Before the end of the thread: waits until all is written, at most so long, and holds the thread up meanwhile. */
  finish(waitMs: number): void {
    const end = performance.now() + waitMs;
    while (!this.sendWaiting() && performance.now() < end) Atomics.wait(nobody, 0, 0, retryMs);
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
  }

  private keep(bytes: Buffer): void {
    // What is left of a line is not dropped: nothing else waits then.
    if (this.waitingBytes > 0 && this.waitingBytes + bytes.length > waitingMax) {
      this.droppedLines += linesIn(bytes);
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.retry ??= setTimeout(() => this.tryAgain(), retryMs);
  }

  private tryAgain(): void {
    this.retry = null;
    if (!this.sendWaiting()) {
      this.retry = setTimeout(() => this.tryAgain(), retryMs);
      return;
    }
    const { droppedLines } = this;
    this.droppedLines = 0;
    if (droppedLines > 0) this.onCaughtUp(droppedLines);
  }

  /** @returns whether nothing waits any more */
  private sendWaiting(): boolean {
    while (this.waiting.length > 0) {
      const [bytes] = this.waiting;
      const sent = this.send(bytes);
      this.waitingBytes -= sent;
      if (sent < bytes.length) {
        this.waiting[0] = bytes.subarray(sent);
        return false;
      }
      this.waiting.shift();
    }
    return true;
  }

  /** @returns how many bytes are done with */
  private send(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      const size = pieceSize(bytes, at);
      try {
        at += writeSync(this.fd, bytes, at, size);
      } catch (error) {
        // Nobody is there to read it.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return bytes.length;
        return at;
      }
    }
    return at;
  }
}

/** Whole lines, as many as go at once. */
function pieceSize(bytes: Buffer, at: number): number {
  if (bytes.length - at <= pieceMax) return bytes.length - at;
  const lineEnd = bytes.lastIndexOf(newLine, at + pieceMax - 1);
  return lineEnd >= at ? lineEnd + 1 - at : pieceMax;
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newLine); at >= 0; at = bytes.indexOf(newLine, at + 1)) count++;
  return count;
}

/** One of our own: whether it blocks is nobody else's affair then. A socket has none but the one that we were given. */
function descriptorThatDoesNotBlock(): number {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  try {
    return openSync(`/proc/self/fd/${standardOutput}`, O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch {
    try {
      // Does not block from now on.
      new Socket({ fd: standardOutput, readable: false }).unref();
    } catch {
      // Nothing that can be waited for: a file.
    }
    return standardOutput;
  }
}
