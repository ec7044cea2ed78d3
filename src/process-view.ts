import type { JsonObject } from '@bufbuild/protobuf';
import type {
  AdminSource,
  CircuitBreakerReport,
  ClusterReport,
  ConfigDumpReport,
  DrainRequest,
  DumpedResource,
  HostReport,
  ListenerReport,
  MemoryReport,
  RuntimeModification,
  ServerState,
  UnreadyTargetsReport,
} from './admin/admin-source.ts';
import type { App } from './app.ts';
import type { BreakerData, ClusterData, HostData } from './cluster/cluster-data.ts';
import type { DetectorReport } from './cluster/outlier/detector.ts';
import type { OutlierHost } from './cluster/outlier/outlier-host.ts';
import { healthFlagNames } from './cluster/host/host-health.ts';
import { HostStat } from './cluster/host/host-counters.ts';
import { hostKeys } from './cluster/host/host-key.ts';
import type { HostTotals } from './cluster/host/host-report.ts';
import type { Options } from './cli/options.ts';
import type { RuntimeReport } from './control/runtime.ts';
import type { LogLevels } from './observe/log/log-levels.ts';
import type { StatsConfigData } from './observe/stats/stats-data.ts';
import type { StatsSnapshot } from './observe/stats/stats-snapshot.ts';
import { TagExtraction } from './observe/stats/tag-extraction.ts';
import {
  dumpedClusters,
  dumpedExtensions,
  dumpedListeners,
  dumpedRoutes,
  dumpedScopes,
  inlineRoutes,
  inlineScopes,
  servingListeners,
} from './discovered-view.ts';
import { nodeMessage } from './node-message.ts';
import { giveBackMemory } from './spare-memory.ts';
import { unreadyTargets } from './unready-targets.ts';
import { NodeSchema } from './proto/envoy/config/core/v3/base_pb.js';
import { toJson } from './proto/protobuf.js';

/** Listing more counters than this leaves more behind than a heap of the usual size. */
const manyStats = 20_000;

/** The running process as the admin pages see it. */
export class ProcessView implements AdminSource {
  readonly options: Options;
  readonly concurrency: number;
  readonly version: string;
  readonly logLevels: LogLevels;
  private readonly app: App;
  private extraction: { readonly tags: TagExtraction; readonly of: StatsConfigData } | null;

  constructor(app: App) {
    this.app = app;
    this.options = app.environment.options;
    this.concurrency = app.environment.concurrency;
    this.version = app.environment.version;
    this.logLevels = app.environment.logLevels;
    this.extraction = null;
  }

  get state(): ServerState {
    return this.app.serverState;
  }

  get uptimeMs(): number {
    return performance.now();
  }

  /** Of the configuration in force. */
  get tags(): TagExtraction {
    const { stats } = this.app.configuration.data;
    if (this.extraction?.of !== stats) this.extraction = { tags: new TagExtraction(stats), of: stats };
    return this.extraction.tags;
  }

  /** The bootstrap's node as it was given, under the names that the command line gives it. */
  get node(): JsonObject {
    const node = nodeMessage(this.app.configuration);
    return toJson(NodeSchema, node, { useProtoFieldName: true, alwaysEmitImplicit: true }) as JsonObject;
  }

  stats(usedOnly: boolean): StatsSnapshot {
    const snapshot = this.app.stats.snapshot(usedOnly);
    if (snapshot.counters.length > manyStats) giveBackMemory();
    return snapshot;
  }

  memory(): MemoryReport {
    const { heapUsed, heapTotal, rss } = process.memoryUsage();
    return { allocated: heapUsed, heapSize: heapTotal, physical: rss };
  }

  listeners(): readonly ListenerReport[] {
    const statics = new Set(this.app.configuration.data.listeners.map(({ name }) => name));
    const all = Array.from(this.app.distribution.bound, ([name, addresses]) => ({ name, addresses }));
    // Those of the configuration first, as in Envoy.
    return [...all.filter(({ name }) => statics.has(name)), ...all.filter(({ name }) => !statics.has(name))];
  }

  clusters(): readonly ClusterReport[] {
    const totals = this.app.hostReports.collect();
    return Array.from(this.app.directory.current(), (cluster) => {
      const { hosts, discovery } = cluster;
      const hasLocalities = discovery.kind !== 'dynamic' && discovery.kind !== 'original-dst';
      const keys = hostKeys(hosts);
      const detector = this.app.health?.detectorOf(cluster.name) ?? null;
      const reports = hosts.map((host, i) => {
        const flags = healthFlagNames(this.app.healthSlots.flagsOf(host));
        const rates = detector?.hostOf(keys[i]);
        const report = hostReport(host, totals.totalsOf(cluster.name, keys[i]), flags, rates);
        return hasLocalities ? { ...report, localityWeight: host.localityWeight } : report;
      });
      const isDynamic = this.app.clusters.discovered.some((clusters) => clusters.has(cluster.name));
      return clusterReport(cluster, reports, detector?.report ?? null, isDynamic);
    });
  }

  configDump(): ConfigDumpReport {
    const { message } = this.app.configuration;
    const bootstrap: typeof message = { ...message, node: nodeMessage(this.app.configuration) };
    const { listeners: discovered } = this.app;
    const found = discovered === null ? [] : dumpedRoutes(discovered);
    const serving = [
      ...(message.staticResources?.listeners ?? []),
      ...(discovered === null ? [] : servingListeners(discovered)),
    ];
    const inline = inlineRoutes(serving);
    const ownScopes = inlineScopes(serving, this.app.configuredAtMs);
    const resource = (of: DumpedResource['message'], name: string): DumpedResource => ({
      message: of,
      name,
      lastUpdatedMs: this.app.configuredAtMs,
      versionInfo: null,
      isWarming: false,
    });
    return {
      bootstrap: resource(bootstrap, ''),
      clusters: [
        ...(message.staticResources?.clusters ?? []).map((cluster) => resource(cluster, cluster.name)),
        ...this.app.clusters.discovered.flatMap((clusters) => dumpedClusters(clusters)),
      ],
      clustersVersion: this.app.clusters.dynamic?.version ?? '',
      listeners: (message.staticResources?.listeners ?? []).map((listener) => resource(listener, listener.name)),
      ...(discovered !== null && {
        dynamicListeners: { version: discovered.listeners.version, listeners: dumpedListeners(discovered) },
        extensionConfigs: dumpedExtensions(discovered),
      }),
      scopes: discovered === null ? ownScopes : [...ownScopes, ...dumpedScopes(discovered)],
      routes:
        inline === null && found.length === 0
          ? null
          : [...(inline ?? []).map((routes) => resource(routes, routes.name)), ...found],
      secrets: [
        ...(message.staticResources?.secrets ?? []).map((secret) => resource(secret, secret.name)),
        ...this.dynamicSecrets(),
      ],
    };
  }

  private dynamicSecrets(): DumpedResource[] {
    return Array.from(this.app.secrets?.dynamic() ?? [], ({ source, data, shown }) => ({
      message: shown.message,
      name: source.name,
      lastUpdatedMs: shown.updatedEpochMs,
      versionInfo: shown.version,
      isWarming: data === null,
    }));
  }

  certificates(): readonly JsonObject[] {
    return this.app.certificates?.certificates(Date.now()) ?? [];
  }

  unreadyTargets(): readonly UnreadyTargetsReport[] {
    return unreadyTargets(this.app);
  }

  runtime(): RuntimeReport {
    return this.app.runtime.report();
  }

  modifyRuntime(changes: ReadonlyMap<string, string>): RuntimeModification {
    if (!this.app.runtime.hasAdminLayer) return 'no-admin-layer';
    return this.app.runtime.modify(changes) ? 'done' : 'too-many-keys';
  }

  resetCounters(): void {
    this.app.stats.resetCounters();
  }

  reopenLogs(): void {
    this.app.reopenLogs();
  }

  failHealthchecks(isFailing: boolean): void {
    this.app.isFailingHealthchecks = isFailing;
    this.app.workers.postAll({ kind: 'health-failed', failed: isFailing });
  }

  drainListeners({ isGraceful, inboundOnly, skipExit }: DrainRequest): void {
    const scope = inboundOnly ? 'inbound' : 'all';
    if (isGraceful) this.app.listenerDrain.drain(scope, skipExit);
    else this.app.listenerDrain.stop(scope);
  }

  quit(): void {
    this.app.environment.exit(0);
  }
}

function clusterReport(
  cluster: ClusterData,
  hosts: readonly HostReport[],
  outlier: DetectorReport | null,
  isDynamic: boolean,
): ClusterReport {
  const { discovery, assignment, lb } = cluster;
  return {
    name: cluster.name,
    observabilityName: cluster.statName,
    addedViaApi: isDynamic,
    // As Envoy: that of the configuration, where it has one.
    edsServiceName: discovery.kind === 'eds' && discovery.serviceName !== cluster.name ? discovery.serviceName : '',
    overprovisioningFactor: (assignment ?? lb).overprovisioningFactor,
    defaultPriority: breakerReport(cluster.breakers[0]),
    highPriority: breakerReport(cluster.breakers[1]),
    outlier,
    hosts,
  };
}

function breakerReport(data: BreakerData): CircuitBreakerReport {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries } = data;
  return { maxConnections, maxPendingRequests, maxRequests, maxRetries };
}

function hostReport(
  host: HostData,
  totals: HostTotals,
  healthFlags: HostReport['healthFlags'],
  rates: OutlierHost | undefined,
): HostReport {
  return {
    address: host.address,
    hostname: host.hostname,
    healthFlags,
    weight: host.weight,
    region: host.locality.region,
    zone: host.locality.zone,
    subZone: host.locality.subZone,
    canary: host.canary,
    priority: host.priority,
    successRate: rates?.externalRate ?? -1,
    localOriginSuccessRate: rates?.localRate ?? -1,
    stats: {
      cx_active: totals[HostStat.CxActive],
      cx_connect_fail: totals[HostStat.CxConnectFail],
      cx_total: totals[HostStat.CxTotal],
      rq_active: totals[HostStat.RqActive],
      rq_error: totals[HostStat.RqError],
      rq_pending_active: totals[HostStat.RqPendingActive],
      rq_success: totals[HostStat.RqSuccess],
      rq_timeout: totals[HostStat.RqTimeout],
      rq_total: totals[HostStat.RqTotal],
    },
  };
}
