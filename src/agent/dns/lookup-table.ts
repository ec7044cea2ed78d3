import { formatIp, parseIp } from '../../core/ip-address.ts';
import { RecordType, type AnswerRecord } from './dns-message.ts';
import type { NameInfo, NameTable } from './name-table.ts';

/** Who asks, which decides what short names mean. */
export interface LookupScope {
  readonly namespace: string;
  /** `svc.cluster.local`: the node's domain without its namespace. */
  readonly domain: string;
  /** The first search domain of the pod; empty: there is none. */
  readonly searchDomain: string;
}

/** What a name stands for. */
interface Entry {
  readonly v4: readonly Uint8Array[];
  readonly v6: readonly Uint8Array[];
}

const kubernetes = 'Kubernetes';

/** Names of the mesh, by all the ways in which the workload may write them. Names end with a dot. */
export class LookupTable {
  private readonly entries: Map<string, Entry>;
  /** What a resolver asks first, the name with the search domain behind it: the name itself, at once. */
  private readonly aliases: Map<string, string>;

  constructor(table: NameTable, scope: LookupScope) {
    this.entries = new Map();
    this.aliases = new Map();
    for (const [host, info] of table) this.add(namesOf(host, info, scope), info, scope.searchDomain);
  }

  get size(): number {
    return this.entries.size;
  }

  /** @param name in lower case, with its dot at the end. @returns null: it is not here, or is asked for what is not */
  lookup(name: string, type: number): AnswerRecord[] | null {
    const found = this.nameFor(name);
    if (found === null || (type !== RecordType.A && type !== RecordType.AAAA)) return null;
    const target = this.aliases.get(found);
    const entry = this.entries.get(target ?? found);
    const addresses = (type === RecordType.A ? entry?.v4 : entry?.v6) ?? [];
    if (addresses.length === 0) return [];
    const records = addresses.map((data) => ({ owner: target ?? name, type, data }));
    return target === undefined ? records : [{ owner: name, type: RecordType.CNAME, data: target }, ...records];
  }

  /** As others see it: names and addresses. */
  toJson(): { readonly table: Readonly<Record<string, { readonly ips: readonly string[] }>> } {
    const table: Record<string, { ips: string[] }> = {};
    for (const [name, { v4, v6 }] of this.entries) table[name.slice(0, -1)] = { ips: [...v4, ...v6].map(formatIp) };
    return { table };
  }

  /** Itself, or the wildcard that stands for it. */
  private nameFor(name: string): string | null {
    if (this.has(name)) return name;
    for (let dot = name.indexOf('.'); dot !== -1 && dot < name.length - 1; dot = name.indexOf('.', dot + 1)) {
      const wildcard = `*${name.slice(dot)}`;
      if (this.has(wildcard)) return wildcard;
    }
    return this.has('*.') ? '*.' : null;
  }

  private has(name: string): boolean {
    return this.entries.has(name) || this.aliases.has(name);
  }

  private add(names: readonly string[], { addresses }: NameInfo, searchDomain: string): void {
    const found = addresses.map(parseIp).filter((address) => address !== null);
    const entry = {
      v4: found.filter(({ length }) => length === 4),
      v6: found.filter(({ length }) => length === 16),
    };
    if (entry.v4.length + entry.v6.length === 0) return;
    const search = searchDomain === '' || searchDomain.endsWith('.') ? searchDomain : `${searchDomain}.`;
    for (const name of names) {
      this.entries.set(name, entry);
      if (search === '' || name.endsWith(search)) continue;
      const expanded = `${name}${search}`.toLowerCase();
      if (!names.includes(expanded)) this.aliases.set(expanded, name);
    }
  }
}

function namesOf(host: string, { registry, shortName, namespace }: NameInfo, scope: LookupScope): string[] {
  const full = host.endsWith('.') ? host : `${host}.`;
  if (registry !== kubernetes) return [full.toLowerCase()];
  if (host.endsWith('.')) return [];
  if (scope.domain === '' || !host.endsWith(scope.domain)) return [full.toLowerCase()];
  const [service] = scope.domain.split('.');
  return [
    full,
    `${shortName}.${namespace}.`,
    ...(namespace === scope.namespace ? [`${shortName}.`] : []),
    `${shortName}.${namespace}.${service}.`,
  ].map((name) => name.toLowerCase());
}
