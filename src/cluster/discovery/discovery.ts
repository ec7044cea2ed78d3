import type { DnsResolver } from '../../net/dns-resolver.ts';
import type { AssignmentData, DiscoveryData, DnsData, HostData } from '../cluster-data.ts';
import type { DiscoveryEnvironment, UpdateStats } from './dns-target.ts';
import { LogicalDns } from './logical-dns.ts';
import { StrictDns } from './strict-dns.ts';

/** Finds the hosts of one cluster, on the main thread. */
export interface Discovery {
  start(): void;
  stop(): void;
}

export interface DiscoveryListener {
  /** The whole list, when it has changed; `assignment`: what came with it. */
  onHosts(hosts: readonly HostData[], assignment?: AssignmentData): void;
  /** There is a first result, be it a failure. May be told again. */
  onWarm(): void;
}

/** Of names that are resolved. */
export function makeDnsDiscovery(
  data: Extract<DiscoveryData, { dns: DnsData }>,
  resolver: DnsResolver,
  environment: DiscoveryEnvironment,
  stats: UpdateStats,
  listener: DiscoveryListener,
): Discovery {
  if (data.kind === 'strict-dns') return new StrictDns(data.dns, data.targets, resolver, environment, stats, listener);
  return new LogicalDns(data.dns, data.targets[0], resolver, environment, stats, listener);
}
