import type { RouteConfigurationData } from './route-data.ts';

/** A cluster that a route names, and where. */
export interface ClusterReference {
  readonly cluster: string;
  /** Path of the naming field below the route configuration: `virtual_hosts[0].routes[3].route.cluster`. */
  readonly path: string;
  /** Envoy's words for it when the cluster is unknown. */
  readonly problem: string;
}

/** Every cluster that the configuration names, for the check that they exist (`validate_clusters`). */
export function* clusterReferences(data: RouteConfigurationData): Generator<ClusterReference> {
  for (const [i, host] of data.virtualHosts.entries()) {
    for (const [j, route] of host.routes.entries()) {
      if (route.action.kind !== 'forward') continue;
      const at = `virtual_hosts[${i}].routes[${j}].route`;
      const { cluster } = route.action;
      if (cluster.kind === 'fixed' && cluster.name !== '') {
        yield { cluster: cluster.name, path: `${at}.cluster`, problem: `route: unknown cluster '${cluster.name}'` };
      }
      if (cluster.kind !== 'weighted') continue;
      for (const [k, { name }] of cluster.clusters.entries()) {
        if (name === '') continue;
        const path = `${at}.weighted_clusters.clusters[${k}].name`;
        yield { cluster: name, path, problem: `route: unknown weighted cluster '${name}'` };
      }
    }
  }
}
