import { unknownWorkload, Workload, workloadTypes, type WorkloadFields, type WorkloadType } from './workload.ts';

/** As of the struct that proxies tell each other. */
const textMax = 256;

/** A workload in the W3C `baggage` field, by Istio's keys; what else is in there does not matter. */
export function workloadOfBaggage(baggage: string): Workload {
  const found: Record<string, string> = {};
  let workload = '';
  let type: WorkloadType = '';
  for (const member of baggage.split(',')) {
    const [key, value = ''] = member.trim().split('=', 2);
    if (value.length > textMax) continue;
    const kind = /^k8s\.(\w+)\.name$/.exec(key)?.[1];
    const known = workloadTypes.find((one) => one === kind);
    if (known === undefined) found[key] = value;
    else [workload, type] = [value, known];
  }
  const read = (key: string): string => (Object.hasOwn(found, key) ? found[key] : '');
  const [service, app] = [read('service.name'), read('app.name')];
  const [revision, version] = [read('service.version'), read('app.version')];
  return new Workload({
    ...unknownWorkload,
    workload,
    type,
    namespace: read('k8s.namespace.name'),
    cluster: read('k8s.cluster.name'),
    instance: read('k8s.instance.name'),
    canonicalName: service || app,
    app: app || service,
    canonicalRevision: revision || version,
    version: version || revision,
    region: read('cloud.region'),
    zone: read('cloud.availability_zone'),
  });
}

/** The `baggage` field that tells of a workload. */
export function baggageOf(of: WorkloadFields): string {
  const service = of.canonicalName || of.app;
  const revision = of.canonicalRevision || of.version;
  const members: readonly (readonly [key: string, value: string])[] = [
    [`k8s.${of.type || 'pod'}.name`, of.workload],
    ['service.name', service],
    ['app.name', of.app === service ? '' : of.app],
    ['service.version', revision],
    ['app.version', of.version === revision ? '' : of.version],
    ['k8s.namespace.name', of.namespace],
    ['k8s.cluster.name', of.cluster],
    ['k8s.instance.name', of.instance],
    ['cloud.region', of.region],
    ['cloud.availability_zone', of.zone],
  ];
  return members
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
