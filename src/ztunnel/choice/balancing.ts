import { isUsable, type Endpoint } from '../state/endpoints.ts';
import type { Mesh } from '../state/mesh.ts';
import type { RoutingScope, Service } from '../state/service.ts';
import type { Workload } from '../state/workload.ts';

/** An endpoint that was chosen, and where on it. */
export interface ChosenEndpoint {
  readonly workload: Workload;
  readonly port: number;
}

/** `[0, 1)` */
export type Chance = () => number;

/**
 * One of the endpoints of `service` that serve `port`: of those that share most of the preferred scopes with `client`, by
 * weight. `isWaypoint`: it need not name the port where tunnels end in an application's. Null: there is none.
 */
export function chooseEndpoint(
  mesh: Mesh,
  service: Service,
  port: number,
  client: Workload,
  network: string,
  chance: Chance,
  isWaypoint = false,
): ChosenEndpoint | null {
  const best: ChosenEndpoint[] = [];
  let bestRank = -1;
  let weight = 0;
  for (const endpoint of mesh.endpointsOf(service).values()) {
    const targetPort = targetPortOf(endpoint, service, port, isWaypoint);
    const { workload } = endpoint;
    if (targetPort === 0 || workload.capacity === 0) continue;
    if (!isUsable(endpoint, service) || !isReachable(workload, network)) continue;
    const rank = rankOf(workload, service, client);
    if (rank < bestRank) continue;
    if (rank > bestRank) {
      bestRank = rank;
      best.length = 0;
      weight = 0;
    }
    best.push({ workload, port: targetPort });
    weight += workload.capacity;
  }
  let at = chance() * weight;
  for (const chosen of best) {
    at -= chosen.workload.capacity;
    if (at < 0) return chosen;
  }
  return best.at(-1) ?? null;
}

function targetPortOf(endpoint: Endpoint, service: Service, port: number, isWaypoint: boolean): number {
  const target = endpoint.ports[port] ?? service.ports[port] ?? 0;
  return target === 0 && isWaypoint && endpoint.workload.applicationTunnel !== null ? port : target;
}

function isReachable({ workloadIps, hostname, network, networkGateway }: Workload, own: string): boolean {
  return workloadIps.length > 0 || hostname !== '' || (network !== own && networkGateway !== null);
}

/** How many scopes are shared, counted from the first as far as they are; -1: it is out of the question. */
function rankOf(workload: Workload, { loadBalancer }: Service, client: Workload): number {
  if (loadBalancer === null) return 0;
  const { routingPreferences, mode } = loadBalancer;
  if (mode !== 'Strict' && mode !== 'Failover') return 0;
  let rank = 0;
  for (const [i, scope] of routingPreferences.entries()) {
    if (isShared(scope, workload, client)) rank++;
    // Another network is further than ours, and still may be in the same region.
    else if (scope !== 'Network' || i !== 0) break;
  }
  return mode === 'Strict' && rank < routingPreferences.length ? -2 : rank;
}

function isShared(scope: RoutingScope, a: Workload, b: Workload): boolean {
  switch (scope) {
    case 'Region':
      return a.locality.region === b.locality.region;
    case 'Zone':
      return a.locality.zone === b.locality.zone;
    case 'Subzone':
      return a.locality.subzone === b.locality.subzone;
    case 'Node':
      return a.node === b.node;
    case 'Cluster':
      return a.clusterId === b.clusterId;
    case 'Network':
      return a.network === b.network;
  }
}
