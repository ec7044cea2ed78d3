import { celMap, type CelInput, type CelMap } from '@bufbuild/cel';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { toBytes } from '../format/byte-string.ts';
import type { Outcome } from '../outcome.ts';

type Key = string | bigint | boolean;

/** A map whose values are made when they are asked for. Only texts are keys. */
abstract class LazyMap implements ReadonlyMap<Key, unknown> {
  abstract readonly size: number;
  abstract valueOf(name: string): unknown;
  abstract names(): Iterable<string>;

  get(key: Key): unknown {
    return typeof key === 'string' ? this.valueOf(key) : undefined;
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined;
  }

  keys(): MapIterator<Key> {
    return [...this.names()].values();
  }

  *values(): MapIterator<unknown> {
    for (const name of this.names()) yield this.valueOf(name);
  }

  *entries(): MapIterator<[Key, unknown]> {
    for (const name of this.names()) yield [name, this.valueOf(name)];
  }

  [Symbol.iterator](): MapIterator<[Key, unknown]> {
    return this.entries();
  }

  forEach(each: (value: unknown, key: Key, map: ReadonlyMap<Key, unknown>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}

/** Undefined: there is no such thing. */
export type AttributeReader = (outcome: Outcome) => unknown;

/** `request`, `response`, `connection` …: what an outcome says under the names of one table. */
class AttributeMap extends LazyMap {
  /** As Envoy's: it has no size. */
  readonly size: number;
  private readonly table: ReadonlyMap<string, AttributeReader>;
  private readonly outcome: Outcome;

  constructor(table: ReadonlyMap<string, AttributeReader>, outcome: Outcome) {
    super();
    this.size = 0;
    this.table = table;
    this.outcome = outcome;
  }

  valueOf(name: string): unknown {
    return this.table.get(name)?.(this.outcome);
  }

  /** Those that there is something to say of. */
  *names(): Iterable<string> {
    for (const name of this.table.keys()) if (this.valueOf(name) !== undefined) yield name;
  }
}

/** Header fields by name, in any case; the values of a repeated one joined by commas. */
class HeaderMap extends LazyMap {
  private readonly head: RequestHead | ResponseHead | null;
  private readonly headers: Headers | null;
  private readonly pseudo: readonly string[];

  /** `head` null: trailers, or nothing. */
  constructor(head: RequestHead | ResponseHead | null, headers: Headers | null, pseudo: readonly string[]) {
    super();
    this.head = head;
    this.headers = headers;
    this.pseudo = pseudo;
  }

  get size(): number {
    return (this.headers?.length ?? 0) + this.pseudoNames().length;
  }

  valueOf(name: string): unknown {
    const values = (this.head ?? this.headers)?.getAll(name.toLowerCase()) ?? [];
    return values.length === 0 ? undefined : values.join(',');
  }

  names(): Iterable<string> {
    return new Set([...this.pseudoNames(), ...(this.headers?.names ?? [])]);
  }

  private pseudoNames(): readonly string[] {
    const { head } = this;
    return head === null ? [] : this.pseudo.filter((name) => head.getAll(name).length > 0);
  }
}

/** A struct of metadata, or another object of the configuration: its texts become bytes. */
class StructMap extends LazyMap {
  private readonly struct: Readonly<Record<string, unknown>>;

  constructor(struct: Readonly<Record<string, unknown>>) {
    super();
    this.struct = struct;
  }

  get size(): number {
    return Object.keys(this.struct).length;
  }

  valueOf(name: string): unknown {
    const { struct } = this;
    if (Object.hasOwn(struct, name)) return structValue(struct[name]);
    // The name is bytes, the struct's own are not.
    const key = Object.keys(struct).find((one) => toBytes(one) === name);
    return key === undefined ? undefined : structValue(struct[key]);
  }

  *names(): Iterable<string> {
    for (const name of Object.keys(this.struct)) yield toBytes(name);
  }
}

/** Any JSON as an expression sees it. */
export function structValue(value: unknown): unknown {
  if (typeof value === 'string') return toBytes(value);
  if (Array.isArray(value)) return value.map(structValue);
  return typeof value === 'object' && value !== null ? structMap(value as Record<string, unknown>) : value;
}

/** The library takes only maps that it has wrapped itself. */
function wrapped(map: LazyMap): CelMap {
  return celMap(map as ReadonlyMap<Key, CelInput>);
}

export function attributeMap(table: ReadonlyMap<string, AttributeReader>, outcome: Outcome): CelMap {
  return wrapped(new AttributeMap(table, outcome));
}

/** `head` null: trailers, or nothing. */
export function headerMap(
  head: RequestHead | ResponseHead | null,
  headers: Headers | null,
  pseudo: readonly string[],
): CelMap {
  return wrapped(new HeaderMap(head, headers, pseudo));
}

export function structMap(struct: Readonly<Record<string, unknown>>): CelMap {
  return wrapped(new StructMap(struct));
}
