import { formatAddress, type Address } from '../../core/peer.ts';
import { stateText } from '../../observe/filter-state.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { emptyLocality, type HostData } from '../cluster-data.ts';
import type { Host, PickContext } from '../cluster.ts';
import type { Balancer } from '../lb/balancer.ts';
import { metadataAt } from '../lb/metadata-path.ts';
import type { OriginalDstData } from './original-dst-data.ts';
import { parseSocketAddress } from '../../core/socket-address.ts';

/** Filter state that says which address a request or a connection wants to reach. Envoy's. */
const filterStateKey = 'envoy.network.transport_socket.original_dst_address';

/** What the balancer needs of its cluster. */
export interface OriginalHostsUser {
  /** By its key, `formatAddress`. */
  hostAt(key: string): Host | undefined;
  /** A host that nobody has asked for; null: there is room for no more. */
  addHost(key: string, address: Address): Host | null;
}

/**
 * Requests and connections go to the address that they were sent to before they were redirected here, or that they
 * name. Source: Envoy `original_dst_cluster.cc`.
 */
export class OriginalBalancer implements Balancer {
  private readonly data: OriginalDstData;
  private readonly hosts: OriginalHostsUser;
  /** `original_dst_host_invalid`: what a header or metadata name is no address. */
  private readonly invalid: Counter;

  constructor(data: OriginalDstData, hosts: OriginalHostsUser, invalid: Counter) {
    this.data = data;
    this.hosts = hosts;
    this.invalid = invalid;
  }

  update(): void {
    // Hosts are looked up in the cluster itself.
  }

  pick(context: PickContext): Host | null {
    const asked = this.byState(context) ?? this.byMetadata(context) ?? this.byHeader(context) ?? restored(context);
    if (asked === null || asked.kind !== 'ip') return null;
    const { port } = this.data;
    const address = port === null ? asked : { ...asked, port };
    const key = formatAddress(address);
    return this.hosts.hostAt(key) ?? this.hosts.addHost(key, address);
  }

  private byState({ outcome }: PickContext): Address | null {
    const text = stateText(outcome?.filterState?.get(filterStateKey));
    return text === null ? null : parseSocketAddress(text);
  }

  /** Of the request, else of its connection. */
  private byMetadata({ outcome }: PickContext): Address | null {
    const path = this.data.metadataPath;
    if (path === null) return null;
    for (const metadata of [outcome?.dynamicMetadata, outcome?.peer?.dynamicMetadata]) {
      const found = metadataAt(metadata, path);
      const value: unknown = Array.isArray(found) ? found[0] : found;
      if (typeof value === 'string') return this.parsed(value);
    }
    return null;
  }

  private byHeader({ head }: PickContext): Address | null {
    const { header } = this.data;
    const value = header === '' ? undefined : head?.get(header);
    return value === undefined ? null : this.parsed(value);
  }

  private parsed(text: string): Address | null {
    const address = parseSocketAddress(text);
    if (address === null) this.invalid.inc();
    return address;
  }
}

/** Where the client's connection was going; null: nobody has redirected it. */
function restored({ outcome }: PickContext): Address | null {
  const peer = outcome?.peer ?? null;
  return peer !== null && peer.local !== peer.directLocal ? peer.local : null;
}

/** The host at `address`, as the cluster of this name has it. */
export function originalHost(cluster: string, address: Address): HostData {
  return {
    address,
    // Envoy's, for `auto_host_rewrite`.
    hostname: cluster + formatAddress(address),
    weight: 1,
    priority: 0,
    locality: emptyLocality,
    localityWeight: 0,
    health: 'HEALTHY',
    canary: false,
    metadata: null,
    transport: 0,
  };
}
