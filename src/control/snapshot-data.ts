import type { ClusterChanges } from '../cluster/cluster-changes.ts';
import type { DiscoveredExtension } from '../listener/extension-sources.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import type { ScopeData } from '../proxy/http/scopes/scoped-routes-data.ts';
import type { RouteConfigurationData } from '../route/route-data.ts';
import type { SharedNumberIndices } from './shared-number-keys.ts';

/** What the workers' listeners must become. */
export interface ListenerChanges {
  /** New, or other than before. */
  readonly set: readonly ListenerData[];
  /** Names. */
  readonly removed: readonly string[];
}

/** What the route configurations must become that listeners refer to by a key (`RdsData`). */
export interface RouteChanges {
  readonly set: readonly { readonly key: string; readonly routes: RouteConfigurationData }[];
  /** Keys. */
  readonly removed: readonly string[];
}

/** What the scopes of routes must become that listeners refer to by a key (`ScopedRoutesData.discovery`). */
export interface ScopeChanges {
  readonly set: readonly { readonly key: string; readonly scopes: readonly ScopeData[] }[];
  /** Keys. */
  readonly removed: readonly string[];
}

/** What the configurations of filters must become that listeners refer to by a key (`HttpFilterData.discovery`). */
export interface ExtensionChanges {
  readonly set: readonly { readonly key: string; readonly extension: DiscoveredExtension }[];
  /** Keys. */
  readonly removed: readonly string[];
}

/**
 * How the configuration in force changes. Within one update what is new comes before what uses it, and what is gone goes
 * after that: clusters, routes, listeners, then removals.
 */
export interface SnapshotChanges {
  readonly clusters: ClusterChanges;
  readonly listeners: ListenerChanges;
  readonly routes: RouteChanges;
  readonly scopes: ScopeChanges;
  readonly extensionConfigs: ExtensionChanges;
  /** Message names of extensions that are named now and were not before, so that a worker can load them. */
  readonly extensions: readonly string[];
}

export const noChanges: SnapshotChanges = {
  clusters: { set: [], removed: [], hosts: [] },
  listeners: { set: [], removed: [] },
  routes: { set: [], removed: [] },
  scopes: { set: [], removed: [] },
  extensionConfigs: { set: [], removed: [] },
  extensions: [],
};

/** An update as a worker gets it; a fresh worker gets everything that there is as one. */
export interface SnapshotData extends SnapshotChanges {
  /** Counts up with every update. */
  readonly version: number;
  /**
   * Listener name → the ports that its addresses are bound to, once the first worker knows them: where port 0 was
   * configured every worker must bind the same one.
   */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** Where what the listeners that are set count over all workers is. */
  readonly numbers: SharedNumberIndices;
}
