/**
 * Earliest deadline first: weighted round robin with any positive weights, O(log n) a pick and no allocation. Each
 * entry's deadline is the time of its last pick plus 1/weight; ties go to the one that was filed earlier.
 * Source: Envoy `edf_scheduler.h`.
 */
export class EdfScheduler {
  /** Binary min-heap of entries; entry `heap[i]` has its children at `2i+1` and `2i+2`. */
  private readonly heap: Int32Array;
  private readonly deadlines: Float64Array;
  private readonly orders: Float64Array;
  private time: number;
  private order: number;

  /** `weights[i]` > 0 is the first weight of entry `i`. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    this.heap = new Int32Array(count);
    this.deadlines = new Float64Array(count);
    this.orders = new Float64Array(count);
    this.time = 0;
    this.order = count;
    for (let entry = 0; entry < count; entry++) {
      this.heap[entry] = entry;
      this.deadlines[entry] = 1 / weights[entry];
      this.orders[entry] = entry;
    }
    for (let place = (count >> 1) - 1; place >= 0; place--) this.siftDown(place);
  }

  /** The entry whose turn it is. `refile` must follow. */
  next(): number {
    const entry = this.heap[0];
    this.time = this.deadlines[entry]!;
    return entry;
  }

  /** Files the entry that `next` gave under its weight of now. */
  refile(weight: number): void {
    const entry = this.heap[0];
    this.deadlines[entry] = this.time + 1 / weight;
    this.orders[entry] = this.order++;
    this.siftDown(0);
  }

  private siftDown(start: number): void {
    const heap = this.heap;
    const entry = heap[start];
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.isBefore(heap[child + 1], heap[child])) child++;
      if (!this.isBefore(heap[child], entry)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = entry;
  }

  private isBefore(left: number, right: number): boolean {
    const difference = this.deadlines[left] - this.deadlines[right];
    return difference < 0 || (difference === 0 && this.orders[left] < this.orders[right]);
  }
}
