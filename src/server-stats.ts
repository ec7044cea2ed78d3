import type { Counter, Gauge, StatsScope } from './observe/stats.ts';
import type { StatsStore } from './observe/stats-store.ts';

/** `server.*`, `listener_manager.*` and `cluster_manager.*`: what only the main thread knows. */
export class ServerStats {
  private readonly listenersActive: Gauge;
  private readonly listenerAdded: Counter;
  private readonly listenerCreateSuccess: Counter;
  private readonly listenerCreateFailure: Counter;
  private readonly listenerStopped: Counter;
  private readonly clustersActive: Gauge;
  private readonly clusterAdded: Counter;
  private readonly initializationMs: StatsScope;
  private knownListeners: number;
  private knownClusters: number;

  constructor(root: StatsScope, store: StatsStore, concurrency: number) {
    const server = root.scope('server');
    const listenerManager = root.scope('listener_manager');
    const clusterManager = root.scope('cluster_manager');
    this.listenersActive = listenerManager.gauge('total_listeners_active');
    this.listenerAdded = listenerManager.counter('listener_added');
    this.listenerCreateSuccess = listenerManager.counter('listener_create_success');
    this.listenerCreateFailure = listenerManager.counter('listener_create_failure');
    this.listenerStopped = listenerManager.counter('listener_stopped');
    this.clustersActive = clusterManager.gauge('active_clusters');
    this.clusterAdded = clusterManager.counter('cluster_added');
    this.initializationMs = server;
    this.knownListeners = 0;
    this.knownClusters = 0;
    for (const name of ['listener_modified', 'listener_removed', 'listener_in_place_updated']) {
      listenerManager.counter(name);
    }
    for (const name of [
      'total_listeners_warming',
      'total_listeners_draining',
      'total_filter_chains_draining',
      'workers_started',
    ]) {
      listenerManager.gauge(name);
    }
    for (const name of ['cluster_modified', 'cluster_removed', 'cluster_updated']) clusterManager.counter(name);
    clusterManager.gauge('warming_clusters');
    for (const name of [
      'static_unknown_fields',
      'dynamic_unknown_fields',
      'wip_protos',
      'debug_assertion_failures',
      'envoy_bug_failures',
    ]) {
      server.counter(name);
    }
    server.gauge('concurrency').set(concurrency);
    server.gauge('days_until_first_cert_expiring').set(4294967295);
    server.gauge('hot_restart_epoch').set(0);
    server.gauge('live').set(0);
    server.gauge('parent_connections').set(0);
    store.gaugeFrom('server.uptime', () => Math.floor(performance.now() / 1000));
    store.gaugeFrom('server.memory_allocated', () => process.memoryUsage().heapUsed);
    store.gaugeFrom('server.memory_heap_size', () => process.memoryUsage().heapTotal);
    store.gaugeFrom('server.memory_physical_size', () => process.memoryUsage.rss());
  }

  clusters(count: number): void {
    if (count > this.knownClusters) this.clusterAdded.add(count - this.knownClusters);
    this.knownClusters = count;
    this.clustersActive.set(count);
  }

  listeners(count: number, failures: number): void {
    if (count > this.knownListeners) {
      this.listenerAdded.add(count - this.knownListeners);
      this.listenerCreateSuccess.add(count - this.knownListeners);
    }
    this.knownListeners = count;
    this.listenerCreateFailure.add(failures);
    this.listenersActive.set(count);
  }

  /** By /drain_listeners. */
  listenersStopped(count: number): void {
    this.listenerStopped.add(count);
  }

  started(): void {
    this.initializationMs.gauge('live').set(1);
    this.initializationMs.histogram('initialization_time_ms').record(performance.now());
  }
}
