import type { App } from './app.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import type { Discovery, DiscoveryListener } from './cluster/discovery/discovery.ts';
import { DiscoveredEndpoints } from './control/resources/discovered-endpoints.ts';
import type { OnDemandSourceData } from './cluster/on-demand/on-demand-data.ts';
import type { ClusterRollout } from './control/resources/cluster-rollout.ts';
import { DynamicClusters, type DynamicClustersEnvironment } from './control/resources/dynamic-clusters.ts';
import { OnDemandClusters } from './control/resources/on-demand-clusters.ts';
import { checkResource, readResource } from './control/resources/read-resource.ts';
import type { DecodedCluster } from './control/resources/resource-decoding.ts';
import type { Subscription } from './control/xds/resource-kind.ts';
import { clusterKind, endpointKind } from './control/xds/resource-kinds.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import type { Subscriptions } from './control/xds/subscriptions.ts';
import type { ConfigSourceData } from './identity/config-source-data.ts';
import type { Loop } from './net/loop.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import { ClusterSchema } from './proto/envoy/config/cluster/v3/cluster_pb.js';
import type { ProcessClusters } from './process-clusters.ts';

/** What of clusters comes from control planes and files: clusters by CDS, their hosts by EDS. */
export class ClusterDiscovery {
  readonly clusters: DynamicClusters;
  /** Of all sources. */
  readonly all: DynamicClusters[];
  private readonly app: App;
  private readonly loop: Loop;
  private readonly subscriptions: Subscriptions;
  private subscription: Subscription | null;
  /** Null: clusters are not held. */
  private release: (() => void) | null;
  private readonly rollout: ClusterRollout;
  private readonly common: Pick<DynamicClustersEnvironment, 'clock' | 'log' | 'rollout' | 'check' | 'decode'>;
  /** It does not come on demand. */
  private readonly isElsewhere: (name: string) => boolean;
  /** By the key of their source: clusters that are asked for by name. */
  private readonly onDemand: Map<string, OnDemandClusters>;
  private readonly answered: PromiseWithResolvers<void>;

  constructor(app: App, all: ProcessClusters, loop: Loop, subscriptions: Subscriptions) {
    this.app = app;
    this.loop = loop;
    this.subscriptions = subscriptions;
    this.subscription = null;
    this.release = null;
    this.answered = Promise.withResolvers();
    this.rollout = all.rollout;
    this.onDemand = new Map();
    this.common = {
      clock: loop.clock,
      log: app.environment.logs.component('upstream'),
      rollout: all.rollout,
      check: (packed: Uint8Array) => checkResource(ClusterSchema, packed),
      decode: (packed: Uint8Array) => this.decode(packed),
    };
    this.clusters = new DynamicClusters({
      ...this.common,
      scope: app.ownStats.root.scope('cluster_manager').scope('cds'),
      isStatic: (name) => all.isStatic(name),
      onAnswered: () => this.answered.resolve(),
    });
    this.all = [this.clusters];
    this.isElsewhere = (name) => all.isStatic(name) || this.clusters.has(name);
  }

  /** A cluster of the configuration has this name from now on: it goes before those that come. */
  yieldTo(name: string): void {
    for (const clusters of this.all) clusters.yieldTo(name);
  }

  /** `worker` needs it. */
  want(source: OnDemandSourceData, name: string, worker: number): void {
    let known = this.onDemand.get(source.key);
    if (known === undefined) this.onDemand.set(source.key, (known = this.openOnDemand(source)));
    known.want(name, worker);
  }

  private openOnDemand({ config }: OnDemandSourceData): OnDemandClusters {
    const { app, setText } = this;
    const scope = app.ownStats.root.scope('cluster_manager').scope('odcds');
    const { common, isElsewhere: isStatic } = this;
    const clusters = new DynamicClusters({ ...common, scope, isStatic, onAnswered: () => {} });
    this.all.push(clusters);
    return new OnDemandClusters({
      clusters,
      has: (name) => this.rollout.has(name),
      open: (names, user) => {
        const counted = { scope, prefix: 'cluster_manager.odcds', setText };
        const subscription = this.subscriptions.open(clusterKind, names, config, user, counted);
        subscription.start();
        return subscription;
      },
      missing: (name, worker) => app.distribution.tell({ kind: 'cluster-missing', name }, worker),
    });
  }

  /** Resolves when the first answer is there, or is not to be waited for. */
  subscribe(source: ConfigSourceData): Promise<void> {
    const { app, loop } = this;
    const scope = app.ownStats.root.scope('cluster_manager').scope('cds');
    const counted = { scope, prefix: 'cluster_manager.cds', setText: this.setText };
    this.subscription = this.subscriptions.open(clusterKind, [], source, this.clusters, counted);
    loop.enter();
    this.subscription.start();
    loop.leave();
    return this.answered.promise;
  }

  openEndpoints(
    cluster: ClusterData,
    scope: StatsScope,
    listener: DiscoveryListener,
    before: Discovery | null,
  ): Discovery | null {
    const { discovery, statName } = cluster;
    if (discovery.kind !== 'eds') return null;
    const { serviceName, source } = discovery;
    const known = before instanceof DiscoveredEndpoints ? before : null;
    const { clock, timers } = this.loop;
    const { localCluster } = this.app.configuration.data;
    const log = this.app.environment.logs.component('upstream');
    const surroundings = { clock, timers, localCluster, log };
    const endpoints = new DiscoveredEndpoints(cluster, serviceName, scope, surroundings, listener, known);
    const counted = { scope, prefix: `cluster.${statName}`, setText: this.setText };
    endpoints.subscription = this.subscriptions.open(endpointKind, [serviceName], source, endpoints, counted);
    return endpoints;
  }

  /** As Envoy: over ADS clusters are acknowledged when they are in force, so that no others come before. */
  hold(isHeld: boolean): void {
    this.release?.();
    this.release = isHeld ? this.subscriptions.hold(clusterKind) : null;
  }

  stop(): void {
    this.subscription?.stop();
    for (const clusters of this.onDemand.values()) clusters.stop();
  }

  private readonly setText: SetText = (name, value) => this.app.stats.setText(name, value);

  private decode(packed: Uint8Array): DecodedCluster | string {
    const { decoding } = this.app.configuration;
    const { onNeeds } = decoding.extensions;
    return readResource(
      ClusterSchema,
      packed,
      (message, reasons) => decoding.cluster(message, reasons),
      () => [],
      onNeeds,
    );
  }
}
