import type { Host, LoadBalancer, PickContext } from '../cluster.ts';
import { cachedName } from '../../core/destination.ts';
import type { HostSet } from '../host-set.ts';

/** Requests and connections say themselves whom they want to reach: the host with that key. */
export class NamedHosts implements LoadBalancer {
  private readonly defaultPort: number;
  private hosts: ReadonlyMap<string, Host>;

  /** `isSecure`: the cluster's connections are encrypted, so that a name without a port means 443. */
  constructor(sets: readonly HostSet[], isSecure: boolean) {
    this.defaultPort = isSecure ? 443 : 80;
    this.hosts = byKey(sets);
  }

  update(sets: readonly HostSet[]): void {
    this.hosts = byKey(sets);
  }

  pick(context: PickContext): Host | null {
    const destination = context.destination?.() ?? null;
    if (destination === null || destination.host === '') return null;
    const port = destination.port === 0 ? this.defaultPort : destination.port;
    return this.hosts.get(cachedName({ host: destination.host, port })) ?? null;
  }
}

function byKey(sets: readonly HostSet[]): Map<string, Host> {
  return new Map(sets.flatMap(({ hosts }) => hosts.map((host) => [host.key, host] as const)));
}
