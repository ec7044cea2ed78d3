import { isDeepStrictEqual } from './core/deep-equal.ts';
import type { ClusterEnvironment } from './cluster/cluster-runtime.ts';
import { WorkerClusters } from './cluster/clusters.ts';
import { HealthMemory } from './cluster/health/health-memory.ts';
import { HostCounters } from './cluster/host/host-counters.ts';
import { WorkerLogs } from './control/worker-logs.ts';
import type { NodeData } from './control/bootstrap-data.ts';
import type { SnapshotData } from './control/snapshot-data.ts';
import { WorkerOverload } from './control/overload/overload-memory.ts';
import { RuntimeValues } from './control/runtime-view.ts';
import type {
  BoundListener,
  FromWorker,
  ListenerFailure,
  ListenerScope,
  ToWorker,
  WorkerInit,
} from './control/worker-messages.ts';
import type { HttpFilterBuilders } from './filter/builders.ts';
import { SecretStore } from './identity/secret-store.ts';
import { changesChainsOnly } from './listener/chains-only.ts';
import type { ListenerData } from './listener/listener-data.ts';
import type { Listener } from './listener/listener.ts';
import { ListenersByAddress } from './listener/listeners-by-address.ts';
import type { Address } from './core/peer.ts';
import type { Loop } from './net/loop.ts';
import { openNetwork } from './net/open-network.ts';
import { AccessLogFiles } from './observe/access-log/access-log-files.ts';
import { StatsEviction } from './filter/istio/stats/eviction.ts';
import { expressionKind, loadExpressions } from './observe/expression/expressions.ts';
import { SharedNumbers } from './observe/limit/shared-limit.ts';
import { WorkerStats } from './observe/stats/worker-stats.ts';
import { giveBackMemory } from './spare-memory.ts';
import { InternalNetwork } from './tunnel/internal/internal-network.ts';
import { RouteLookups } from './proxy/http/on-demand/route-lookups.ts';
import { TlsTransports } from './tls-transports.ts';
import { ListenerBuilder } from './traffic-builder.ts';

/** At the end collectors are told what they have not been told yet, if they take it so soon. */
const exportTimeMaxMs = 1000;

/** One worker: its event loop, its clusters, its listeners, and what the main thread says of them. */
export class TrafficThread {
  private readonly post: (message: FromWorker) => void;
  private readonly loop: Loop;
  private readonly shared: SharedNumbers;
  private readonly clusters: WorkerClusters;
  private readonly runtime: RuntimeValues;
  private readonly secrets: SecretStore;
  private readonly tls: TlsTransports;
  private readonly files: AccessLogFiles;
  private readonly filters: HttpFilterBuilders;
  private readonly builder: ListenerBuilder;
  private readonly routeLookups: RouteLookups;
  private readonly listeners: Map<string, Listener>;
  private readonly byAddress: ListenersByAddress;
  /** Listeners that were replaced or removed and still carry connections. */
  private readonly leaving: Set<Listener>;
  /** Likewise, of listeners that go on: updates of filter chains. */
  private chainsLeaving: number;
  private readonly drainTimeMs: number;
  private readonly node: NodeData;
  private readonly clustersToRemove: Set<string>;
  /** Where the numbers are that listeners count over all workers, by key. */
  private readonly numbers: Map<string, number>;
  /** What has come behind an update that is being applied, and must not overtake it; null: none is. */
  private behind: OrderedMessage[] | null;
  private isDraining: boolean;
  /** Admin's /healthcheck/fail: answers ask their clients to go, as in Envoy. */
  private isHealthFailed: boolean;
  /** Admin's /drain_listeners?graceful, and /drain_listeners: which listeners, those to come included. */
  private asked: ListenerScope;
  private stopped: ListenerScope;

  constructor(
    data: WorkerInit,
    localAddress: string,
    filters: HttpFilterBuilders,
    post: (message: FromWorker) => void,
  ) {
    this.post = post;
    const { network: outside, loop, backend, reason } = openNetwork(data.ioBackend, data.descriptors);
    const network = new InternalNetwork(outside, loop);
    post({ kind: 'io', backend, reason });
    this.loop = loop;
    const stats = new WorkerStats((batch) => post({ kind: 'stats', batch }));
    const { statsEvictionMs = 0 } = data;
    if (statsEvictionMs > 0) StatsEviction.begin(stats.root, loop.timers, loop.clock, statsEvictionMs);
    this.runtime = new RuntimeValues(data.runtime);
    this.secrets = new SecretStore();
    const logs = new WorkerLogs(data.logLevels, loop.clock, (message) => post({ kind: 'log', message }));
    this.tls = new TlsTransports(
      loop,
      this.secrets,
      data.ticketKeys,
      logs.component('connection'),
      data.name === 'worker_0',
    );
    this.files = new AccessLogFiles(data.fileFlushIntervalMs, stats.root);
    this.filters = filters;
    this.isDraining = false;
    this.isHealthFailed = false;
    this.asked = 'none';
    this.stopped = 'none';
    this.byAddress = new ListenersByAddress();
    this.routeLookups = new RouteLookups((question) => post({ kind: 'route-wanted', question }));
    this.builder = new ListenerBuilder({
      network,
      routeLookups: this.routeLookups,
      stats: stats.root,
      workerName: data.name,
      runtime: this.runtime,
      overload: data.overload === null ? null : new WorkerOverload(data.overload, stats.root, Math.random),
      filters: this.filters,
      tls: this.tls,
      node: data.node,
      localCluster: data.localCluster,
      localAddress,
      files: this.files,
      drain: { strategy: data.drainStrategy, timeMs: data.drainTimeMs },
      isDraining: () => this.isDraining,
      isHealthFailed: () => this.isHealthFailed,
      listeners: this.byAddress,
    });
    this.shared = new SharedNumbers(data.shared);
    const hostCounters = new HostCounters((message) => post({ kind: 'host-counters', message }));
    const environment: ClusterEnvironment = {
      ...this.builder.clusterEnvironment(this.shared, hostCounters),
      health: new HealthMemory(data.healthMemory),
      reportHost: (finding) => post({ kind: 'host-found', finding }),
      reportSighting: (sighting) => post({ kind: 'host-sighted', sighting }),
    };
    this.clusters = new WorkerClusters(
      environment,
      data.name,
      (question) => post({ kind: 'name-wanted', question }),
      (question) => post({ kind: 'cluster-wanted', question }),
    );
    this.builder.clusters = this.clusters;
    this.builder.lookups = this.clusters.lookups;
    this.listeners = new Map();
    this.leaving = new Set();
    this.chainsLeaving = 0;
    this.drainTimeMs = data.drainTimeMs;
    this.node = data.node;
    this.clustersToRemove = new Set();
    this.numbers = new Map();
    this.behind = null;
    this.builder.sharedNumber = (key) => this.shared.slot(this.numbers.get(key)!);
  }

  async handle(message: ToWorker): Promise<void> {
    if (this.behind !== null && mustWait(message)) this.behind.push(message);
    else if (message.kind === 'snapshot') await this.update(message.snapshot);
    else if (message.kind === 'stop') await this.stop();
    else this.take(message);
  }

  private take(message: Exclude<ToWorker, { kind: 'snapshot' | 'stop' }>): void {
    this.loop.enter();
    switch (message.kind) {
      case 'clusters':
        this.clusters.apply(message.changes);
        break;
      case 'health':
        this.clusters.onHealthChanged(message.cluster);
        break;
      case 'name-found':
        this.clusters.lookups.answered(message.question, message.end, message.details);
        break;
      case 'cluster-missing':
        this.clusters.onDemand.missing(message.name);
        break;
      case 'route-found':
        this.routeLookups.answered(message.question, message.isThere);
        break;
      case 'secrets':
        this.secrets.apply(message.changes);
        break;
      case 'workloads':
        this.builder.workloads.apply(message.changes);
        break;
      case 'runtime':
        this.runtime.update(message.entries);
        this.clusters.onRuntimeChanged();
        break;
      case 'overload':
        for (const listener of [...this.listeners.values(), ...this.leaving]) listener.overloadChanged();
        break;
      case 'shrink-heap':
        giveBackMemory();
        break;
      case 'drain':
        this.drain();
        break;
      case 'drain-listeners':
        this.drainListeners(message.scope, message.graceful);
        break;
      case 'health-failed':
        this.isHealthFailed = message.failed;
        break;
      case 'init':
      case 'extensions':
        break;
      case 'reopen-logs':
        this.files.reopen();
        break;
    }
    this.loop.leave();
  }

  private async stop(): Promise<void> {
    this.loop.enter();
    const isTold = this.builder.closeExporters(exportTimeMaxMs);
    this.loop.leave();
    await Promise.all([this.files.close(), isTold]);
    process.exit(0);
  }

  /** One update, and then whatever came meanwhile. */
  private async update(snapshot: SnapshotData): Promise<void> {
    const behind: OrderedMessage[] = [];
    this.behind = behind;
    await this.apply(snapshot);
    for (let next = behind.shift(); next !== undefined; next = behind.shift()) {
      if (next.kind === 'snapshot') await this.apply(next.snapshot);
      else this.take(next);
    }
    this.behind = null;
  }

  /** Builds first, then binds, then swaps: a failure leaves what was there. */
  private async apply(snapshot: SnapshotData): Promise<void> {
    const { version, clusters, routes, scopes, extensionConfigs, listeners, ports, extensions, numbers } = snapshot;
    if (extensions.length > 0) await this.load(extensions);
    this.loop.enter();
    // What is new comes before the listeners that use it; what is gone goes after those that used it.
    this.clusters.apply({ set: clusters.set, hosts: clusters.hosts, removed: [] });
    for (const { name } of clusters.set) this.clustersToRemove.delete(name);
    for (const name of clusters.removed) this.clustersToRemove.add(name);
    for (const [key, index] of Object.entries(numbers)) this.numbers.set(key, index);
    for (const { key, routes: data } of routes.set) this.builder.routes.set(key, data);
    for (const { key, scopes: list } of scopes.set) this.builder.scopes.set(key, { scopes: list });
    for (const { key, extension } of extensionConfigs.set) this.builder.extensions.set(key, extension);
    this.loop.leave();
    const bound: BoundListener[] = [];
    const failures: ListenerFailure[] = [];
    for (const data of listeners.set) {
      try {
        const addresses = await this.setListener(data, ports[data.name] ?? null);
        if (addresses !== null) bound.push({ name: data.name, addresses });
      } catch (error) {
        failures.push({ listener: data.name, message: (error as Error).message });
      }
    }
    for (const name of listeners.removed) {
      const listener = this.listeners.get(name);
      if (listener === undefined) continue;
      this.listeners.delete(name);
      this.letGo(listener);
    }
    for (const key of routes.removed) this.builder.routes.remove(key);
    for (const key of scopes.removed) this.builder.scopes.remove(key);
    for (const key of extensionConfigs.removed) this.builder.extensions.remove(key);
    if (listeners.set.length > 0 || listeners.removed.length > 0) this.byAddress.replace(this.listeners.values());
    this.removeClusters();
    this.post({ kind: 'applied', version, bound, failures });
  }

  /** Null: it is there already, or none may be. @throws Error where it cannot be built or bound */
  private async setListener(data: ListenerData, ports: readonly number[] | null): Promise<readonly Address[] | null> {
    if (isWithin(this.stopped, data)) return null;
    const before = this.listeners.get(data.name);
    if (before !== undefined && isDeepStrictEqual(before.data, data)) return null;
    if (before !== undefined && changesChainsOnly(before.data, data)) {
      this.chainsLeaving++;
      this.builder.replaceChains(before, data, this.drainTimeMs, () => {
        this.chainsLeaving--;
        this.removeClusters();
      });
      if (isWithin(this.asked, data)) before.askToFinish();
      return null;
    }
    const listener = this.builder.build(data);
    const addresses = await listener.open(ports, before ?? null);
    this.listeners.set(data.name, listener);
    if (isWithin(this.asked, data)) listener.askToFinish();
    if (before !== undefined) this.letGo(before);
    return addresses;
  }

  /** What clusters and listeners are made with comes before them: a cluster may be asked for as soon as it is there. */
  private async load(kinds: readonly string[]): Promise<void> {
    await this.tls.load(kinds);
    await this.filters.load(kinds);
    if (kinds.includes(expressionKind)) await loadExpressions(this.node);
    await this.builder.load(kinds);
  }

  private letGo(listener: Listener): void {
    this.leaving.add(listener);
    listener.retire(this.drainTimeMs, () => {
      this.leaving.delete(listener);
      this.removeClusters();
    });
  }

  /** Connections of a replaced listener still follow its routes, so their clusters stay until the last has gone. */
  private removeClusters(): void {
    if (this.leaving.size + this.chainsLeaving > 0 || this.clustersToRemove.size === 0) return;
    this.clusters.apply({ set: [], hosts: [], removed: [...this.clustersToRemove] });
    this.clustersToRemove.clear();
  }

  /** The process is ending. */
  private drain(): void {
    this.isDraining = true;
    this.clusters.drain();
    let left = 1;
    const done = (): void => {
      if (--left === 0) this.post({ kind: 'drained' });
    };
    for (const listener of [...this.listeners.values(), ...this.leaving]) {
      left++;
      listener.end(done);
    }
    done();
  }

  /** As Envoy: who is connected stays, unless asked to go before, and nobody else comes. */
  private drainListeners(scope: ListenerScope, graceful: boolean): void {
    if (graceful) this.asked = scope;
    else this.stopped = scope;
    for (const listener of this.listeners.values()) {
      if (!isWithin(scope, listener.data)) continue;
      if (graceful) listener.askToFinish();
      else listener.close();
    }
  }
}

/** What belongs to updates of the configuration, or refers to what they bring. */
type OrderedMessage = Extract<
  ToWorker,
  { kind: 'snapshot' | 'clusters' | 'secrets' | 'name-found' | 'cluster-missing' | 'route-found' }
>;

const orderedKinds: ReadonlySet<ToWorker['kind']> = new Set<OrderedMessage['kind']>([
  'snapshot',
  'clusters',
  'secrets',
  'name-found',
  'cluster-missing',
  'route-found',
]);

function mustWait(message: ToWorker): message is OrderedMessage {
  return orderedKinds.has(message.kind);
}

function isWithin(scope: ListenerScope, { trafficDirection }: ListenerData): boolean {
  return scope === 'all' || (scope === 'inbound' && trafficDirection === 'INBOUND');
}
