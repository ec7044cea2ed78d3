import { isDeepStrictEqual } from './core/deep-equal.ts';
import type { Accepted, App } from './app.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import type { LookupQuestion } from './cluster/dynamic/dns-lookups.ts';
import type { ClusterQuestion } from './cluster/on-demand/cluster-lookups.ts';
import { ClusterDirectory } from './cluster/cluster-directory.ts';
import type { Discovery, DiscoveryListener } from './cluster/discovery/discovery.ts';
import { isWatched } from './cluster/health/health-slots.ts';
import { ClusterRollout } from './control/resources/cluster-rollout.ts';
import type { DecodedCluster } from './control/resources/resource-decoding.ts';
import type { DynamicClusters } from './control/resources/dynamic-clusters.ts';
import type { FromWorker } from './control/worker-messages.ts';
import { Reasons } from './core/rejection.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import { openDnsResolver } from './net/dns-resolver.ts';
import type { Loop } from './net/loop.ts';
import type { SharedNumberDirectory } from './observe/limit/shared-limit.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import type { ClusterDiscovery } from './cluster-discovery.ts';

type Wanted = Extract<FromWorker, { kind: 'name-wanted' | 'cluster-wanted' }>;

/** Services of `google_grpc` that control planes have named: each has a cluster. */
const servicesMax = 1000;

/** The clusters of the process: those of the configuration, and those that come by CDS. */
export class ProcessClusters {
  readonly directory: ClusterDirectory;
  readonly rollout: ClusterRollout;
  private readonly app: App;
  private readonly loop: Loop;
  /** Of the configuration, by name. */
  private readonly statics: Map<string, DecodedCluster>;
  /** Names of those that stand for a `google_grpc` which something discovered has named. */
  private readonly services: Set<string>;
  /** Null: nothing of clusters comes from a control plane or a file. */
  private discovery: ClusterDiscovery | null;

  constructor(app: App, loop: Loop, runtime: RuntimeView, shared: SharedNumberDirectory) {
    const { hostReports, distribution } = app;
    this.app = app;
    this.loop = loop;
    this.statics = new Map();
    this.services = new Set();
    this.discovery = null;
    this.directory = new ClusterDirectory({
      clock: loop.clock,
      timers: loop.timers,
      random: Math.random,
      stats: app.ownStats.root,
      limits: shared,
      runtime,
      health: app.healthSlots,
      openResolver: openDnsResolver,
      openEndpoints: (cluster, scope, listener, before) => this.openEndpoints(cluster, scope, listener, before),
      onPublished: (change, isMerged) => {
        distribution.updateHosts(change);
        app.own?.updateHosts(change);
        this.rollout.updated(isMerged);
      },
      usesOf: (cluster, host) => hostReports.usesOf(cluster, host),
      usesIn: (cluster) => hostReports.usesIn(cluster),
      onHosts: (change, isInForce) => {
        // Before a cluster is in force nobody has it but the process itself, which may need it for that.
        if (!isInForce) app.own?.updateHosts(change);
        app.health?.update(change.name, change.hosts);
      },
      onForgotten: (statName) => app.stats.removeText(`cluster.${statName}.version_text`),
      isWarming: (name) => this.rollout.isWarming(name),
    });
    this.rollout = new ClusterRollout({
      clock: loop.clock,
      timers: loop.timers,
      log: app.environment.logs.component('upstream'),
      directory: this.directory,
      stats: app.serverStats.clusterManager,
      warmSecrets: (owner, sources) => app.warmSecrets(owner, sources),
      dropSecrets: (owner) => app.secrets?.drop(owner),
      watch: (cluster) => this.watch(cluster),
      unwatch: (name) => app.health?.remove(name),
      offer: (cluster) => app.own?.set(cluster),
      withdraw: (name) => app.own?.remove(name),
      publish: (clusters, extensions) => {
        void distribution.publish({ clusters, extensions });
        app.forgetSecrets();
      },
      hold: (isHeld) => this.discovery?.hold(isHeld),
      turn: (act) => this.turn(act),
    });
  }

  /** Null: none comes by CDS. */
  get dynamic(): DynamicClusters | null {
    return this.discovery?.clusters ?? null;
  }

  /** A worker needs this. */
  wanted(message: Wanted, worker: number): void {
    if (message.kind === 'name-wanted') this.wantName(message.question, worker);
    else void this.wantCluster(message.question, worker);
  }

  /** Of a DNS cache. */
  private wantName(question: LookupQuestion, worker: number): void {
    this.directory.wantName(question, (end, details) =>
      this.app.distribution.tell({ kind: 'name-found', question, end, details }, worker),
    );
  }

  /** One that is to be asked for. */
  private async wantCluster({ source, name }: ClusterQuestion, worker: number): Promise<void> {
    const discovery = await this.openDiscovery();
    this.turn(() => discovery.want(source, name, worker));
  }

  /** Those that come by CDS, and those that are asked for by name. */
  get discovered(): readonly DynamicClusters[] {
    return this.discovery?.all ?? [];
  }

  isStatic(name: string): boolean {
    return this.statics.has(name);
  }

  /**
   * As Envoy: the clusters whose hosts need no control plane, then the stream to that, the runtime that it knows, the
   * other clusters of the configuration, and those that come by CDS.
   */
  async start(configuration: Accepted): Promise<void> {
    const { dynamic, runtimeLayers } = configuration.data;
    await this.open(configuration);
    const isPrimary = ({ discovery }: ClusterData): boolean =>
      discovery.kind !== 'eds' || discovery.source.from.kind === 'path';
    await this.set(configuration, isPrimary);
    if (dynamic.ads !== null) this.turn(() => this.app.own?.subscriptions.startAds());
    if (runtimeLayers.some(({ kind }) => kind === 'rtds'))
      await (await import('./process-runtime.ts')).warmRuntime(this.app, this.loop);
    await this.set(configuration, (data) => !isPrimary(data));
    if (dynamic.cds !== null) await this.discovery?.subscribe(dynamic.cds);
    await this.rollout.whenSettled();
    this.rollout.started();
  }

  /** Another configuration. Resolves when its clusters are in force; what it does not name goes with `finish`. */
  async replace(configuration: Accepted): Promise<void> {
    await this.open(configuration);
    await this.set(configuration, () => true);
  }

  /** Nothing uses the clusters any more that the configuration does not name. */
  finish({ data }: Accepted): void {
    const names = new Set(data.clusters.map(({ name }) => name));
    for (const name of this.statics.keys()) {
      if (names.has(name) || this.services.has(name)) continue;
      this.statics.delete(name);
      this.turn(() => this.rollout.remove(name));
    }
  }

  stop(): void {
    this.discovery?.stop();
    this.directory.stop();
  }

  // ---- inside

  /** Loads what finds clusters and hosts only where a configuration needs it. */
  private async open({ data, decoding }: Accepted): Promise<void> {
    decoding.extensions.onNeeds = (needs) => void this.need(needs, decoding);
    const { ads, cds } = data.dynamic;
    const isNeeded = cds !== null || ads !== null || data.clusters.some(({ discovery }) => discovery.kind === 'eds');
    if (isNeeded && this.discovery === null) await this.openDiscovery();
  }

  private async openDiscovery(): Promise<ClusterDiscovery> {
    const own = await this.app.openOwn();
    const { ClusterDiscovery } = await import('./cluster-discovery.ts');
    if (this.discovery !== null) return this.discovery;
    own.subscriptions.setAds(this.app.configuration.data.dynamic.ads);
    this.discovery = new ClusterDiscovery(this.app, this, this.loop, own.subscriptions);
    return this.discovery;
  }

  /** Makes clusters for what has been discovered names besides. They stay: what is gone may come again. */
  private async need(needs: readonly object[], decoding: Accepted['decoding']): Promise<void> {
    const { googleServices, makeGoogleClusters, googleClusterKinds } =
      await import('./control/resources/google-clusters.ts');
    const wanted = googleServices(needs).filter(({ name }) => !this.services.has(name));
    const log = this.app.environment.logs.component('upstream');
    if (this.services.size + wanted.length > servicesMax) {
      log.warn(`cm: more than ${servicesMax} services of google_grpc: no other is spoken to`);
      return;
    }
    for (const { name } of wanted) this.services.add(name);
    const reasons = new Reasons();
    const clusters = await makeGoogleClusters(wanted, decoding, reasons);
    for (const { message } of reasons.list) log.warn(`cm: a cluster for google_grpc cannot be made: ${message}`);
    this.turn(() => {
      for (const decoded of clusters)
        if (!this.rollout.has(decoded.data.name)) void this.rollout.set(decoded, googleClusterKinds);
    });
  }

  private async set({ data, extensions }: Accepted, isMeant: (cluster: ClusterData) => boolean): Promise<void> {
    const set: Promise<void>[] = [];
    this.turn(() => {
      for (const cluster of data.clusters) {
        if (!isMeant(cluster)) continue;
        const decoded = { data: cluster, secrets: data.secrets.ofClusters.get(cluster.name) ?? [] };
        if (isDeepStrictEqual(this.statics.get(cluster.name), decoded)) continue;
        this.statics.set(cluster.name, decoded);
        this.discovery?.yieldTo(cluster.name);
        set.push(this.rollout.set(decoded, extensions));
      }
    });
    await Promise.all(set);
  }

  private openEndpoints(
    cluster: ClusterData,
    scope: StatsScope,
    listener: DiscoveryListener,
    before: Discovery | null,
  ): Discovery | null {
    return this.discovery?.openEndpoints(cluster, scope, listener, before) ?? null;
  }

  private async watch(cluster: ClusterData): Promise<void> {
    if (this.app.health === null && !isWatched(cluster)) return;
    const health = await this.app.openHealth();
    // Hosts may have come and gone meanwhile.
    await health.set(this.directory.latest(cluster.name) ?? cluster);
  }

  private turn(act: () => void): void {
    this.loop.enter();
    act();
    this.loop.leave();
  }
}
