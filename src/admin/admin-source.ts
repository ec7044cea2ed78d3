import type { JsonObject, Message } from '@bufbuild/protobuf';
import type { Options } from '../cli/options.ts';
import type { RuntimeReport } from '../control/runtime.ts';
import type { Address } from '../core/peer.ts';
import type { LogLevels } from '../observe/log/log-levels.ts';
import type { StatsSnapshot } from '../observe/stats/stats-snapshot.ts';
import type { TagExtraction } from '../observe/stats/tag-extraction.ts';

/** Everything that the admin pages show, and everything that they can do. The process as the pages see it. */
export interface AdminSource {
  readonly options: Options;
  /** Workers that were asked for. */
  readonly concurrency: number;
  /** `versionString`. */
  readonly version: string;
  readonly state: ServerState;
  /** Milliseconds since the process began. */
  readonly uptimeMs: number;
  /** The bootstrap's `node`, completed as it is told to control planes, in proto names. */
  readonly node: JsonObject;
  readonly logLevels: LogLevels;
  readonly tags: TagExtraction;
  /** `usedOnly`: those that were never written may be missing. */
  stats(usedOnly: boolean): StatsSnapshot;
  memory(): MemoryReport;
  listeners(): readonly ListenerReport[];
  clusters(): readonly ClusterReport[];
  configDump(): ConfigDumpReport;
  /** `envoy.admin.v3.Certificate` in proto names, one per certificate in use. */
  certificates(): readonly JsonObject[];
  /** What start-up still waits for. */
  unreadyTargets(): readonly UnreadyTargetsReport[];
  runtime(): RuntimeReport;
  modifyRuntime(changes: ReadonlyMap<string, string>): RuntimeModification;
  resetCounters(): void;
  /** Access logs and the application log. */
  reopenLogs(): void;
  /** True: answer health checks with failure and show `DRAINING` until it is taken back. */
  failHealthchecks(isFailing: boolean): void;
  drainListeners(drain: DrainRequest): void;
  /** Called when the answer has been written. */
  quit(): void;
}

export type ServerState = 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING' | 'INITIALIZING';

export type RuntimeModification = 'done' | 'no-admin-layer' | 'too-many-keys';

export interface DrainRequest {
  readonly isGraceful: boolean;
  /** Only with `isGraceful`: go on accepting when the drain time is over. */
  readonly skipExit: boolean;
  readonly inboundOnly: boolean;
}

/** Bytes. */
export interface MemoryReport {
  readonly allocated: number;
  readonly heapSize: number;
  readonly physical: number;
}

export interface ListenerReport {
  readonly name: string;
  /** As bound; the first, then the additional ones. */
  readonly addresses: readonly Address[];
}

export interface UnreadyTargetsReport {
  readonly name: string;
  readonly targetNames: readonly string[];
}

export interface ClusterReport {
  readonly name: string;
  /** `alt_stat_name`, or the name. */
  readonly observabilityName: string;
  readonly addedViaApi: boolean;
  /** Empty: none. */
  readonly edsServiceName: string;
  /** Percent; absent: Envoy's 140. */
  readonly overprovisioningFactor?: number;
  readonly defaultPriority: CircuitBreakerReport;
  readonly highPriority: CircuitBreakerReport;
  /** Null: nobody detects outliers. */
  readonly outlier: OutlierReport | null;
  readonly hosts: readonly HostReport[];
}

/** Percent; -1: too few hosts or requests to tell. */
export interface SuccessRateReport {
  readonly average: number;
  /** Below it a host is an outlier. */
  readonly threshold: number;
}

/** Of what hosts answered, and of connections to them. */
export interface OutlierReport {
  readonly external: SuccessRateReport;
  readonly local: SuccessRateReport;
}

export interface CircuitBreakerReport {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

/** Envoy's host stats, in the order of its text page. */
export const hostStatNames = [
  'cx_active',
  'cx_connect_fail',
  'cx_total',
  'rq_active',
  'rq_error',
  'rq_pending_active',
  'rq_success',
  'rq_timeout',
  'rq_total',
] as const;
export type HostStatName = (typeof hostStatNames)[number];

export type HostHealthFlag =
  | 'failed_active_hc'
  | 'failed_outlier_check'
  | 'failed_eds_health'
  | 'degraded_active_hc'
  | 'degraded_eds_health'
  | 'pending_dynamic_removal'
  | 'pending_active_hc'
  | 'excluded_via_immediate_hc_fail'
  | 'active_hc_timeout'
  | 'eds_status_draining'
  | 'degraded_outlier_detection';

export interface HostReport {
  readonly address: Address;
  /** Empty: none. */
  readonly hostname: string;
  /** Empty: healthy. */
  readonly healthFlags: readonly HostHealthFlag[];
  readonly weight: number;
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  readonly canary: boolean;
  readonly priority: number;
  /** Of its locality, 0: none was given; absent: hosts of this cluster have no localities. */
  readonly localityWeight?: number;
  /** Percent; -1: not known. */
  readonly successRate: number;
  readonly localOriginSuccessRate: number;
  readonly stats: Readonly<Record<HostStatName, number>>;
}

/** Configuration as it is in force, as messages. */
export interface ConfigDumpReport {
  readonly bootstrap: DumpedResource;
  /** `envoy.config.cluster.v3.Cluster`. */
  readonly clusters: readonly DumpedResource[];
  /** Version of the last answer of CDS; absent, empty: there was none. */
  readonly clustersVersion?: string;
  /** `envoy.config.listener.v3.Listener`. */
  readonly listeners: readonly DumpedResource[];
  /** Of LDS: the version of its last response that changed something, and what came of it; absent: there is none. */
  readonly dynamicListeners?: { readonly version: string; readonly listeners: readonly DumpedListener[] };
  /** `scoped_routes` of connection managers; absent: there are none. */
  readonly scopes?: readonly DumpedScopes[];
  /** `envoy.config.core.v3.TypedExtensionConfig`, of ECDS, a section for each kind of filter; absent: there are none. */
  readonly extensionConfigs?: readonly (readonly DumpedResource[])[];
  /** `envoy.config.route.v3.RouteConfiguration`; null: there is no HTTP connection manager. */
  readonly routes: readonly DumpedResource[] | null;
  /** `envoy.extensions.transport_sockets.tls.v3.Secret`. */
  readonly secrets: readonly DumpedResource[];
}

/** A set of scopes. */
export interface DumpedScopes {
  readonly name: string;
  /** Null: it is written in a configuration. */
  readonly versionInfo: string | null;
  /** Milliseconds since the epoch. */
  readonly lastUpdatedMs: number;
  /** `envoy.config.route.v3.ScopedRouteConfiguration`. */
  readonly messages: readonly Message[];
}

/** A listener of LDS in every state that it is in; null: it is not in that one. */
export interface DumpedListener {
  /** Empty: a refusal that no listener of that name stands for. */
  readonly name: string;
  readonly active: DumpedResource | null;
  readonly warming: DumpedResource | null;
  readonly draining: DumpedResource | null;
  readonly fault: DumpedFault | null;
}

/** `envoy.admin.v3.UpdateFailureState`. */
export interface DumpedFault {
  readonly message: Message;
  readonly details: string;
  /** Milliseconds since the epoch; null: it is not told. */
  readonly attemptedMs: number | null;
}

export interface DumpedResource {
  readonly message: Message;
  /** Name of the resource; for secrets and listeners it is also printed. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly lastUpdatedMs: number;
  /** Version that a control plane gave; null: from the bootstrap. */
  readonly versionInfo: string | null;
  /** Received and not in force yet. */
  readonly isWarming: boolean;
}
