import type { Workload } from '../state/workload.ts';

/** What the other end's metrics say of a workload: W3C Baggage, with ztunnel's keys. */
export function baggageOf(workload: Workload, clusterId: string): string {
  const { workloadType, locality } = workload;
  const fields: readonly (readonly [string, string])[] = [
    ['k8s.cluster.name', workload.clusterId || clusterId],
    ['k8s.namespace.name', workload.namespace],
    [`k8s.${workloadType}.name`, workload.workloadName],
    ['service.name', workload.canonicalName],
    ['service.version', workload.canonicalRevision],
    ['cloud.region', locality.region],
    ['cloud.availability_zone', locality.zone],
  ];
  return fields
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
