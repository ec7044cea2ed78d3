import type { App } from './app.ts';
import { isEqualButForHosts } from './cluster/cluster-changes.ts';
import type { ClusterData, HostData } from './cluster/cluster-data.ts';
import { ClusterChecker } from './cluster/health/checker.ts';
import { EventLines } from './cluster/health/event-lines.ts';
import { isWatched } from './cluster/health/health-slots.ts';
import type { ProbeWords } from './cluster/health/probe/probe.ts';
import { WatchedHost } from './cluster/health/watched-host.ts';
import { activeFlags, HealthFlag } from './cluster/host/host-health.ts';
import { hostKeys } from './cluster/host/host-key.ts';
import { OutlierDetector } from './cluster/outlier/detector.ts';
import type { HostFinding } from './cluster/outlier/outlier-data.ts';
import { buildTransports } from './cluster/transport/build.ts';
import type { SecretChanges } from './control/sds/secret-changes.ts';
import type { RequestHead } from './core/head.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import { SecretStore } from './identity/secret-store.ts';
import type { Loop } from './net/loop.ts';
import { NodeNetwork } from './net/node-network.ts';
import type { UpstreamTransport } from './net/transport.ts';
import { AccessLogFiles } from './observe/access-log/access-log-files.ts';
import { compileFormat } from './observe/format/format.ts';
import type { LogFile } from './observe/access-log/log-file.ts';
import { Outcome } from './observe/outcome.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import { HeaderMutations } from './route/mutate/header-mutations.ts';
import type { HeaderMutationsData } from './route/route-data.ts';
import type { StringMatcherData } from './route/match/matcher-data.ts';
import { StringMatcher } from './route/match/string-matcher.ts';
import { TlsTransports } from './tls-transports.ts';

/** A cluster whose hosts are watched. */
interface WatchedCluster {
  readonly data: ClusterData;
  readonly transports: readonly UpstreamTransport[];
  readonly checker: ClusterChecker | null;
  readonly detector: OutlierDetector | null;
  /** By key. */
  hosts: Map<string, WatchedHost>;
}

/** Active checks and outlier detection of the process. Loaded where a configuration has any. */
export class ProcessHealth {
  private readonly app: App;
  private readonly loop: Loop;
  private readonly runtime: RuntimeView;
  private readonly network: NodeNetwork;
  private readonly secrets: SecretStore;
  private readonly tls: TlsTransports;
  private readonly files: AccessLogFiles;
  private readonly clusters: Map<string, WatchedCluster>;
  /** Clusters that the workers are to look at, once this turn is over. */
  private readonly changed: Set<string>;

  constructor(app: App, loop: Loop, runtime: RuntimeView, ticketKeys: readonly Uint8Array[]) {
    const { environment, secrets, ownStats } = app;
    this.app = app;
    this.loop = loop;
    this.runtime = runtime;
    this.network = new NodeNetwork(loop);
    this.secrets = new SecretStore();
    this.tls = new TlsTransports(loop, this.secrets, ticketKeys, environment.logs.component('health_checker'), false);
    this.files = new AccessLogFiles(environment.options.fileFlushIntervalMs, ownStats.root);
    this.clusters = new Map();
    this.changed = new Set();
    if (secrets !== null) this.secrets.apply(secrets.everything());
  }

  /** What clusters are made with, before they are set. `kinds`: message names that a configuration has. */
  load(kinds: readonly string[]): Promise<void> {
    return this.tls.load(kinds);
  }

  /** Watches the hosts as this says, if at all. What is watched as before goes on. Resolves when each has been checked once. */
  async set(data: ClusterData): Promise<void> {
    const { name } = data;
    this.loop.enter();
    const known = this.clusters.get(name);
    if (known === undefined || !isEqualButForHosts(data, known.data)) {
      if (known !== undefined) close(known);
      if (isWatched(data)) this.clusters.set(name, this.open(data));
      else this.clusters.delete(name);
    }
    this.update(name, data.hosts);
    this.loop.leave();
    await this.clusters.get(name)?.checker?.whenWarm();
  }

  remove(name: string): void {
    const known = this.clusters.get(name);
    this.clusters.delete(name);
    if (known !== undefined) close(known);
  }

  /** The hosts of a cluster are these now. */
  update(name: string, list: readonly HostData[]): void {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) return;
    const keys = hostKeys(list);
    const hosts = new Map<string, WatchedHost>();
    for (const [i, data] of list.entries()) {
      const known = cluster.hosts.get(keys[i]);
      const stays = known !== undefined && known.slot === data.healthSlot;
      const host = stays ? known : this.watch(cluster, keys[i], data);
      host.data = data;
      hosts.set(host.key, host);
    }
    cluster.hosts = hosts;
    cluster.detector?.update([...hosts.values()]);
    cluster.checker?.update([...hosts.values()]);
  }

  /** A worker has seen something. */
  found({ cluster, host, what }: HostFinding): void {
    const watched = this.clusters.get(cluster);
    this.loop.enter();
    if (what === 'immediate_failure') watched?.checker?.failPassively(host);
    else if (what === 'degraded') watched?.detector?.onDegraded(host);
    else watched?.detector?.onConsecutive(host, what);
    this.loop.leave();
  }

  takeSecrets(changes: SecretChanges): void {
    this.secrets.apply(changes);
  }

  /** For `/clusters`; null: nobody detects outliers there. */
  detectorOf(cluster: string): OutlierDetector | null {
    return this.clusters.get(cluster)?.detector ?? null;
  }

  reopenLogs(): void {
    this.files.reopen();
  }

  async stop(): Promise<void> {
    for (const cluster of this.clusters.values()) close(cluster);
    this.clusters.clear();
    await this.files.close();
  }

  private open(data: ClusterData): WatchedCluster {
    const { loop, runtime, network } = this;
    const { clock, timers } = loop;
    const scope = this.app.ownStats.root.scope('cluster').scope(data.statName);
    const common = { clock, timers, random: Math.random, runtime, scope };
    const { name, healthCheck = null, outlier = null } = data;
    const transports = healthCheck === null ? [] : this.transportsOf(data, scope, network);
    const lines = (paths: readonly string[]): EventLines => new EventLines(this.openLogs(paths), clock);
    const detector =
      outlier === null
        ? null
        : new OutlierDetector(outlier, { ...common, lines: lines(outlier.eventLog === '' ? [] : [outlier.eventLog]) });
    const checker =
      healthCheck === null
        ? null
        : new ClusterChecker(data, healthCheck, {
            ...common,
            lines: lines(healthCheck.eventLogs),
            words: this.words(),
            transports,
            isUsed: () => this.app.hostReports.hasBeenUsed(name),
            onResult: (host, isHealthy) => this.checked(host, isHealthy),
          });
    return { data, transports, checker, detector, hosts: new Map() };
  }

  private transportsOf(
    { transports, metadata }: ClusterData,
    scope: StatsScope,
    network: NodeNetwork,
  ): UpstreamTransport[] {
    return buildTransports(transports, {
      network,
      txBytes: () => scope.counter('upstream_cx_tx_bytes_total'),
      noMetadata: () => scope.scope('internal_upstream').counter('no_metadata'),
      metadata,
      buildTls: (tls, over) => this.tls.upstream(tls, over, scope),
    });
  }

  private openLogs(paths: readonly string[]): LogFile[] {
    return paths.flatMap((path) => {
      try {
        return [this.files.open(path)];
      } catch (error) {
        this.app.environment.logs
          .component('health_checker')
          .error(`${(error as Error).message}: its events are not logged`);
        return [];
      }
    });
  }

  private watch({ data }: WatchedCluster, key: string, host: HostData): WatchedHost {
    const watched = new WatchedHost(data.name, key, host, this.app.healthSlots.memory, (name) => this.tell(name));
    if ((data.healthCheck ?? null) === null || host.healthCheck?.isDisabled === true) watched.clear(activeFlags);
    return watched;
  }

  private checked(host: WatchedHost, isHealthy: boolean): void {
    if (isHealthy) this.clusters.get(host.cluster)?.detector?.onCheckPassed(host);
    else if (host.has(HealthFlag.PendingRemoval) && host.has(HealthFlag.FailedActiveCheck))
      // Its session is still at work.
      queueMicrotask(() => this.app.directory.removeHost(host.cluster, host.key));
  }

  /** Once for all changes of this turn. */
  private tell(cluster: string): void {
    if (this.changed.size === 0) queueMicrotask(() => this.tellWorkers());
    this.changed.add(cluster);
  }

  private tellWorkers(): void {
    const names = [...this.changed];
    this.changed.clear();
    for (const cluster of names) {
      this.app.workers.postAll({ kind: 'health', cluster });
      this.app.own?.onHealthChanged(cluster);
    }
  }

  private words(): ProbeWords {
    return {
      headers: (data) => {
        if (data === null) return null;
        const mutations = new HeaderMutations(data as HeaderMutationsData, 'request', (format, omitEmptyValues) =>
          compileFormat(format, { omitEmptyValues }),
        );
        return (head: RequestHead) => mutations.apply(head.headers, this.outcomeOf(head));
      },
      string: (data) => {
        const matcher = new StringMatcher(data as StringMatcherData);
        return (text) => matcher.matches(text);
      },
    };
  }

  /** What formats of headers are filled from. */
  private outcomeOf(head: RequestHead): Outcome {
    const outcome = new Outcome();
    outcome.startEpochMs = this.loop.clock.epochMs;
    outcome.startMs = this.loop.clock.now;
    outcome.requestHead = head;
    return outcome;
  }
}

function close({ checker, detector, transports }: WatchedCluster): void {
  checker?.stop();
  detector?.stop();
  for (const transport of transports) transport.release?.();
}
