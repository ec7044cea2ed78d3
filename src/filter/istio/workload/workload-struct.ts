import { unknownWorkload, Workload, workloadTypes, type WorkloadFields, type WorkloadType } from './workload.ts';

/** A peer says what it likes: a name or label longer than this is not taken. Kubernetes' own are at most 253 and 63. */
const textMax = 256;

const ownerPrefix = 'kubernetes://apis/apps/v1/namespaces/';
const canonicalNameLabel = 'service.istio.io/canonical-name';
const canonicalRevisionLabel = 'service.istio.io/canonical-revision';

/**
 * A workload of the struct that proxies tell each other, which is also the metadata of a node. `moreLabels`: of its
 * labels, which are kept besides those that Istio knows.
 */
export function workloadOfStruct(
  struct: Readonly<Record<string, unknown>>,
  moreLabels: ReadonlySet<string>,
  locality: { readonly region: string; readonly zone: string } = unknownWorkload,
): Workload {
  const { LABELS } = struct;
  const labels = isStruct(LABELS) ? LABELS : {};
  const workload = textIn(struct, 'WORKLOAD_NAME');
  const kept: Record<string, string> = {};
  for (const name of moreLabels) if (Object.hasOwn(labels, name)) kept[name] = textIn(labels, name);
  return new Workload({
    instance: textIn(struct, 'NAME'),
    cluster: textIn(struct, 'CLUSTER_ID'),
    namespace: textIn(struct, 'NAMESPACE'),
    workload,
    canonicalName: textIn(labels, canonicalNameLabel),
    canonicalRevision: textIn(labels, canonicalRevisionLabel),
    app: textIn(labels, 'app.kubernetes.io/name') || textIn(labels, 'app'),
    version: textIn(labels, 'app.kubernetes.io/version') || textIn(labels, 'version'),
    type: typeOfOwner(textIn(struct, 'OWNER'), workload),
    identity: textIn(struct, 'IDENTITY'),
    region: textIn(struct, 'REGION') || locality.region,
    zone: textIn(struct, 'AVAILABILITY_ZONE') || locality.zone,
    labels: kept,
  });
}

/** What is told of a workload; its keys in the order of their bytes, so that equal ones are told alike. */
export function structOfWorkload(of: WorkloadFields): Record<string, unknown> {
  const labels = {
    [canonicalNameLabel]: of.canonicalName,
    [canonicalRevisionLabel]: of.canonicalRevision,
    app: of.app,
    version: of.version,
  };
  return ordered({
    NAME: of.instance,
    NAMESPACE: of.namespace,
    WORKLOAD_NAME: of.workload,
    CLUSTER_ID: of.cluster,
    IDENTITY: of.identity,
    LABELS: ordered({ ...filled(labels), ...of.labels }),
    OWNER: of.type === '' ? '' : `${ownerPrefix}${of.namespace}/${of.type}s/${of.workload}`,
    REGION: of.region,
    AVAILABILITY_ZONE: of.zone,
  });
}

/** `workload;namespace;canonical-name;canonical-revision;cluster`, as endpoints have it in their metadata; null: it is none. */
export function workloadOfEndpoint(text: string): Workload | null {
  const parts = text.split(';', 6);
  if (parts.length < 5) return null;
  const [workload, namespace, canonicalName, canonicalRevision, cluster] = parts;
  return new Workload({ ...unknownWorkload, workload, namespace, canonicalName, canonicalRevision, cluster });
}

/** One of `LABELS`; empty: it is not there. */
export function plainLabel({ LABELS }: Readonly<Record<string, unknown>>, name: string): string {
  return isStruct(LABELS) ? textIn(LABELS, name) : '';
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textIn(struct: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(struct, name) ? struct[name] : '';
  return typeof value === 'string' && value.length <= textMax ? value : '';
}

/** `…/deployments/<workload>`. */
function typeOfOwner(owner: string, workload: string): WorkloadType {
  const kinds = owner.slice(0, -(workload.length + 2));
  const kind = kinds.slice(kinds.lastIndexOf('/') + 1);
  return kinds.includes('/') ? (workloadTypes.find((type) => type === kind) ?? '') : '';
}

function filled(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

function ordered(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(filled(fields));
  return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
