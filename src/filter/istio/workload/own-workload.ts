import { workloadOfStruct } from './workload-struct.ts';
import type { Workload } from './workload.ts';

/** What of the bootstrap's node tells who this process is. */
export interface NodeOfWorkload {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly locality?: { readonly region: string; readonly zone: string };
}

/** `labels`: of its labels, which are told besides those that Istio knows. */
export function ownWorkload({ metadata = {}, locality }: NodeOfWorkload, labels: readonly string[] = []): Workload {
  return workloadOfStruct(metadata, new Set(labels), locality);
}
