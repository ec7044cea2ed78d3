import { FilterStateObject } from '../filter-state.ts';
import type { Metadata, Outcome } from '../outcome.ts';
import { jsonOf, quoteJson, toBytes } from './byte-string.ts';
import { FormatError } from './format-error.ts';
import { TextOperator, Truncated, type Operator } from './operator.ts';

type NamespaceReader = (outcome: Outcome, namespace: string) => unknown;

const fromConfig = (metadata: Metadata | null, namespace: string) =>
  metadata === null ? undefined : metadata[namespace];

/** Kinds of `%METADATA(KIND:namespace:key…)%`. */
const READERS = new Map<string, NamespaceReader>([
  ['DYNAMIC', (o, namespace) => o.dynamicMetadata?.get(namespace)],
  ['CLUSTER', (o, namespace) => fromConfig(o.clusterMetadata, namespace)],
  ['ROUTE', (o, namespace) => fromConfig(o.routeMetadata, namespace)],
  ['UPSTREAM_HOST', (o, namespace) => fromConfig(o.upstreamHostMetadata, namespace)],
  ['LISTENER', (o, namespace) => fromConfig(o.listenerMetadata, namespace)],
  ['LISTENER_FILTER_CHAIN', (o, namespace) => fromConfig(o.filterChainMetadata, namespace)],
  ['VIRTUAL_HOST', (o, namespace) => fromConfig(o.virtualHostMetadata, namespace)],
]);

/** `%DYNAMIC_METADATA(namespace:key…)%` and its like; without a key the whole namespace. */
export function metadataOperator(kind: string, parameter: string): Operator {
  const read = READERS.get(kind);
  if (read === undefined) throw new FormatError(`${kind} is not supported type of metadata`);
  const [namespace = '', ...path] = parameter.split(':');
  return new StructureOperator((outcome) => {
    let value = read(outcome, namespace);
    for (const key of path) value = isStruct(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return value;
  });
}

/** `%METADATA(KIND:namespace:key…)%`. */
export function anyMetadata(parameter: string): Operator {
  const colon = parameter.indexOf(':');
  const kind = colon < 0 ? parameter : parameter.slice(0, colon);
  return metadataOperator(kind, colon < 0 ? '' : parameter.slice(colon + 1));
}

function ofStream({ filterState }: Outcome): ReadonlyMap<string, unknown> | null {
  return filterState;
}

/** Of the upstream connection. */
export function ofUpstream({ upstreamFilterState }: Outcome): ReadonlyMap<string, unknown> | null {
  return upstreamFilterState;
}

/** `%FILTER_STATE(key[:PLAIN|TYPED|FIELD[:field]])%`: as a string, as JSON, or one field of it. */
export function filterStateOperator(
  parameter: string,
  length: number | null,
  stateOf: (outcome: Outcome) => ReadonlyMap<string, unknown> | null = ofStream,
): Operator {
  const [key = '', kind = '', field = ''] = parameter.split(':');
  if (key === '') throw new FormatError('Invalid filter state configuration, key cannot be empty.');
  if (!['', 'PLAIN', 'TYPED', 'FIELD'].includes(kind))
    throw new FormatError('Invalid filter state serialize type, only support PLAIN/TYPED/FIELD.');
  if ((kind === 'FIELD') !== (field !== ''))
    throw new FormatError('Invalid filter state serialize type, FIELD should be used with the field name.');
  const read = (outcome: Outcome) => stateOf(outcome)?.get(key);
  if (kind === '' || kind === 'TYPED') {
    const typed = new TypedState(read);
    return length === null ? typed : new Truncated(typed, length);
  }
  const plain = new TextOperator((outcome) => {
    const state = read(outcome);
    return plainText(kind === 'FIELD' ? fieldOf(state, field) : state);
  });
  return length === null ? plain : new Truncated(plain, length);
}

function fieldOf(state: unknown, field: string): unknown {
  if (state instanceof FilterStateObject) return state.field(field);
  return isStruct(state) ? state[field] : undefined;
}

/** A value of any JSON type: text prints strings bare and structures as JSON. */
class StructureOperator implements Operator {
  private readonly read: (outcome: Outcome) => unknown;

  constructor(read: (outcome: Outcome) => unknown) {
    this.read = read;
  }

  text(outcome: Outcome): string | null {
    const value = this.read(outcome);
    if (value === undefined || value === null) return null;
    return typeof value === 'string' ? toBytes(value) : jsonOf(value);
  }

  json(outcome: Outcome): string {
    const value = this.read(outcome);
    if (typeof value === 'string') return quoteJson(toBytes(value));
    return value === undefined ? 'null' : jsonOf(value);
  }
}

/** Filter state as the JSON of its message; a string is its quoted self. */
class TypedState implements Operator {
  private readonly read: (outcome: Outcome) => unknown;

  constructor(read: (outcome: Outcome) => unknown) {
    this.read = read;
  }

  text(outcome: Outcome): string | null {
    const state = this.read(outcome);
    const value = state instanceof FilterStateObject ? state.toJson() : state;
    return value === undefined || value === null ? null : jsonOf(value);
  }

  json(outcome: Outcome): string {
    return this.text(outcome) ?? 'null';
  }
}

function plainText(value: unknown): string | null {
  if (value instanceof FilterStateObject) return value.toPlain();
  if (typeof value === 'string') return toBytes(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value instanceof FilterStateObject) return false;
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
