import type { Timed } from '../../../core/clock.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import { isFlagOn } from '../../../core/runtime-view.ts';
import { OwnCount } from '../../../observe/limit/shared-limit.ts';
import type { Counter, Gauge } from '../../../observe/stats/stats.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';
import { connectionLimitKind, type ConnectionLimitData } from './connection-limit-data.ts';

class ConnectionLimits implements NetworkFilterFactory {
  readonly data: ConnectionLimitData;
  readonly tools: NetworkFilterTools;
  /** Of all workers, those that wait to be closed too. */
  readonly open: { inc(): number; dec(): number };
  readonly limited: Counter;
  readonly active: Gauge;

  constructor(data: ConnectionLimitData, tools: NetworkFilterTools) {
    this.data = data;
    this.tools = tools;
    this.open = tools.sharedNumber?.() ?? new OwnCount();
    const stats = tools.stats.scope('connection_limit').scope(data.statPrefix);
    this.limited = stats.counter('limited_connections');
    this.active = stats.gauge('active_connections');
  }

  create(): NetworkFilter {
    return new ConnectionLimit(this);
  }
}

/** `envoy.filters.network.connection_limit`: connections too many are closed, at once or after a delay. */
class ConnectionLimit implements NetworkFilter, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly limits: ConnectionLimits;
  private isCounted: boolean;
  /** That is to be closed; null: it may stay. */
  private rejected: FilteredStream | null;

  constructor(limits: ConnectionLimits) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.limits = limits;
    this.isCounted = false;
    this.rejected = null;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    const { data, tools, open, active, limited } = this.limits;
    if (!isFlagOn(tools.runtime, data.enabled)) return NetworkVerdict.Continue;
    this.isCounted = true;
    active.inc();
    if (open.inc() <= data.maxConnections) return NetworkVerdict.Continue;
    limited.inc();
    stream.notes.flags |= ResponseFlag.UpstreamRetryLimitExceeded;
    this.rejected = stream;
    if (data.delayMs > 0) tools.timers.schedule(this, tools.clock.now + data.delayMs);
    else this.tick();
    return NetworkVerdict.Stop;
  }

  tick(): void {
    this.rejected?.close('over_connection_limit');
  }

  onClosed(): void {
    const { tools, open, active } = this.limits;
    tools.timers.cancel(this);
    if (!this.isCounted) return;
    this.isCounted = false;
    open.dec();
    active.dec();
  }
}

export const connectionLimitBuilder: NetworkFilterBuilder = {
  kind: connectionLimitKind,
  build: (data, tools) => new ConnectionLimits(data as ConnectionLimitData, tools),
};
