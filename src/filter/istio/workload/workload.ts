import { FilterStateObject, SharedText } from '../../../observe/filter-state.ts';
import { toBytes } from '../../../observe/format/byte-string.ts';

/** What Istio's telemetry knows of one end of a connection. Empty: it does not. */
export interface WorkloadFields {
  /** The pod's name. */
  readonly instance: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly app: string;
  readonly version: string;
  readonly type: WorkloadType;
  /** SPIFFE id. */
  readonly identity: string;
  readonly region: string;
  readonly zone: string;
  /** Those that a configuration asks for besides. */
  readonly labels: Readonly<Record<string, string>>;
}

export const workloadTypes = ['pod', 'deployment', 'job', 'cronjob'] as const;
export type WorkloadType = (typeof workloadTypes)[number] | '';

export const unknownWorkload: WorkloadFields = {
  instance: '',
  cluster: '',
  namespace: '',
  workload: '',
  canonicalName: '',
  canonicalRevision: '',
  app: '',
  version: '',
  type: '',
  identity: '',
  region: '',
  zone: '',
  labels: {},
};

/** Keys of the filter state that tell of peers; those with `_obj` have fields, the others are structs. */
export const downstreamPeerKey = 'downstream_peer';
export const upstreamPeerKey = 'upstream_peer';
/** There is no peer to wait for. */
export const noPeerKey = 'peer_not_found';

/** A workload as an object of filter state. Source: Istio's `WorkloadMetadataObject`. */
export class Workload extends FilterStateObject implements WorkloadFields {
  readonly instance: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly app: string;
  readonly version: string;
  readonly type: WorkloadType;
  readonly identity: string;
  readonly region: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As expressions see it. */
  readonly struct: Readonly<Record<string, unknown>>;
  private shared: readonly [SharedWorkload, SharedWorkload] | null;

  constructor(fields: WorkloadFields) {
    super();
    this.instance = fields.instance;
    this.cluster = fields.cluster;
    this.namespace = fields.namespace;
    this.workload = fields.workload;
    this.canonicalName = fields.canonicalName;
    this.canonicalRevision = fields.canonicalRevision;
    this.app = fields.app;
    this.version = fields.version;
    this.type = fields.type;
    this.identity = fields.identity;
    this.region = fields.region;
    this.zone = fields.zone;
    this.labels = fields.labels;
    this.struct = structOf(fields);
    this.shared = null;
  }

  toPlain(): string {
    const parts: string[] = [];
    for (const [name, value] of Object.entries(this.struct)) {
      if (typeof value === 'string' && name !== 'identity') parts.push(`${name}=${value}`);
    }
    for (const [name, value] of Object.entries(this.labels)) parts.push(`labels[]${name}=${value}`);
    return toBytes(parts.join(','));
  }

  toJson(): unknown {
    return this.struct;
  }

  override field(name: string): string | undefined {
    if (name === 'type') return this.type || 'unknown';
    if (name === 'identity' || name === 'labels') return undefined;
    return Object.hasOwn(fieldNames, name) ? this[fieldNames[name as keyof typeof fieldNames]] : undefined;
  }

  /** Into the filter state under `key`, unless something is there. `isShared`: upstream connections get to know it. */
  setIn(filterState: Map<string, unknown>, key: string, isShared: boolean): void {
    if (filterState.has(key)) return;
    if (!isShared) {
      filterState.set(key, this.struct);
      filterState.set(`${key}_obj`, this);
      return;
    }
    this.shared ??= [new SharedWorkload(this, this.struct), new SharedWorkload(this, this)];
    filterState.set(key, this.shared[0]);
    filterState.set(`${key}_obj`, this.shared[1]);
  }

  /** The peer in the filter state; null: none is known. */
  static in(filterState: ReadonlyMap<string, unknown> | null, key: string): Workload | null {
    const value = filterState?.get(`${key}_obj`);
    if (value instanceof Workload) return value;
    return value instanceof SharedWorkload ? value.workload : null;
  }
}

/** One that upstream connections get to know. */
class SharedWorkload extends SharedText {
  readonly workload: Workload;
  private readonly value: unknown;

  constructor(workload: Workload, value: unknown) {
    super(workload.toPlain(), true, false);
    this.workload = workload;
    this.value = value;
  }

  override alone(): unknown {
    return this.value;
  }

  override toJson(): unknown {
    return this.workload.struct;
  }

  override field(name: string): string | undefined {
    return this.workload.field(name);
  }
}

/** Names of fields in filter state and logs, in the order of texts. */
const fieldNames = {
  type: 'type',
  workload: 'workload',
  name: 'instance',
  cluster: 'cluster',
  namespace: 'namespace',
  service: 'canonicalName',
  revision: 'canonicalRevision',
  app: 'app',
  version: 'version',
  identity: 'identity',
  region: 'region',
  availability_zone: 'zone',
} as const satisfies Record<string, keyof WorkloadFields>;

function structOf(fields: WorkloadFields): Record<string, unknown> {
  const struct: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fieldNames)) if (fields[field] !== '') struct[name] = fields[field];
  if (Object.keys(fields.labels).length > 0) struct.labels = fields.labels;
  return struct;
}
