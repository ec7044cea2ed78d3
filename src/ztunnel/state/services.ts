import { parseIp } from '../../core/ip-address.ts';
import { networkAddress } from './workload.ts';
import { serviceKey, type Service, type ServiceAddress } from './service.ts';

/** A range of addresses that a service has. */
interface ServiceRange {
  readonly service: Service;
  readonly network: string;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** The services that are known, by name and by address. */
export class Services {
  private readonly byKey: Map<string, Service>;
  private readonly byHost: Map<string, Service[]>;
  private readonly byAddress: Map<string, Service[]>;
  private ranges: ServiceRange[];
  /** Whose services are meant where several could be; empty: nobody's. */
  private readonly preferredNamespace: string;

  constructor(preferredNamespace: string) {
    this.byKey = new Map();
    this.byHost = new Map();
    this.byAddress = new Map();
    this.ranges = [];
    this.preferredNamespace = preferredNamespace;
  }

  get all(): Iterable<Service> {
    return this.byKey.values();
  }

  /** By its name, or by an address of its own: `network/address`. */
  has(key: string): boolean {
    return this.byKey.has(key) || this.byAddress.has(key);
  }

  get(key: string): Service | null {
    return this.byKey.get(key) ?? null;
  }

  set(service: Service): void {
    const key = serviceKey(service);
    this.delete(key);
    this.byKey.set(key, service);
    add(this.byHost, service.hostname, service);
    for (const vip of service.vips) {
      if (vip.length === undefined) add(this.byAddress, networkAddress(vip.network, vip.address), service);
      else this.ranges.push(rangeOf(service, vip));
    }
  }

  delete(key: string): Service | null {
    const service = this.byKey.get(key);
    if (service === undefined) return null;
    this.byKey.delete(key);
    remove(this.byHost, service.hostname, service);
    for (const vip of service.vips) remove(this.byAddress, networkAddress(vip.network, vip.address), service);
    if (this.ranges.length > 0) this.ranges = this.ranges.filter((range) => range.service !== service);
    return service;
  }

  /** As a client of `namespace` means it by an address. */
  byIp(network: string, ip: string, namespace: string): Service | null {
    const exact = this.byAddress.get(networkAddress(network, ip));
    const found = exact === undefined ? null : this.choose(exact, namespace);
    return found ?? (this.ranges.length === 0 ? null : this.inRange(network, ip, namespace));
  }

  /** As a client of `namespace` means it by a host name. */
  byHostname(hostname: string, namespace: string): Service | null {
    const found = this.byHost.get(hostname);
    return found === undefined ? null : this.choose(found, namespace);
  }

  /** Of several of one name or address that may be seen: the client's own, the real one, the preferred, the first. */
  private choose(services: readonly Service[], namespace: string): Service | null {
    const visible = services.filter((service) => isVisible(service, namespace));
    return (
      visible.find((service) => service.namespace === namespace) ??
      visible.find(({ canonical }) => canonical) ??
      visible.find((service) => service.namespace === this.preferredNamespace) ??
      visible[0] ??
      null
    );
  }

  private inRange(network: string, ip: string, namespace: string): Service | null {
    const bytes = parseIp(ip);
    if (bytes === null) return null;
    let best: ServiceRange | null = null;
    for (const range of this.ranges) {
      if (range.network !== network || !isVisible(range.service, namespace) || !isInRange(range, bytes)) continue;
      if (best === null || isBetter(range, best, namespace)) best = range;
    }
    return best?.service ?? null;
  }
}

function isVisible({ visibility, namespace }: Service, from: string): boolean {
  return visibility === 'Public' || namespace === from;
}

/** The client's own namespace first, then the longer prefix, then the real one. */
function isBetter(a: ServiceRange, b: ServiceRange, namespace: string): boolean {
  const own = Number(a.service.namespace === namespace) - Number(b.service.namespace === namespace);
  if (own !== 0) return own > 0;
  if (a.length !== b.length) return a.length > b.length;
  return a.service.canonical && !b.service.canonical;
}

function rangeOf(service: Service, { network, address, length = 0 }: ServiceAddress): ServiceRange {
  return { service, network, bytes: parseIp(address)!, length };
}

function isInRange({ bytes, length }: ServiceRange, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const mask = length - bit >= 8 ? 0xff : 0xff << (8 - (length - bit));
    if ((bytes[bit >> 3] & mask) !== (address[bit >> 3] & mask)) return false;
  }
  return true;
}

function add(map: Map<string, Service[]>, key: string, service: Service): void {
  const services = map.get(key);
  if (services === undefined) map.set(key, [service]);
  else services.push(service);
}

function remove(map: Map<string, Service[]>, key: string, service: Service): void {
  const services = map.get(key);
  if (services === undefined) return;
  const rest = services.filter((other) => other !== service);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
