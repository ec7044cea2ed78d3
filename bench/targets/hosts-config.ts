import type { HostsShape, Place } from '../target.ts';
import { hosts } from './workload.ts';

type Json = Record<string, unknown>;

/** Addresses of the loopback network, all of them this machine. */
const addresses: readonly string[] = Array.from(
  { length: hosts.count },
  (_, i) => `127.1.${Math.floor(i / 250)}.${1 + (i % 250)}`,
);

const policies: Readonly<Record<HostsShape, Json>> = {
  'hosts-round-robin': { lb_policy: 'ROUND_ROBIN' },
  'hosts-least-request': { lb_policy: 'LEAST_REQUEST' },
  'hosts-ring-hash': { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: hosts.ringSize } },
  'hosts-maglev': { lb_policy: 'MAGLEV' },
  'hosts-subsets': {
    lb_policy: 'LEAST_REQUEST',
    lb_subset_config: { fallback_policy: 'NO_FALLBACK', subset_selectors: [{ keys: ['version'] }] },
  },
};

/** `lb_endpoints`, all at one port; `isOther`: one of them weighs more, as after an update. */
export function manyEndpoints(port: number, isOther = false): Json[] {
  return addresses.map((address, i) => ({
    endpoint: { address: { socket_address: { address, port_value: port } } },
    ...(isOther && i === 0 ? { load_balancing_weight: 2 } : {}),
    metadata: { filter_metadata: { 'envoy.lb': { version: `v${i % hosts.subsets}` } } },
  }));
}

/** A cluster of so many hosts, without its endpoints. */
export function manyHosts(shape: HostsShape): Json {
  const most = 100_000;
  const limits = { max_connections: most, max_pending_requests: most, max_requests: most };
  return {
    name: 'backend',
    connect_timeout: '1s',
    circuit_breakers: { thresholds: [limits] },
    ...policies[shape],
  };
}

/** A static cluster of them. */
export function manyStaticHosts(shape: HostsShape, { upstreamPort }: Pick<Place, 'upstreamPort'>): Json {
  const loadAssignment = { cluster_name: 'backend', endpoints: [{ lb_endpoints: manyEndpoints(upstreamPort) }] };
  return { ...manyHosts(shape), type: 'STATIC', load_assignment: loadAssignment };
}

/** Routes to it: for hashes by a header, for subsets one for each, by its path. */
export function routesToMany(shape: HostsShape): object {
  const hash = { cluster: 'backend', hash_policy: [{ header: { header_name: 'x-user' } }] };
  const subset = (version: string): object => ({
    match: { prefix: `/${version}/` },
    route: { cluster: 'backend', metadata_match: { filter_metadata: { 'envoy.lb': { version } } } },
  });
  const routes =
    shape === 'hosts-subsets'
      ? Array.from({ length: hosts.subsets }, (_, i) => subset(`v${i}`))
      : [{ match: { prefix: '/' }, route: hash }];
  return { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] };
}
