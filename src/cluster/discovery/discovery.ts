import type { DnsResolver } from '../../net/dns-resolver.ts';
import type { DiscoveryData, DnsData, HostData } from '../cluster-data.ts';
import type { DiscoveryEnvironment, UpdateStats } from './dns-target.ts';
import { LogicalDns } from './logical-dns.ts';
import { StrictDns } from './strict-dns.ts';

/** Finds the hosts of one cluster, on the main thread. */
export interface Discovery {
  start(): void;
  stop(): void;
}

export interface DiscoveryListener {
  /** The whole list, when it has changed. */
  onHosts(hosts: readonly HostData[]): void;
  /** There is a first result, be it a failure. May be told again. */
  onWarm(): void;
}

/** Null: the configuration names the hosts. Not of a cluster whose hosts requests name. */
export function makeDiscovery(
  data: Exclude<DiscoveryData, { kind: 'dynamic' | 'original-dst' | 'aggregate' }>,
  openResolver: (data: Extract<DiscoveryData, { dns: DnsData }>) => DnsResolver,
  environment: DiscoveryEnvironment,
  stats: () => UpdateStats,
  listener: DiscoveryListener,
): Discovery | null {
  if (data.kind === 'static') return null;
  const resolver = openResolver(data);
  if (data.kind === 'strict-dns')
    return new StrictDns(data.dns, data.targets, resolver, environment, stats(), listener);
  return new LogicalDns(data.dns, data.targets[0], resolver, environment, stats(), listener);
}
