import type { ResourceMonitor } from './monitor.ts';

/**
 * `envoy.resource_monitors.fixed_heap`. V8 has a heap per thread, and bodies lie outside of it: what counts is what the
 * process holds of the machine's memory.
 */
export class FixedHeap implements ResourceMonitor {
  private readonly bytesMax: () => number;
  private readonly heldBytes: () => number;

  /** @param bytesMax asked anew each time: the runtime may have changed */
  constructor(bytesMax: () => number, heldBytes: () => number = () => process.memoryUsage.rss()) {
    this.bytesMax = bytesMax;
    this.heldBytes = heldBytes;
  }

  pressure(): number {
    return this.heldBytes() / this.bytesMax();
  }
}
