import type { ClusterData } from '../cluster/cluster-data.ts';
import type { AdminData } from '../admin/admin-data.ts';
import type { AccessLogData } from '../observe/access-log/access-log-data.ts';
import type { ApiSourceData, ConfigSourceData } from '../identity/config-source-data.ts';
import type { ExtensionSourceData } from '../listener/extension-sources.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import type { StatsConfigData } from '../observe/stats/stats-data.ts';
import type { SecretSourceData } from '../identity/secret-source-data.ts';
import type { ScopeSourceData } from '../proxy/http/scopes/scope-sources.ts';
import type { RouteSourceData } from '../proxy/http/route-sources.ts';
import type { OverloadData } from './overload/overload-data.ts';
import type { RuntimeLayerData } from './runtime-data.ts';

/** A bootstrap as plain data. */
export interface BootstrapData {
  readonly node: NodeData;
  readonly listeners: readonly ListenerData[];
  readonly clusters: readonly ClusterData[];
  /** `cluster_manager.local_cluster_name`: whose hosts are this process and its like; empty: none. */
  readonly localCluster: string;
  readonly secrets: SecretNeeds;
  /** Where it is told who is at which address, for the metadata of peers; absent, null: nowhere. */
  readonly workloads?: ConfigSourceData | null;
  /** Listener → what of it comes by RDS and by ECDS; those of which nothing does are not in it. */
  readonly listenerNeeds: ReadonlyMap<string, ListenerNeeds>;
  readonly dynamic: DynamicResourcesData;
  /** Null: no admin interface. */
  readonly admin: AdminData | null;
  readonly adminAccessLogs: readonly AccessLogData[];
  readonly runtimeLayers: readonly RuntimeLayerData[];
  /** Null: none is configured. */
  readonly overload: OverloadData | null;
  readonly stats: StatsConfigData;
  readonly statsFlushMs: number;
  /** How long stats that may be forgotten need not move until they are; absent: they stay. */
  readonly statsEvictionMs?: number;
  /** spdlog pattern of `application_log_config`; null: the command line's. */
  readonly logPattern: string | null;
}

/** Where what is not written in the configuration comes from; null: from nowhere. */
export interface DynamicResourcesData {
  readonly lds: ConfigSourceData | null;
  readonly cds: ConfigSourceData | null;
  readonly ads: ApiSourceData | null;
}

/** What of a listener is not in its data. */
export interface ListenerNeeds {
  readonly routes: readonly RouteSourceData[];
  readonly scopes: readonly ScopeSourceData[];
  readonly extensions: readonly ExtensionSourceData[];
}

/** Secrets that are not in the data themselves. */
export interface SecretNeeds {
  /** Cluster → what it waits for; those that need none are not there. */
  readonly ofClusters: ReadonlyMap<string, readonly SecretSourceData[]>;
  /** Listener → the same. */
  readonly ofListeners: ReadonlyMap<string, readonly SecretSourceData[]>;
}

export interface NodeData {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  /** As configured; absent: none. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}
