/** What all threads know of one host, in shared memory: 32-bit numbers, changed by atomic operations. */
export const HealthCell = {
  /** Bits of HealthFlag that active checks and outlier detection own. Written by the main thread. */
  Flags: 0,
  /** Results in a row, over all workers; written by whoever has one. */
  Consecutive5xx: 1,
  ConsecutiveGatewayFailure: 2,
  ConsecutiveLocalOriginFailure: 3,
  /** Results since the start; they wrap around. Whoever wants those of a time takes the difference. */
  ExternalTotal: 4,
  ExternalSuccess: 5,
  LocalTotal: 6,
  LocalSuccess: 7,
} as const;
export type HealthCell = (typeof HealthCell)[keyof typeof HealthCell];

const cellsPerHost = 8;

/** 32 bytes each, touched only when used. */
const HOSTS_MAX = 1 << 17;

/** Hosts by slot, which the main thread allots and hosts carry in their data. */
export class HealthMemory {
  readonly shared: SharedArrayBuffer;
  private readonly cells: Int32Array;

  constructor(shared = new SharedArrayBuffer(HOSTS_MAX * cellsPerHost * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.cells = new Int32Array(shared);
  }

  get size(): number {
    return this.cells.length / cellsPerHost;
  }

  load(slot: number, cell: HealthCell): number {
    return Atomics.load(this.cells, slot * cellsPerHost + cell);
  }

  store(slot: number, cell: HealthCell, value: number): void {
    Atomics.store(this.cells, slot * cellsPerHost + cell, value);
  }

  /** The number after it. */
  inc(slot: number, cell: HealthCell): number {
    return (Atomics.add(this.cells, slot * cellsPerHost + cell, 1) + 1) | 0;
  }

  clear(slot: number): void {
    for (let cell = 0; cell < cellsPerHost; cell++) Atomics.store(this.cells, slot * cellsPerHost + cell, 0);
  }
}
