import type { RuntimeView } from '../core/runtime-view.ts';

/** A number counted over all workers. */
export interface SharedCount {
  load(): number;
  inc(): number;
  dec(): number;
  /** Adds one unless the number has reached `limit`. */
  tryInc(limit: number): boolean;
}

/** So many connections of one listener at one time, over all workers, as the runtime says; there is no other way to say it. */
export class ConnectionLimit {
  private readonly key: string;
  private readonly open: SharedCount;
  private readonly runtime: RuntimeView;

  constructor(listener: string, open: SharedCount, runtime: RuntimeView) {
    this.key = `envoy.resource_limits.listener.${listener}.connection_limit`;
    this.open = open;
    this.runtime = runtime;
  }

  get isReached(): boolean {
    const max = this.runtime.number(this.key, -1);
    return max >= 0 && this.open.load() >= max;
  }

  opened(): void {
    this.open.inc();
  }

  closed(): void {
    this.open.dec();
  }
}
