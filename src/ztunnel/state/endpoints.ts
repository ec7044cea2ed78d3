import type { Service } from './service.ts';
import type { PortMap, Workload } from './workload.ts';

/** A workload as an endpoint of one service. */
export interface Endpoint {
  readonly workload: Workload;
  /** Service port → target port; of this endpoint. */
  readonly ports: PortMap;
}

/** Which workloads stand behind which services; a workload may come before its services do. */
export class Endpoints {
  /** Service key → uid → endpoint. */
  private readonly byService: Map<string, Map<string, Endpoint>>;

  constructor() {
    this.byService = new Map();
  }

  add(workload: Workload): void {
    for (const [key, ports] of Object.entries(workload.services)) {
      let endpoints = this.byService.get(key);
      if (endpoints === undefined) {
        endpoints = new Map();
        this.byService.set(key, endpoints);
      }
      endpoints.set(workload.uid, { workload, ports });
    }
  }

  remove(workload: Workload): void {
    for (const key of Object.keys(workload.services)) {
      const endpoints = this.byService.get(key);
      if (endpoints === undefined) continue;
      endpoints.delete(workload.uid);
      if (endpoints.size === 0) this.byService.delete(key);
    }
  }

  /** By service key; with those that are not healthy. */
  of(key: string): ReadonlyMap<string, Endpoint> {
    return this.byService.get(key) ?? noEndpoints;
  }

  /** Services that endpoints name, whether they are known or not. */
  keys(): IterableIterator<string> {
    return this.byService.keys();
  }
}

const noEndpoints: ReadonlyMap<string, Endpoint> = new Map();

/** Whether a service wants an endpoint as it is. */
export function isUsable({ workload }: Endpoint, { loadBalancer }: Pick<Service, 'loadBalancer'>): boolean {
  return workload.status === 'Healthy' || loadBalancer?.healthPolicy === 'AllowAll';
}
