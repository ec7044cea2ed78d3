import { RecordType, type AnswerRecord } from '../../agent/dns/dns-message.ts';
import { parseIp } from '../../core/ip-address.ts';
import { isUsable } from '../state/endpoints.ts';
import type { Mesh } from '../state/mesh.ts';
import type { Service } from '../state/service.ts';

/** Who asks. */
export interface NameScope {
  /** Of the pod: what short names mean. */
  readonly namespace: string;
  /** CLUSTER_DOMAIN */
  readonly clusterDomain: string;
  /** NETWORK */
  readonly network: string;
}

/** Names of the mesh, as a pod may write them. */
export class MeshNames {
  private readonly mesh: Mesh;
  private readonly scope: NameScope;

  constructor(mesh: Mesh, scope: NameScope) {
    this.mesh = mesh;
    this.scope = scope;
  }

  /** @param name in lower case, with its dot at the end. @returns null: it is none of the mesh's, or asked for what is not here */
  lookup(name: string, type: number): AnswerRecord[] | null {
    if (type !== RecordType.A && type !== RecordType.AAAA) return null;
    const asked = name.slice(0, -1);
    const service = this.find(asked);
    if (service !== null) return this.records(service, name, type);
    // A resolver tries the search domains first: the name itself is answered at once, as an alias.
    for (const suffix of this.searchDomains()) {
      if (!asked.endsWith(suffix)) continue;
      const stripped = asked.slice(0, -suffix.length);
      const meant = this.find(stripped);
      if (meant === null) continue;
      const target = `${stripped}.`;
      return [{ owner: name, type: RecordType.CNAME, data: target }, ...this.records(meant, target, type)];
    }
    return null;
  }

  private find(name: string): Service | null {
    const { services } = this.mesh;
    const { namespace } = this.scope;
    for (const candidate of this.candidates(name)) {
      const service = services.byHostname(candidate, namespace);
      if (service !== null) return service;
    }
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const service = services.byHostname(`*${name.slice(dot)}`, namespace);
      if (service !== null) return service;
    }
    return null;
  }

  /** The name, and what it is short for. */
  private candidates(name: string): string[] {
    const { namespace, clusterDomain } = this.scope;
    const labels = name.split('.');
    if (labels.length === 1) return [name, `${name}.${namespace}.svc.${clusterDomain}`];
    if (labels.length === 2) return [name, `${name}.svc.${clusterDomain}`];
    return labels.length === 3 && labels[2] === 'svc' ? [name, `${name}.${clusterDomain}`] : [name];
  }

  private searchDomains(): string[] {
    const { namespace, clusterDomain } = this.scope;
    return [`.${namespace}.svc.${clusterDomain}`, `.svc.${clusterDomain}`, `.${clusterDomain}`];
  }

  private records(service: Service, owner: string, type: number): AnswerRecord[] {
    const size = type === RecordType.A ? 4 : 16;
    return this.addresses(service)
      .map(parseIp)
      .filter((bytes) => bytes !== null && bytes.length === size)
      .map((data) => ({ owner, type, data: data! }));
  }

  /** Of the service itself; of one that has none, those of its endpoints. */
  private addresses(service: Service): string[] {
    const { network } = this.scope;
    const own = service.vips.filter((vip) => vip.network === network && vip.length === undefined);
    if (own.length > 0) return own.map(({ address }) => address);
    const addresses: string[] = [];
    for (const endpoint of this.mesh.endpointsOf(service).values())
      if (isUsable(endpoint, service) && endpoint.workload.network === network)
        addresses.push(...endpoint.workload.workloadIps);
    return addresses;
  }
}
