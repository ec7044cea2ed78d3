/** Where a cluster is asked for that a request needs, and how long it is waited for. */
export interface OnDemandCdsData {
  readonly source: { readonly key: string };
  readonly timeoutMs: number;
}

/** `envoy.filters.http.on_demand`, or what a route says in its place, as plain data. */
export interface OnDemandData {
  /** Null: clusters are not asked for. */
  readonly odcds: OnDemandCdsData | null;
}

/** Who waits for a cluster. */
export interface ClusterWaiter {
  /** Once, later than it was asked for: it is there, or it need not be waited for. */
  onCluster(isThere: boolean): void;
}

/** Clusters that are asked for when a request needs them. */
export interface ClusterLookups {
  /** Of a name that there is no cluster of. `refused`: nobody is told, for it will not be asked for. */
  want(odcds: OnDemandCdsData, name: string, waiter: ClusterWaiter): 'waiting' | 'refused';
  cancel(name: string, waiter: ClusterWaiter): void;
}

/** Who waits for a route. */
export interface RouteWaiter {
  /** Once, later than it was asked for: there may be one now, or there is none. */
  onRoute(isThere: boolean): void;
}
