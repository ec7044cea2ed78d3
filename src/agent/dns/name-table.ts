import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A host of the mesh, as `istio.networking.nds.v1.NameTable` has it. */
export interface NameInfo {
  readonly addresses: readonly string[];
  /** `Kubernetes`, `External` …. */
  readonly registry: string;
  readonly shortName: string;
  readonly namespace: string;
}

/** By name, without a dot at its end. */
export type NameTable = ReadonlyMap<string, NameInfo>;

const tableField = 1;
const EntryField = { key: 1, value: 2 } as const;
const InfoField = { ips: 1, registry: 2, shortName: 3, namespace: 4 } as const;

/** @throws Error: it is no such message */
export function decodeNameTable(bytes: Uint8Array): NameTable {
  const table = new Map<string, NameInfo>();
  for (const [field, value] of parts(bytes)) {
    if (field !== tableField) continue;
    let name = '';
    let info: NameInfo = { addresses: [], registry: '', shortName: '', namespace: '' };
    for (const [entryField, entryValue] of parts(value)) {
      if (entryField === EntryField.key) name = text(entryValue);
      else if (entryField === EntryField.value) info = decodeInfo(entryValue);
    }
    table.set(name, info);
  }
  return table;
}

function decodeInfo(bytes: Uint8Array): NameInfo {
  const addresses: string[] = [];
  let registry = '';
  let shortName = '';
  let namespace = '';
  for (const [field, value] of parts(bytes)) {
    if (field === InfoField.ips) addresses.push(text(value));
    else if (field === InfoField.registry) registry = text(value);
    else if (field === InfoField.shortName) shortName = text(value);
    else if (field === InfoField.namespace) namespace = text(value);
  }
  return { addresses, registry, shortName, namespace };
}

/** Fields that have a length; others are passed over. */
function parts(bytes: Uint8Array): [field: number, value: Uint8Array][] {
  const reader = new BinaryReader(bytes);
  const found: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) found.push([field, reader.bytes()]);
    else reader.skip(wire, field);
  }
  return found;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
