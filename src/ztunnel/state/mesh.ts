import { Endpoints, type Endpoint } from './endpoints.ts';
import { policyKey, type Policy } from './policy.ts';
import { serviceKey, type Service } from './service.ts';
import { Services } from './services.ts';
import { addressRank, identityOf, networkAddress, type Workload } from './workload.ts';

/** What has changed: plain data, as threads tell each other. */
export interface MeshChange {
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly policies: readonly Policy[];
  /** Names of addresses (`uid`, or `namespace/hostname` of a service) and of policies (`namespace/name`). */
  readonly removedAddresses: readonly string[];
  readonly removedPolicies: readonly string[];
}

export const noChange: MeshChange = {
  workloads: [],
  services: [],
  policies: [],
  removedAddresses: [],
  removedPolicies: [],
};

/** Who a workload is, as the CNI plugin names it. */
export interface WorkloadInfo {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Hears of changes, after they are made. */
export type MeshWatcher = (change: MeshChange) => void;

/** All that a thread knows of the mesh. */
export class Mesh {
  readonly services: Services;
  readonly endpoints: Endpoints;
  private readonly workloads: Map<string, Workload>;
  private readonly byAddress: Map<string, Workload[]>;
  /** `namespace/name/serviceAccount` → uids. */
  private readonly byInfo: Map<string, Set<string>>;
  private readonly policies: Map<string, Policy>;
  /** Scopes Namespace (by it) and Global (by the empty one). */
  private readonly policiesByNamespace: Map<string, Map<string, Policy>>;
  private readonly watchers: Set<MeshWatcher>;

  constructor(preferredNamespace = '') {
    this.services = new Services(preferredNamespace);
    this.endpoints = new Endpoints();
    this.workloads = new Map();
    this.byAddress = new Map();
    this.byInfo = new Map();
    this.policies = new Map();
    this.policiesByNamespace = new Map();
    this.watchers = new Set();
  }

  /** What is removed goes first. */
  apply(change: MeshChange): void {
    for (const name of change.removedAddresses) this.removeAddress(name);
    for (const name of change.removedPolicies) this.removePolicy(name);
    for (const service of change.services) this.services.set(service);
    for (const workload of change.workloads) this.setWorkload(workload);
    for (const policy of change.policies) this.setPolicy(policy);
    for (const watcher of this.watchers) watcher(change);
  }

  watch(watcher: MeshWatcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  get allWorkloads(): Iterable<Workload> {
    return this.workloads.values();
  }

  get allPolicies(): Iterable<Policy> {
    return this.policies.values();
  }

  /** By what istiod is asked for: a uid, `network/address`, or `namespace/hostname`. */
  knows(key: string): boolean {
    return this.workloads.has(key) || this.byAddress.has(key) || this.services.has(key);
  }

  workload(uid: string): Workload | null {
    return this.workloads.get(uid) ?? null;
  }

  workloadByIp(network: string, ip: string): Workload | null {
    return this.byAddress.get(networkAddress(network, ip))?.[0] ?? null;
  }

  /** The one that the CNI plugin means; `node`: must be on it, where it is not empty. */
  workloadOf({ name, namespace, serviceAccount }: WorkloadInfo, node: string): Workload | null {
    for (const uid of this.byInfo.get(`${namespace}/${name}/${serviceAccount}`) ?? []) {
      const workload = this.workloads.get(uid)!;
      if (node === '' || workload.node === node) return workload;
    }
    return null;
  }

  endpointsOf(service: Service): ReadonlyMap<string, Endpoint> {
    return this.endpoints.of(serviceKey(service));
  }

  /** The policies that hold for a workload; names that nobody knows are left out. */
  policiesOf({ namespace, authorizationPolicies }: Workload): Policy[] {
    const found = [
      ...(this.policiesByNamespace.get(namespace)?.values() ?? []),
      ...(namespace === '' ? [] : (this.policiesByNamespace.get('')?.values() ?? [])),
    ];
    for (const name of authorizationPolicies) {
      const policy = this.policies.get(name);
      if (policy !== undefined) found.push(policy);
    }
    return found;
  }

  /** Somebody on the node speaks HBONE as this identity. */
  isIdentityOn(identity: string, node: string): boolean {
    for (const workload of this.workloads.values())
      if (workload.node === node && identityOf(workload) === identity && workload.protocol === 'HBONE') return true;
    return false;
  }

  private setWorkload(workload: Workload): void {
    this.removeWorkload(workload.uid);
    this.workloads.set(workload.uid, workload);
    if (workload.networkMode !== 'HostNetwork')
      for (const ip of workload.workloadIps) this.addAddress(networkAddress(workload.network, ip), workload);
    const info = infoKey(workload);
    const uids = this.byInfo.get(info);
    if (uids === undefined) this.byInfo.set(info, new Set([workload.uid]));
    else uids.add(workload.uid);
    this.endpoints.add(workload);
  }

  private addAddress(key: string, workload: Workload): void {
    const others = this.byAddress.get(key);
    if (others === undefined) this.byAddress.set(key, [workload]);
    else {
      others.push(workload);
      others.sort((a, b) => addressRank(b) - addressRank(a));
    }
  }

  /** Names are of workloads first; those of services have one slash. */
  private removeAddress(name: string): void {
    if (!this.removeWorkload(name)) this.services.delete(name);
  }

  private removeWorkload(uid: string): boolean {
    const workload = this.workloads.get(uid);
    if (workload === undefined) return false;
    this.workloads.delete(uid);
    this.endpoints.remove(workload);
    for (const ip of workload.workloadIps) {
      const key = networkAddress(workload.network, ip);
      const rest = (this.byAddress.get(key) ?? []).filter((other) => other !== workload);
      if (rest.length === 0) this.byAddress.delete(key);
      else this.byAddress.set(key, rest);
    }
    const info = infoKey(workload);
    const uids = this.byInfo.get(info);
    uids?.delete(uid);
    if (uids?.size === 0) this.byInfo.delete(info);
    return true;
  }

  private setPolicy(policy: Policy): void {
    const key = policyKey(policy);
    this.removePolicy(key);
    this.policies.set(key, policy);
    const scope = scopeOf(policy);
    if (scope === null) return;
    const policies = this.policiesByNamespace.get(scope);
    if (policies === undefined) this.policiesByNamespace.set(scope, new Map([[key, policy]]));
    else policies.set(key, policy);
  }

  private removePolicy(key: string): void {
    const policy = this.policies.get(key);
    if (policy === undefined) return;
    this.policies.delete(key);
    const scope = scopeOf(policy);
    if (scope !== null) this.policiesByNamespace.get(scope)?.delete(key);
  }
}

function infoKey({ namespace, name, serviceAccount }: WorkloadInfo): string {
  return `${namespace}/${name}/${serviceAccount}`;
}

/** The namespace that it holds in, empty: in all; null: where a workload names it. */
function scopeOf({ scope, namespace }: Policy): string | null {
  if (scope === 'WorkloadSelector') return null;
  return scope === 'Global' ? '' : namespace;
}
