/** Why a connection is turned away. */
export type QuotaRefusal = 'the node has too many connections' | 'the workload has too many connections';

/** How many connections the threads have, of all workloads or of one: a cell for each thread, in memory that they share. */
export class ConnectionCount {
  private readonly cells: Int32Array;
  private readonly thread: number;

  constructor(shared: SharedArrayBuffer, thread: number) {
    this.cells = new Int32Array(shared);
    this.thread = thread;
  }

  /** For so many threads. */
  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Threads look and count without waiting for each other: there may be one too many of each thread. */
  get total(): number {
    let sum = 0;
    for (let i = 0; i < this.cells.length; i++) sum += Atomics.load(this.cells, i);
    return sum;
  }

  add(count: number): void {
    Atomics.add(this.cells, this.thread, count);
  }

  /** The thread is gone, and its connections with it. */
  forget(): void {
    Atomics.store(this.cells, this.thread, 0);
  }
}

/** Lets a workload have connections, open or in the making, until it or its node has enough. */
export class ConnectionQuota {
  private readonly node: ConnectionCount;
  private readonly workload: ConnectionCount;
  private readonly nodeMax: number;
  private readonly workloadMax: number;
  private taken: number;
  private isClosed: boolean;

  constructor(node: ConnectionCount, workload: ConnectionCount, nodeMax: number, workloadMax: number) {
    this.node = node;
    this.workload = workload;
    this.nodeMax = nodeMax;
    this.workloadMax = workloadMax;
    this.taken = 0;
    this.isClosed = false;
  }

  /** One more. @returns why not; null: it has been counted, until `leave` */
  enter(): QuotaRefusal | null {
    if (this.workload.total >= this.workloadMax) return 'the workload has too many connections';
    if (this.node.total >= this.nodeMax) return 'the node has too many connections';
    this.taken++;
    this.node.add(1);
    this.workload.add(1);
    return null;
  }

  leave(): void {
    if (this.isClosed) return;
    this.taken--;
    this.node.add(-1);
    this.workload.add(-1);
  }

  /** Nobody leaves any more: all that are left are counted no more. */
  close(): void {
    this.isClosed = true;
    this.node.add(-this.taken);
    this.workload.add(-this.taken);
    this.taken = 0;
  }
}
