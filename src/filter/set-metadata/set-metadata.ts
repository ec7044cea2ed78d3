import type { Outcome } from '../../observe/outcome.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';

/** A `google.protobuf.Struct`, as JSON. */
type Struct = Readonly<Record<string, unknown>>;

/** `envoy.extensions.filters.http.set_metadata.v3.Config` as plain data. */
export interface SetMetadataData {
  readonly entries: readonly {
    readonly namespace: string;
    /** What is there is merged with this; else it stays as it is. */
    readonly mayOverwrite: boolean;
    readonly value: Struct;
  }[];
  /** Messages: nothing that is supported reads them, but that there is one already is counted. */
  readonly typed: readonly { readonly namespace: string; readonly mayOverwrite: boolean }[];
}

/** Where streams have messages as metadata, set by any filter of theirs. */
const typedNamespaces = new WeakMap<Outcome, Set<string>>();

/** `envoy.filters.http.set_metadata`: dynamic metadata as configured. No state. */
export class SetMetadataFilter implements HttpFilter, FilterFactory {
  private readonly data: SetMetadataData;
  private readonly overwriteDenied: Counter;

  constructor(data: SetMetadataData, context: FilterContext) {
    this.data = data;
    this.overwriteDenied = context.stats.scope('set_metadata').counter('overwrite_denied');
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead({ outcome }: Stream): Verdict {
    if (this.data.typed.length > 0) this.setTyped(outcome);
    const metadata = (outcome.dynamicMetadata ??= new Map());
    for (const { namespace, mayOverwrite, value } of this.data.entries) {
      const there = metadata.get(namespace);
      if (there === undefined) metadata.set(namespace, value);
      else if (mayOverwrite) metadata.set(namespace, merged(there, value));
      else this.overwriteDenied.inc();
    }
    return Verdict.Continue;
  }

  private setTyped(outcome: Outcome): void {
    const there = typedNamespaces.get(outcome) ?? new Set();
    typedNamespaces.set(outcome, there);
    for (const { namespace, mayOverwrite } of this.data.typed) {
      if (there.has(namespace) && !mayOverwrite) this.overwriteDenied.inc();
      there.add(namespace);
    }
  }
}

/** Envoy's `StructUtil::update`: structs are merged, lists appended, all else replaced. Neither is changed. */
export function merged(old: unknown, fresh: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(fresh)) return [...(old as unknown[]), ...(fresh as unknown[])];
  if (!isStruct(old) || !isStruct(fresh)) return fresh;
  const result: Record<string, unknown> = { ...old };
  for (const [key, value] of Object.entries(fresh)) {
    const next = Object.hasOwn(old, key) ? merged(old[key], value) : value;
    Object.defineProperty(result, key, { value: next, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
