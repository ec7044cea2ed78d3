import { Worker } from 'node:worker_threads';
import type { FromThread, ThreadReport, ToThread } from './thread-messages.ts';

/** Who hears of the threads. */
export interface ThreadsListener {
  onThreadMessage(index: number, message: FromThread): void;
  /** It died of a bug, and another takes its place: it has to be told everything. */
  onThreadRestart(index: number, reason: string): void;
  /** They die one after another. */
  onThreadsLost(reason: string): void;
}

/** A thread that dies more often than this within `restartWindowMs` is not started again. */
const restartsMax = 5;
const restartWindowMs = 60_000;

/** How long a thread may take to tell what it knows. */
const tellMs = 2000;

/** The threads that carry traffic. */
export class ProxyThreads {
  readonly count: number;
  private readonly entry: URL;
  private readonly listener: ThreadsListener;
  private readonly threads: Worker[];
  private readonly restarts: number[];
  private readonly asked: Map<number, (report: ThreadReport) => void>;
  private nextId: number;
  private isStopping: boolean;

  constructor(count: number, entry: URL, listener: ThreadsListener) {
    this.count = count;
    this.entry = entry;
    this.listener = listener;
    this.threads = [];
    this.restarts = [];
    this.asked = new Map();
    this.nextId = 1;
    this.isStopping = false;
    for (let index = 0; index < count; index++) this.threads.push(this.spawn(index));
  }

  post(index: number, message: ToThread): void {
    this.threads[index].postMessage(message);
  }

  postAll(message: ToThread): void {
    for (const thread of this.threads) thread.postMessage(message);
  }

  /** What every thread knows; those that do not answer in time are left out. */
  async reports(): Promise<ThreadReport[]> {
    const reports = await Promise.all(this.threads.map((thread) => this.report(thread)));
    return reports.filter((report) => report !== null);
  }

  stop(): void {
    this.isStopping = true;
    this.postAll({ kind: 'stop' });
    for (const thread of this.threads) void thread.terminate();
  }

  private report(thread: Worker): Promise<ThreadReport | null> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.asked.delete(id);
        resolve(null);
      }, tellMs);
      this.asked.set(id, (report) => {
        clearTimeout(timer);
        resolve(report);
      });
      thread.postMessage({ kind: 'tell', id } satisfies ToThread);
    });
  }

  private spawn(index: number): Worker {
    const thread = new Worker(this.entry, { name: `ztunnel_${index}` });
    let reason = 'it ended';
    thread.on('message', (message: FromThread) => {
      if (message.kind !== 'told') {
        this.listener.onThreadMessage(index, message);
        return;
      }
      this.asked.get(message.id)?.(message.report);
      this.asked.delete(message.id);
    });
    thread.on('error', (error: Error) => (reason = error.stack ?? error.message));
    thread.on('exit', () => this.ended(index, reason));
    return thread;
  }

  private ended(index: number, reason: string): void {
    if (this.isStopping) return;
    const now = Date.now();
    this.restarts.push(now);
    if (this.restarts.filter((at) => at > now - restartWindowMs).length > restartsMax) {
      this.listener.onThreadsLost(reason);
      return;
    }
    this.threads[index] = this.spawn(index);
    this.listener.onThreadRestart(index, reason);
  }
}
