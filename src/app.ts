import { isDeepStrictEqual } from './core/deep-equal.ts';
import type { ServerState } from './admin/admin-source.ts';
import type { ClusterDirectory } from './cluster/cluster-directory.ts';
import { HealthMemory } from './cluster/health/health-memory.ts';
import { HealthSlots } from './cluster/health/health-slots.ts';
import { HostReports } from './cluster/host/host-report.ts';
import type { Options } from './cli/options.ts';
import { version } from './cli/version.ts';
import type { Configuration } from './control/configuration.ts';
import type { Overload } from './control/overload/overload.ts';
import { Runtime } from './control/runtime.ts';
import { RuntimeValues } from './control/runtime-view.ts';
import { ListenerDrain } from './control/listener-drain.ts';
import type { FromWorker, ListenerScope, WorkerInit } from './control/worker-messages.ts';
import { writeWorkerLog } from './control/worker-logs.ts';
import type { Workers, WorkersListener } from './control/workers.ts';
import { DescriptorTable } from './net/uring/descriptor-table.ts';
import { Loop } from './net/loop.ts';
import type { LogLevels } from './observe/log/log-levels.ts';
import type { Log, Logs } from './observe/log/log.ts';
import { SharedNumberDirectory } from './observe/limit/shared-limit.ts';
import { StatsStore } from './observe/stats/stats-store.ts';
import { WorkerStats } from './observe/stats/worker-stats.ts';
import { nodeMessage } from './node-message.ts';
import { Distribution } from './distribution.ts';
import type { OwnClusters } from './own-clusters.ts';
import type { CertificatesInUse } from './certificates-in-use.ts';
import type { SecretSourceData } from './identity/secret-source-data.ts';
import { namesTls } from './identity/tls-context-kinds.ts';
import type { ProcessListeners } from './process-listeners.ts';
import type { ProcessHealth } from './process-health.ts';
import { ProcessClusters } from './process-clusters.ts';
import { listenerOwner } from './resource-owners.ts';
import type { ProcessSecrets } from './process-secrets.ts';
import type { RuntimeLayers } from './control/resources/runtime-layers.ts';
import { ProcessAdmin } from './process-admin.ts';
import { closeLeftOpen, insistOnUring, ioLine } from './io-backend.ts';
import { openOverload, overloadInit } from './process-overload.ts';
import { openWorkloads } from './process-workloads.ts';
import { ServerStats } from './server-stats.ts';
import { TicketKeys } from './ticket-keys.ts';

export type Accepted = Extract<Configuration, { isRefused: false }>;

/** The outside of the process, as `main.ts` found it. */
export interface AppEnvironment {
  readonly options: Options;
  readonly concurrency: number;
  readonly logs: Logs & { reopen(): void };
  readonly logLevels: LogLevels;
  readonly version: string;
  /** Module that a worker thread runs. */
  readonly workerEntry: URL;
  /** Asked to end: by a signal, or by the admin. */
  readonly exit: (status: number) => void;
}

/** The process: the main thread's parts and the workers, wired together. */
export class App implements WorkersListener {
  readonly environment: AppEnvironment;
  readonly stats: StatsStore;
  readonly ownStats: WorkerStats;
  readonly clusters: ProcessClusters;
  readonly hostReports: HostReports;
  readonly healthSlots: HealthSlots;
  readonly runtime: Runtime;
  /** Null: none is configured. */
  readonly overload: Overload | null;
  readonly workers: Workers;
  readonly distribution: Distribution;
  readonly serverStats: ServerStats;
  readonly listenerDrain: ListenerDrain;
  /** The newest; what it waits for may not be there yet. */
  configuration: Accepted;
  /** Null: nothing of the process's own has needed one. */
  own: OwnClusters | null;
  private openingOwn: Promise<OwnClusters> | null;
  /** Null: none has named listeners or parts of them that must be fetched. */
  listeners: ProcessListeners | null;
  /** Null: none has had layers of the runtime that must be fetched. */
  runtimeLayers: RuntimeLayers | null;
  private workloads: Awaited<ReturnType<typeof openWorkloads>>;
  /** Null: none has named a secret that must be fetched. */
  secrets: ProcessSecrets | null;
  /** Null: none has had hosts watched. */
  health: ProcessHealth | null;
  /** Null: none has named a TLS context. */
  certificates: CertificatesInUse | null;
  state: ServerState;
  configuredAtMs: number;
  isFailingHealthchecks: boolean;
  private readonly log: Log;
  private readonly shared: SharedNumberDirectory;
  private readonly loop: Loop;
  /** The configuration that the workers have; null: none yet. */
  private published: Accepted | null;
  /** Ends the wait for what a newer configuration needs, which comes after all. */
  supersede: (() => void) | null;
  private readonly ticketKeys: TicketKeys;
  private readonly drained: Set<number>;
  /** What each worker has open: `DescriptorTable.shared`. */
  private readonly descriptors: SharedArrayBuffer[];
  private whenDrained: (() => void) | null;
  private admin: ProcessAdmin | null;
  private readonly runtimeValues: RuntimeValues;
  private flushTimer: NodeJS.Timeout | null;

  constructor(environment: AppEnvironment, configuration: Accepted, workers: Workers) {
    this.environment = environment;
    this.configuration = configuration;
    this.log = environment.logs.component('main');
    this.stats = new StatsStore(configuration.data.stats);
    this.ownStats = new WorkerStats((batch) => this.stats.receive('main_thread', batch));
    this.shared = new SharedNumberDirectory();
    this.loop = new Loop();
    this.hostReports = new HostReports();
    this.healthSlots = new HealthSlots(new HealthMemory());
    this.distribution = new Distribution(workers, this.shared);
    this.state = 'PRE_INITIALIZING';
    this.configuredAtMs = Date.now();
    this.isFailingHealthchecks = false;
    this.published = null;
    this.supersede = null;
    this.own = null;
    this.openingOwn = null;
    this.listeners = null;
    this.runtimeLayers = null;
    this.workloads = null;
    this.secrets = null;
    this.health = null;
    this.certificates = null;
    this.ticketKeys = new TicketKeys();
    this.drained = new Set();
    this.descriptors = [];
    this.whenDrained = null;
    this.admin = null;
    this.runtimeValues = new RuntimeValues();
    this.flushTimer = null;
    const { root } = this.ownStats;
    this.serverStats = new ServerStats(root, this.stats, {
      concurrency: environment.concurrency,
      version,
      state: () => this.serverState,
      daysUntilFirstCertExpiring: () => this.certificates?.daysUntilFirstExpiry(Date.now()) ?? 4_294_967_295,
    });
    this.runtime = new Runtime(
      configuration.data.runtimeLayers,
      root,
      environment.logs.component('runtime'),
      (entries) => {
        this.runtimeValues.update(entries);
        this.own?.onRuntimeChanged();
        this.workers.postAll({ kind: 'runtime', entries });
      },
    );
    this.runtimeValues.update(this.runtime.merged);
    this.overload = openOverload(configuration.data.overload, {
      stats: root,
      log: environment.logs.component('main'),
      runtime: this.runtimeValues,
      numbers: this.shared,
      postAll: (message) => this.workers.postAll(message),
    });
    this.clusters = new ProcessClusters(this, this.loop, this.runtimeValues, this.shared);
    this.stats.addSource(this.directory);
    this.workers = workers;
    this.listenerDrain = new ListenerDrain(
      environment.options.drainTimeMs,
      (message) => workers.postAll(message),
      (scope) => this.serverStats.listenersStopped(this.listenersWithin(scope)),
    );
    workers.listener = this;
    for (let index = 0; index < this.workers.count; index++) {
      this.descriptors.push(new DescriptorTable().shared);
      this.initialize(index);
    }
  }

  get directory(): ClusterDirectory {
    return this.clusters.directory;
  }

  /** As the admin and the stats show it. */
  get serverState(): ServerState {
    return this.isFailingHealthchecks && this.state === 'LIVE' ? 'DRAINING' : this.state;
  }

  /** Admin first, then what clusters wait for, then what listeners wait for: as Envoy starts. */
  async start(): Promise<void> {
    if (this.environment.options.ioBackend === 'io_uring') await insistOnUring();
    this.admin = await ProcessAdmin.open(this, this.runtimeValues);
    await this.loadTls();
    await this.clusters.start(this.configuration);
    this.workloads = await openWorkloads(this, this.loop);
    this.state = 'INITIALIZING';
    await this.warmListeners();
    const failures = await this.distribute();
    if (failures.length > 0) throw new Error(failures.join('\n'));
    this.runtime.watch();
    this.overload?.start(performance.now());
    this.flushTimer = setInterval(() => this.stats.flush(), this.configuration.data.statsFlushMs).unref();
    this.state = 'LIVE';
    this.serverStats.started();
    this.log.info(`all dependencies initialized. starting workers: ${this.workers.count}`);
  }

  /**
   * Another configuration takes the place of the one in force, when all that it names is there.
   * @returns what could not be applied; null: a newer one came before it (`supersede`)
   */
  async replace(configuration: Accepted): Promise<readonly string[] | null> {
    this.warnOfWhatStays(configuration);
    this.configuration = configuration;
    this.configuredAtMs = Date.now();
    const { promise: superseded, resolve } = Promise.withResolvers<'superseded'>();
    this.supersede = () => resolve('superseded');
    this.serverStats.warming(configuration.data.secrets.ofListeners.size);
    const outcome = await Promise.race([superseded, this.warm()]);
    this.supersede = null;
    this.serverStats.warming(0);
    if (outcome === 'superseded') return null;
    const { runtimeLayers } = configuration.data;
    if (!isDeepStrictEqual(runtimeLayers, this.published?.data.runtimeLayers)) this.runtime.replace(runtimeLayers);
    return this.distribute();
  }

  /** What is read at the start only. */
  private warnOfWhatStays({ data }: Accepted): void {
    const before = this.configuration.data;
    const said = 'has changed, which holds after a restart only';
    if (!isDeepStrictEqual(data.overload, before.overload)) this.log.warn(`overload_manager ${said}`);
    if (!isDeepStrictEqual(data.dynamic, before.dynamic)) this.log.warn(`dynamic_resources ${said}`);
  }

  /** All clusters, then what listeners wait for. */
  private async warm(): Promise<void> {
    await this.loadTls();
    await this.clusters.replace(this.configuration);
    await this.warmListeners();
  }

  /** What the process's own connections are made with, where the configuration has any. */
  private async loadTls(): Promise<void> {
    const { extensions } = this.configuration;
    if (namesTls(extensions)) await this.openCertificates();
    await Promise.all([this.own?.load(extensions), this.health?.load(extensions)]);
  }

  /** As Envoy: what listeners need is asked for when the clusters are there. */
  private async warmListeners(): Promise<void> {
    const { data } = this.configuration;
    if (this.runtimeLayers !== null || data.runtimeLayers.some(({ kind }) => kind === 'rtds'))
      await (await import('./process-runtime.ts')).warmRuntime(this, this.loop);
    const { ofListeners } = data.secrets;
    const secrets = data.listeners.map(({ name }) =>
      this.warmSecrets(listenerOwner(name), ofListeners.get(name) ?? []),
    );
    if (data.listenerNeeds.size > 0 || data.dynamic.lds !== null) {
      const { openListeners } = await import('./process-listeners.ts');
      this.listeners ??= await openListeners(this, this.loop);
    }
    this.listeners?.replace(this.configuration);
    await Promise.all([...secrets, this.listeners?.whenReady()]);
  }

  /** `owner` needs these from now on. Resolves when it need not wait for any of them. */
  async warmSecrets(owner: string, sources: readonly SecretSourceData[]): Promise<void> {
    if (this.secrets === null && sources.length === 0) return;
    const secrets = this.secrets ?? (await this.openSecrets());
    secrets.need(owner, sources);
    await secrets.whenReady(owner);
  }

  /** Nothing that serves is made of those any more that nobody needs; but for a configuration that is being replaced. */
  forgetSecrets(): void {
    if (this.supersede === null) this.secrets?.forget();
  }

  /** Before what a control plane says is decoded. */
  private async prepare(kinds: readonly string[]): Promise<void> {
    if (namesTls(kinds)) await this.openCertificates();
    await Promise.all([this.configuration.decoding.extensions.load?.(kinds), this.health?.load(kinds)]);
  }

  private async openCertificates(): Promise<void> {
    if (this.certificates !== null) return;
    this.ticketKeys.make();
    const { CertificatesInUse } = await import('./certificates-in-use.ts');
    this.certificates = new CertificatesInUse(
      () => ({ listeners: this.distribution.listeners.values(), clusters: this.directory.current() }),
      () => this.secrets,
    );
    this.stats.addSource(this.certificates);
  }

  /** Loads what watches hosts only where a cluster has any watched. */
  async openHealth(): Promise<ProcessHealth> {
    const { ProcessHealth } = await import('./process-health.ts');
    this.health ??= new ProcessHealth(this, this.loop, this.runtimeValues, this.ticketKeys.shared);
    await this.health.load(this.configuration.extensions);
    return this.health;
  }

  /** The process's own clusters: what fetches secrets and resources, and what exports, leaves through them. */
  openOwn(): Promise<OwnClusters> {
    this.openingOwn ??= this.makeOwn();
    return this.openingOwn;
  }

  private async makeOwn(): Promise<OwnClusters> {
    const { OwnClusters } = await import('./own-clusters.ts');
    this.own = new OwnClusters({
      loop: this.loop,
      log: this.environment.logs.component('config'),
      stats: this.ownStats.root,
      setText: (name, value) => this.stats.setText(name, value),
      runtime: this.runtimeValues,
      shared: this.shared.join('main_thread'),
      health: this.healthSlots.memory,
      ownZone: this.configuration.data.node.locality.zone,
      ticketKeys: this.ticketKeys.shared,
      onHostCounters: (message) => this.hostReports.receive('main_thread', message),
      node: () => nodeMessage(this.configuration),
      prepare: (kinds) => this.prepare(kinds),
    });
    await this.own.load(this.configuration.extensions);
    for (const data of this.directory.current()) this.own.set(data);
    return this.own;
  }

  /** Loads what fetches secrets only where a configuration names any. */
  private async openSecrets(): Promise<ProcessSecrets> {
    const own = await this.openOwn();
    const [{ ProcessSecrets }, { decodeSecret }] = await Promise.all([
      import('./process-secrets.ts'),
      import('./identity/decode/secret-decode.ts'),
    ]);
    this.secrets ??= new ProcessSecrets({
      loop: this.loop,
      log: this.environment.logs.component('config'),
      setText: (name, value) => this.stats.setText(name, value),
      stats: this.ownStats.root,
      own,
      decode: decodeSecret,
      onChanges: (changes) => {
        this.health?.takeSecrets(changes);
        this.distribution.tell({ kind: 'secrets', changes });
      },
    });
    return this.secrets;
  }

  /** Stops accepting, lets what is open finish, and resolves when all has or `limitMs` is over. */
  async drain(limitMs: number): Promise<void> {
    this.state = 'DRAINING';
    const finished = new Promise<void>((resolve) => (this.whenDrained = resolve));
    this.workers.postAll({ kind: 'drain' });
    const limit = new Promise<void>((resolve) => void setTimeout(resolve, limitMs).unref());
    await Promise.race([finished, limit]);
  }

  async stop(): Promise<void> {
    if (this.flushTimer !== null) clearInterval(this.flushTimer);
    this.clusters.stop();
    this.listeners?.stop();
    this.runtimeLayers?.stop();
    this.secrets?.stop();
    this.own?.close();
    await this.health?.stop();
    this.runtime.close();
    this.overload?.stop();
    await Promise.all([this.workers.stop(), this.admin?.close()]);
    await this.admin?.closeLogs();
  }

  private listenersWithin(scope: ListenerScope): number {
    const { listeners } = this.configuration.data;
    return listeners.filter((data) => scope === 'all' || data.trafficDirection === 'INBOUND').length;
  }

  reopenLogs(): void {
    this.environment.logs.reopen();
    this.admin?.reopenLogs();
    this.health?.reopenLogs();
    this.workers.postAll({ kind: 'reopen-logs' });
  }

  // ---- workers

  onWorkerMessage(index: number, message: FromWorker): void {
    switch (message.kind) {
      case 'applied':
        this.distribution.onApplied(index, message);
        break;
      case 'stats':
        this.stats.receive(`worker_${index}`, message.batch);
        break;
      case 'log':
        writeWorkerLog(this.environment.logs, message.message);
        break;
      case 'host-counters':
        this.hostReports.receive(`worker_${index}`, message.message);
        break;
      case 'host-found':
        this.health?.found(message.finding);
        break;
      case 'host-sighted':
        this.directory.foundHost(message.sighting);
        break;
      case 'name-wanted':
      case 'cluster-wanted':
        this.clusters.wanted(message, index);
        break;
      case 'route-wanted':
        this.listeners?.wantRoute(message.question, index);
        break;
      case 'drained':
        this.onWorkerDrained(index);
        break;
      case 'io':
        if (index === 0) this.log.info(ioLine(message.backend, message.reason));
        break;
    }
  }

  onWorkerRestart(index: number): void {
    const name = `worker_${index}`;
    this.stats.drop(name);
    this.hostReports.forget(name);
    this.shared.leave(name);
    this.descriptors[index] = closeLeftOpen(this.descriptors[index]);
    this.initialize(index);
    if (this.state === 'DRAINING') {
      // It has nothing to finish and must not accept.
      this.onWorkerDrained(index);
      return;
    }
    if (this.isFailingHealthchecks) this.workers.post(index, { kind: 'health-failed', failed: true });
    for (const message of this.listenerDrain.messages) this.workers.post(index, message);
    if (this.secrets !== null) this.workers.post(index, { kind: 'secrets', changes: this.secrets.everything() });
    if (this.workloads !== null) this.workers.post(index, this.workloads.message);
    this.distribution.restarted(index);
  }

  private onWorkerDrained(index: number): void {
    this.drained.add(index);
    if (this.drained.size === this.workers.count) this.whenDrained?.();
  }

  private initialize(index: number): void {
    const name = `worker_${index}`;
    const data: WorkerInit = {
      name,
      shared: this.shared.join(name),
      healthMemory: this.healthSlots.memory.shared,
      logLevels: this.environment.logLevels.shared,
      node: this.configuration.data.node,
      localCluster: this.configuration.data.localCluster,
      runtime: this.runtime.merged,
      statsEvictionMs: this.configuration.data.statsEvictionMs,
      overload: overloadInit(this.overload),
      ioBackend: this.environment.options.ioBackend,
      descriptors: this.descriptors[index],
      fileFlushIntervalMs: this.environment.options.fileFlushIntervalMs,
      drainTimeMs: this.environment.options.drainTimeMs,
      drainStrategy: this.environment.options.drainStrategy,
      ticketKeys: this.ticketKeys.shared,
    };
    this.workers.post(index, { kind: 'init', data });
  }

  private async distribute(): Promise<readonly string[]> {
    const { distribution, configuration } = this;
    const { listeners } = configuration.data;
    const before = this.published;
    this.published = configuration;
    const names = new Set(listeners.map(({ name }) => name));
    const set = listeners.filter(
      (data) => distribution.failed.has(data.name) || !isDeepStrictEqual(distribution.listeners.get(data.name), data),
    );
    const removed = (before?.data.listeners ?? []).map(({ name }) => name).filter((name) => !names.has(name));
    const published = distribution.publish({
      listeners: { set, removed },
      extensions: configuration.extensions,
    });
    if (before === null) this.listeners?.listeners.serve();
    const all = before === null ? await distribution.open() : await published;
    if (before === null) this.listeners?.listeners.opened(all);
    // Those that came by LDS are for LDS to tell of.
    const failures = all.filter(({ listener }) => names.has(listener));
    this.clusters.finish(configuration);
    for (const name of removed) this.secrets?.drop(listenerOwner(name));
    this.serverStats.listeners(listeners, failures.length);
    this.secrets?.forget();
    this.listeners?.forget();
    return failures.map(({ listener, message }) => `listener '${listener}': ${message}`);
  }
}
