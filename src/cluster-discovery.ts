import type { App } from './app.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import type { Discovery, DiscoveryListener } from './cluster/discovery/discovery.ts';
import { DiscoveredEndpoints } from './control/resources/discovered-endpoints.ts';
import { DynamicClusters } from './control/resources/dynamic-clusters.ts';
import { checkResource, readResource } from './control/resources/read-resource.ts';
import type { DecodedCluster } from './control/resources/resource-decoding.ts';
import type { Subscription } from './control/xds/resource-kind.ts';
import { clusterKind, endpointKind } from './control/xds/resource-kinds.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import type { Subscriptions } from './control/xds/subscriptions.ts';
import type { ConfigSourceData } from './identity/config-source-data.ts';
import type { Loop } from './net/loop.ts';
import type { StatsScope } from './observe/stats.ts';
import { ClusterSchema } from './proto/envoy/config/cluster/v3/cluster_pb.js';
import type { ProcessClusters } from './process-clusters.ts';

/** What of clusters comes from control planes and files: clusters by CDS, their hosts by EDS. */
export class ClusterDiscovery {
  readonly clusters: DynamicClusters;
  private readonly app: App;
  private readonly loop: Loop;
  private readonly subscriptions: Subscriptions;
  private subscription: Subscription | null;
  /** Null: clusters are not held. */
  private release: (() => void) | null;
  private readonly answered: PromiseWithResolvers<void>;

  constructor(app: App, all: ProcessClusters, loop: Loop, subscriptions: Subscriptions) {
    this.app = app;
    this.loop = loop;
    this.subscriptions = subscriptions;
    this.subscription = null;
    this.release = null;
    this.answered = Promise.withResolvers();
    this.clusters = new DynamicClusters({
      clock: loop.clock,
      log: app.environment.logs.component('upstream'),
      scope: app.ownStats.root.scope('cluster_manager').scope('cds'),
      rollout: all.rollout,
      check: (packed) => checkResource(ClusterSchema, packed),
      decode: (packed) => this.decode(packed),
      isStatic: (name) => all.isStatic(name),
      onAnswered: () => this.answered.resolve(),
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
  }

  private readonly setText: SetText = (name, value) => this.app.stats.setText(name, value);

  private decode(packed: Uint8Array): DecodedCluster | string {
    const { decoding } = this.app.configuration;
    return readResource(ClusterSchema, packed, (message, reasons) => decoding.cluster(message, reasons));
  }
}
