import type { WorkloadChanges, WorkloadData } from '../../filter/istio/workload/workload-directory.ts';
import { unknownWorkload, type WorkloadType } from '../../filter/istio/workload/workload.ts';
import { formatIp } from '../../core/ip-address.ts';
import type { Gauge, StatsScope } from '../../observe/stats/stats.ts';
import { WorkloadSchema, WorkloadType as Type, type Workload } from '../../proto/istio/workload_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { OpenedResource, ResourceKind, SubscriptionUser } from '../xds/resource-kind.ts';

/** Over ADS alone: there is no service of its own. */
export const workloadKind: ResourceKind = {
  typeUrl: 'type.googleapis.com/istio.workload.Workload',
  streamMethod: '',
  deltaMethod: '',
};

const types: Readonly<Record<number, WorkloadType>> = {
  [Type.CRONJOB]: 'cronjob',
  [Type.JOB]: 'job',
  [Type.POD]: 'pod',
};

/** The workloads of a mesh, as a control plane tells of them: who is at which address. */
export class DiscoveredWorkloads implements SubscriptionUser {
  private readonly known: Map<string, WorkloadData>;
  private readonly total: Gauge;
  private readonly onChanges: (changes: WorkloadChanges) => void;

  /** `stats`: of all. */
  constructor(stats: StatsScope, onChanges: (changes: WorkloadChanges) => void) {
    this.known = new Map();
    this.total = stats.scope('workload_discovery').gauge('total', 'max');
    this.onChanges = onChanges;
  }

  /** For who has nothing yet. */
  get message(): { readonly kind: 'workloads'; readonly changes: WorkloadChanges } {
    return { kind: 'workloads', changes: { set: [...this.known.values()], removed: [] } };
  }

  onResources(resources: readonly OpenedResource[]): string {
    const { set, refusal } = readAll(resources);
    if (refusal !== '') return refusal;
    const names = new Set(set.map(({ uid }) => uid));
    this.change({ set, removed: [...this.known.keys()].filter((uid) => !names.has(uid)) });
    return '';
  }

  onDelta(resources: readonly OpenedResource[], removed: readonly string[]): string {
    const { set, refusal } = readAll(resources);
    if (refusal === '') this.change({ set, removed });
    return refusal;
  }

  /** Peers that nobody tells of are unknown. */
  onGivenUp(): void {}

  private change(changes: WorkloadChanges): void {
    for (const uid of changes.removed) this.known.delete(uid);
    for (const data of changes.set) this.known.set(data.uid, data);
    this.total.set(this.known.size);
    this.onChanges(changes);
  }
}

function readAll(resources: readonly OpenedResource[]): { readonly set: WorkloadData[]; readonly refusal: string } {
  const set: WorkloadData[] = [];
  try {
    for (const { name, packed } of resources) set.push(workloadData(name, fromBinary(WorkloadSchema, packed)));
  } catch (error) {
    return { set: [], refusal: `a workload cannot be read: ${(error as Error).message}` };
  }
  return { set, refusal: '' };
}

/** What is left out is what is usual. As Istio, app and version are the canonical ones. */
function workloadData(name: string, message: Workload): WorkloadData {
  const { canonicalName, canonicalRevision, locality } = message;
  const trustDomain = message.trustDomain || 'cluster.local';
  const namespace = message.namespace || 'default';
  const account = message.serviceAccount || 'default';
  const addresses = message.addresses.filter(({ length }) => length === 4 || length === 16);
  return {
    uid: message.uid || name,
    addresses: addresses.map((address) => formatIp(address)),
    fields: {
      ...unknownWorkload,
      instance: message.name,
      cluster: message.clusterId,
      namespace,
      workload: message.workloadName,
      canonicalName,
      canonicalRevision,
      app: canonicalName,
      version: canonicalRevision,
      type: types[message.workloadType] ?? 'deployment',
      identity: `spiffe://${trustDomain}/ns/${namespace}/sa/${account}`,
      region: locality?.region ?? '',
      zone: locality?.zone ?? '',
    },
  };
}
