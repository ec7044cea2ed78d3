import { cachedName, type Destination } from '../../core/destination.ts';
import type { Host, LoadBalancer, PickContext } from '../cluster.ts';
import type { HostSet } from '../host/host-set.ts';

/** Filter state that says whom a request or a connection wants to reach. Envoy's. */
const hostKey = 'envoy.upstream.dynamic_host';
const portKey = 'envoy.upstream.dynamic_port';

/** Requests and connections say themselves whom they want to reach: the host with that key. */
export class NamedHosts implements LoadBalancer {
  private readonly defaultPort: number;
  private hosts: ReadonlyMap<string, Host>;

  /** `defaultPort`: where a name says none. */
  constructor(sets: readonly HostSet[], defaultPort: number) {
    this.defaultPort = defaultPort;
    this.hosts = byKey(sets);
  }

  update(sets: readonly HostSet[]): void {
    this.hosts = byKey(sets);
  }

  pick(context: PickContext): Host | null {
    const destination = this.destinationOf(context);
    return destination.host === '' ? null : (this.hosts.get(cachedName(destination)) ?? null);
  }

  /** By filter state, else by the authority of a request, else by SNI. */
  private destinationOf({ outcome, head }: PickContext): Destination {
    const state = outcome?.filterState ?? null;
    const host = state?.get(hostKey) ?? head?.authority ?? outcome?.peer?.serverName;
    // A filter may have noted it as a text.
    const port = Number(state?.get(portKey) ?? 0);
    return {
      host: typeof host === 'string' ? host : '',
      port: port > 0 ? port : this.defaultPort,
    };
  }
}

function byKey(sets: readonly HostSet[]): Map<string, Host> {
  return new Map(sets.flatMap(({ hosts }) => hosts.map((host) => [host.key, host] as const)));
}
