import type { Log } from '../../observe/log/log.ts';
import type { ProxyAdmin } from './proxy-admin.ts';

export interface TerminationOptions {
  readonly admin: ProxyAdmin;
  /** A workload's listeners for others are drained; its own calls go on until the end. */
  readonly isSidecar: boolean;
  /** `terminationDrainDuration`. */
  readonly drainMs: number;
  /** EXIT_ON_ZERO_ACTIVE_CONNECTIONS: the end comes with the last connection instead. */
  readonly exitsOnZero: boolean;
  /** MINIMUM_DRAIN_DURATION: how long it waits before it counts. */
  readonly minimumDrainMs: number;
  /** Listeners that do not count: those for the kubelet and the scraper. */
  readonly uncountedPorts: readonly number[];
  readonly wait: (ms: number) => Promise<void>;
  readonly log: Log;
}

const countEveryMs = 1000;
const failuresMax = 4;
const connections = 'usedonly&filter=downstream_cx_active$';

/** The proxy's end: drained first, for as long as is asked. */
export class Termination {
  private readonly options: TerminationOptions;
  private isDrained: boolean;

  constructor(options: TerminationOptions) {
    this.options = options;
    this.isDrained = false;
  }

  /** The end will not wait. */
  skip(): void {
    this.isDrained = true;
  }

  /** Drains, and goes on serving: the end that follows will not wait. */
  async drainNow(): Promise<void> {
    this.isDrained = true;
    await this.drain('&skip_exit');
  }

  /** Resolves when the proxy may end. */
  async run(): Promise<void> {
    const { drainMs, exitsOnZero, log, minimumDrainMs, wait } = this.options;
    if (this.isDrained) {
      log.info('drained already, exiting');
      return;
    }
    this.isDrained = true;
    await this.drain('&skip_exit');
    log.info(
      exitsOnZero
        ? `draining for ${minimumDrainMs / 1000} s, then until there are no connections`
        : `draining for ${drainMs / 1000} s`,
    );
    await wait(exitsOnZero ? minimumDrainMs : drainMs);
    if (exitsOnZero) await this.untilIdle();
  }

  private async drain(more: string): Promise<void> {
    const { admin, isSidecar, log } = this.options;
    try {
      await admin.post(`drain_listeners?${isSidecar ? 'inboundonly&' : ''}graceful${more}`);
    } catch (error) {
      log.warn(`the listeners cannot be drained: ${(error as Error).message}`);
    }
  }

  private async untilIdle(): Promise<void> {
    const { log, wait } = this.options;
    for (let failures = 0; failures <= failuresMax;) {
      await wait(countEveryMs);
      try {
        const count = await this.count();
        if (count === 0) return;
        log.info(`there are still ${count} connections`);
        failures = 0;
      } catch (error) {
        failures++;
        log.warn(`connections cannot be counted: ${(error as Error).message}`);
      }
    }
  }

  private async count(): Promise<number> {
    const { admin, uncountedPorts } = this.options;
    const stats = await admin.stats(connections);
    const uncounted = new Set(uncountedPorts.map((port) => `listener.0.0.0.0_${port}.downstream_cx_active`));
    let sum = 0;
    for (const [name, value] of stats) {
      if (!name.startsWith('listener.') || name.includes('worker_') || uncounted.has(name)) continue;
      if (name.startsWith('listener.admin.') || name.startsWith('listener.envoy_internal_')) continue;
      sum += Number(value);
    }
    return sum;
  }
}
