import type { ClusterData } from '../cluster/cluster-data.ts';
import type { AdminData } from '../admin/admin-data.ts';
import type { AccessLogData } from '../observe/access-log-data.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import type { StatsConfigData } from '../observe/stats-data.ts';
import type { SecretSourceData } from '../identity/secret-source-data.ts';
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
  /** Null: no admin interface. */
  readonly admin: AdminData | null;
  readonly adminAccessLogs: readonly AccessLogData[];
  readonly runtimeLayers: readonly RuntimeLayerData[];
  /** Null: none is configured. */
  readonly overload: OverloadData | null;
  readonly stats: StatsConfigData;
  readonly statsFlushMs: number;
  /** spdlog pattern of `application_log_config`; null: the command line's. */
  readonly logPattern: string | null;
}

/** Secrets that are not in the data themselves. */
export interface SecretNeeds {
  readonly sources: readonly SecretSourceData[];
  /** Cluster → keys of the sources that it waits for. */
  readonly ofClusters: ReadonlyMap<string, readonly string[]>;
  /** Listener → the same. */
  readonly ofListeners: ReadonlyMap<string, readonly string[]>;
}

export interface NodeData {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  /** As configured; absent: none. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}
