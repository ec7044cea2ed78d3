import type { RuntimeView } from './core/runtime-view.ts';
import { buildMonitor } from './control/overload/monitor/build.ts';
import { Overload } from './control/overload/overload.ts';
import type { OverloadData } from './control/overload/overload-data.ts';
import type { OverloadInit } from './control/overload/overload-memory.ts';
import { downstreamConnectionsKey } from './control/shared-number-keys.ts';
import type { ToWorker } from './control/worker-messages.ts';
import type { Log } from './observe/log/log.ts';
import type { SharedNumberDirectory } from './observe/limit/shared-limit.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import { giveBackMemory } from './spare-memory.ts';

/** What of the process the overload manager needs. */
export interface OverloadProcess {
  /** The root scope. */
  readonly stats: StatsScope;
  readonly log: Log;
  readonly runtime: RuntimeView;
  readonly numbers: SharedNumberDirectory;
  readonly postAll: (message: ToWorker) => void;
}

/**
 * The process's overload manager; null: none is configured.
 * @throws Error where this machine does not have a resource that is to be monitored
 */
export function openOverload(data: OverloadData | null, process: OverloadProcess): Overload | null {
  if (data === null) return null;
  const { stats, log, runtime, numbers, postAll } = process;
  return new Overload(data, {
    stats,
    log,
    monitorOf: ({ resource }) => buildMonitor(resource, runtime),
    connections: () => numbers.load(downstreamConnectionsKey),
    onTimers: () => postAll({ kind: 'overload' }),
    shrinkHeap: () => {
      giveBackMemory();
      postAll({ kind: 'shrink-heap' });
    },
  });
}

/** What a worker is told of it at its start. */
export function overloadInit(overload: Overload | null): OverloadInit | null {
  return overload === null ? null : { shared: overload.memory.shared, data: overload.data };
}
