import { plainLabel, workloadOfStruct } from './workload-struct.ts';
import { unknownWorkload, type Workload, type WorkloadFields } from './workload.ts';

/** What of the bootstrap's node tells who this process is. */
export interface NodeOfWorkload {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly locality?: { readonly region: string; readonly zone: string };
}

/** `labels`: of its labels, which are told besides those that Istio knows. */
export function ownWorkload({ metadata = {}, locality }: NodeOfWorkload, labels: readonly string[] = []): Workload {
  return workloadOfStruct(metadata, new Set(labels), locality);
}

/** As metrics tell of it: of two labels for one thing, by the plain one. */
export function ownInMetrics(node: NodeOfWorkload): WorkloadFields {
  const { workload, namespace, cluster, canonicalName, canonicalRevision } = ownWorkload(node);
  const { metadata = {} } = node;
  return {
    ...unknownWorkload,
    workload,
    namespace,
    cluster,
    canonicalName,
    canonicalRevision,
    app: plainLabel(metadata, 'app'),
    version: plainLabel(metadata, 'version'),
  };
}
