/** What a host's `envoy.lb` metadata must be: the keys of a subset with their values. Source: Envoy `MetadataMatchCriteria`. */
export class MetadataCriteria {
  readonly struct: Readonly<Record<string, unknown>>;
  /** Sorted. */
  readonly names: readonly string[];
  /** The same for the same names and values, in whatever order they were written. */
  readonly key: string;

  constructor(struct: Readonly<Record<string, unknown>>) {
    this.struct = struct;
    this.names = Object.keys(struct).sort(byCodePoints);
    this.key = criteriaKey(
      this.names,
      this.names.map((name) => struct[name]),
    );
  }

  /** With these in the place of those of the same name. */
  merge(struct: Readonly<Record<string, unknown>>): MetadataCriteria {
    return new MetadataCriteria({ ...this.struct, ...struct });
  }

  /** Of these names alone. */
  only(names: readonly string[]): MetadataCriteria {
    const kept = names.filter((name) => name in this.struct).map((name) => [name, this.struct[name]] as const);
    return new MetadataCriteria(Object.fromEntries(kept));
  }
}

/** `names` are sorted. */
export function criteriaKey(names: readonly string[], values: readonly unknown[]): string {
  return names.map((name, i) => criterion(name, values[i])).join('\0');
}

/** A part of a `criteriaKey`; they stand between zeros. */
export function criterion(name: string, value: unknown): string {
  return `${name}\0${canonical(value)}`;
}

/** Equal values of a protobuf struct have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => byCodePoints(a, b));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

function byCodePoints(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
