import { Worker } from 'node:worker_threads';
import type { Log } from '../observe/log/log.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** What the worker threads say, by worker index. */
export interface WorkersListener {
  onWorkerMessage(index: number, message: FromWorker): void;
  /** A thread died of a bug and another takes its place: give it everything. */
  onWorkerRestart(index: number): void;
}

/** A worker that dies more often than this within `restartWindowMs` is not started again: the process gives up. */
const restartsMax = 5;
const restartWindowMs = 60_000;

/** The worker threads of the process. */
export class Workers {
  /** Null until there is a configuration: threads are started before, and say nothing before they are told. */
  listener: WorkersListener | null;
  private readonly entry: URL;
  private readonly log: Log;
  private readonly threads: Worker[];
  private readonly restarts: number[];
  private isStopping: boolean;
  private exited: number;
  private whenStopped: (() => void) | null;

  constructor(count: number, entry: URL, log: Log) {
    this.listener = null;
    this.entry = entry;
    this.log = log;
    this.threads = [];
    this.restarts = [];
    this.isStopping = false;
    this.exited = 0;
    this.whenStopped = null;
    for (let index = 0; index < count; index++) this.threads.push(this.spawn(index));
  }

  get count(): number {
    return this.threads.length;
  }

  post(index: number, message: ToWorker): void {
    this.threads[index].postMessage(message);
  }

  postAll(message: ToWorker): void {
    for (const thread of this.threads) thread.postMessage(message);
  }

  /** Every thread writes out what it has and ends. */
  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.exited === this.threads.length) return;
    const stopped = new Promise<void>((resolve) => (this.whenStopped = resolve));
    this.postAll({ kind: 'stop' });
    await stopped;
  }

  /** Ends every thread as it is. */
  terminate(): void {
    this.isStopping = true;
    for (const thread of this.threads) void thread.terminate();
  }

  private spawn(index: number): Worker {
    const thread = new Worker(this.entry, { name: `worker_${index}` });
    thread.on('message', (message: FromWorker) => this.listener?.onWorkerMessage(index, message));
    thread.on('error', (error: Error) => {
      this.log.critical(`worker_${index} died: ${error.stack ?? error.message}`);
    });
    thread.on('exit', () => this.ended(index));
    return thread;
  }

  private ended(index: number): void {
    if (this.isStopping) {
      if (++this.exited === this.threads.length) this.whenStopped?.();
      return;
    }
    const now = performance.now();
    while (this.restarts.length > 0 && this.restarts[0] < now - restartWindowMs) this.restarts.shift();
    this.restarts.push(now);
    if (this.restarts.length > restartsMax) {
      throw new Error(`workers died ${this.restarts.length} times within a minute; the log above says of what`);
    }
    this.log.error(`worker_${index} is started again`);
    this.threads[index] = this.spawn(index);
    this.listener?.onWorkerRestart(index);
  }
}
