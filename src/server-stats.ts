import { isDeepStrictEqual } from './core/deep-equal.ts';
import type { ServerState } from './admin/admin-source.ts';
import { ClusterStats } from './control/resources/cluster-stats.ts';
import { ListenerStats } from './control/resources/listeners/listener-stats.ts';
import type { ListenerData } from './listener/listener-data.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import type { StatsStore } from './observe/stats/stats-store.ts';

/** What the process is, as `ServerStats` shows it. */
export interface ServerFacts {
  readonly concurrency: number;
  /** `major.minor.patch`. */
  readonly version: string;
  state(): ServerState;
  /** 4294967295: there are no certificates. */
  daysUntilFirstCertExpiring(): number;
}

/** `server.state`. */
const stateNumbers: Readonly<Record<ServerState, number>> = {
  LIVE: 0,
  DRAINING: 1,
  PRE_INITIALIZING: 2,
  INITIALIZING: 3,
};

/** Nothing here moves them; Envoy has them from the start. */
const idleCounters = {
  server: ['debug_assertion_failures', 'dropped_stat_flushes', 'envoy_bug_failures', 'envoy_notifications'],
};

/** `server.*`, `listener_manager.*` and `cluster_manager.*`: what only the main thread knows. */
export class ServerStats {
  private readonly server: StatsScope;
  readonly listenerManager: ListenerStats;
  readonly clusterManager: ClusterStats;
  /** By name. */
  private listenersKnown: ReadonlyMap<string, ListenerData>;

  constructor(root: StatsScope, store: StatsStore, facts: ServerFacts) {
    const server = root.scope('server');
    this.server = server;
    this.listenerManager = new ListenerStats(root);
    this.clusterManager = new ClusterStats(root);
    this.warming(0);
    this.listenersKnown = new Map();
    // Envoy writes zeros into them, which counts as used.
    for (const name of ['dynamic_unknown_fields', 'static_unknown_fields', 'wip_protos']) server.counter(name).add(0);
    for (const [prefix, names] of Object.entries(idleCounters)) {
      for (const name of names) root.scope(prefix).counter(name);
    }
    server.scope('compilation_settings').gauge('fips_mode').set(0);
    server.gauge('concurrency').set(facts.concurrency);
    server.gauge('hot_restart_epoch');
    server.gauge('live').set(0);
    server.gauge('parent_connections');
    server.gauge('version').set(versionNumber(facts.version));
    store.gaugeFrom('server.days_until_first_cert_expiring', () => facts.daysUntilFirstCertExpiring());
    store.gaugeFrom('server.state', () => stateNumbers[facts.state()]);
    store.gaugeFrom('server.uptime', () => Math.floor(performance.now() / 1000));
    store.gaugeFrom('server.memory_allocated', () => process.memoryUsage().heapUsed);
    store.gaugeFrom('server.memory_heap_size', () => process.memoryUsage().heapTotal);
    store.gaugeFrom('server.memory_physical_size', () => process.memoryUsage.rss());
  }

  /** The workers have taken `list`; `failures` of them could not be. */
  listeners(list: readonly ListenerData[], failures: number): void {
    const before = this.listenersKnown;
    const changed = list.filter((data) => !isDeepStrictEqual(before.get(data.name), data));
    const names = changed.map(({ name }) => name);
    this.listenerManager.static(list, names, new Set(before.keys()), failures);
    this.listenersKnown = new Map(list.map((data) => [data.name, data]));
  }

  /** What a newer configuration waits for while the one before serves on; what a start waits for does not count, as in Envoy. */
  warming(listeners: number): void {
    this.listenerManager.staticWarming(listeners);
  }

  /** By /drain_listeners. */
  listenersStopped(count: number): void {
    this.listenerManager.stopped.add(count);
  }

  started(): void {
    this.listenerManager.workersStarted.set(1);
    this.server.gauge('live').set(1);
    this.server.histogram('initialization_time_ms').record(performance.now());
  }
}

/** `1.2.3` is 1 002 003. */
function versionNumber(version: string): number {
  const [major, minor, patch] = version.split('.').map((part) => parseInt(part, 10) || 0);
  return (major * 1000 + minor) * 1000 + patch;
}
