import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { nestedTypes, protoCamelCase } from '@bufbuild/protobuf/reflect';
import * as wkt from '@bufbuild/protobuf/wkt';
import { table } from './table.js';

/**
 * The descriptors behind every `_pb.js`: one binary file, read and hydrated a proto file at a time when it is first
 * needed. protobuf-es's own way (a module per proto file that imports its dependencies, each hydrated with a registry
 * of everything below it) costs twice the time and memory at start-up, for as deep a graph as Envoy's.
 */
const path = fileURLToPath(new URL('./descriptors.bin', import.meta.url));

/** Proto file name → where its descriptor lies. */
const places = new Map();
/** Proto file name → hydrated file. */
const files = new Map();
/** Message name → proto file name; filled when a name is first asked for. */
let owners = null;
/** Open between the first and the last read of one turn of the event loop. */
let handle = -1;

let offset = 0;
for (const line of table.split('\n')) {
  const [name, length, packageName, types] = line.split(' ');
  places.set(`${name}.proto`, { offset, length: Number(length), packageName, types });
  offset += Number(length);
}
for (const value of Object.values(wkt)) if (value.kind === 'file') files.set(value.proto.name, value);

export function file(name) {
  const known = files.get(name);
  if (known !== undefined) return known;
  const proto = fromBinary(wkt.FileDescriptorProtoSchema, read(name));
  for (const message of proto.messageType) nameInJson(message);
  const dependencies = proto.dependency.map(file);
  // A registry takes in a dependency with everything below it; only what is directly imported can be referred to.
  const shallow = new Map(dependencies.map((dependency) => [dependency.proto.name, alone(dependency)]));
  const hydrated = createFileRegistry(proto, (wanted) => shallow.get(wanted)).getFile(name);
  hydrated.dependencies.splice(0, dependencies.length, ...dependencies);
  files.set(name, hydrated);
  return hydrated;
}

export function messageType(typeName) {
  const owner = typeOwners().get(typeName);
  if (owner === undefined) return undefined;
  for (const type of nestedTypes(file(owner))) if (type.kind === 'message' && type.typeName === typeName) return type;
  return undefined;
}

export function messageTypeNames() {
  return typeOwners().keys();
}

function alone(dependency) {
  return { ...dependency, dependencies: [] };
}

function nameInJson(message) {
  for (const field of message.field) if (!Object.hasOwn(field, 'jsonName')) field.jsonName = protoCamelCase(field.name);
  for (const nested of message.nestedType) nameInJson(nested);
}

function read(name) {
  const place = places.get(name);
  if (place === undefined) throw new Error(`no descriptor of ${name}`);
  if (handle === -1) {
    handle = openSync(path, 'r');
    setImmediate(close);
  }
  const bytes = new Uint8Array(place.length);
  if (readSync(handle, bytes, 0, place.length, place.offset) !== place.length) throw new Error(`${path} is cut short`);
  return bytes;
}

function close() {
  closeSync(handle);
  handle = -1;
}

function typeOwners() {
  if (owners !== null) return owners;
  owners = new Map();
  for (const hydrated of files.values()) {
    for (const type of nestedTypes(hydrated))
      if (type.kind === 'message') owners.set(type.typeName, hydrated.proto.name);
  }
  for (const [name, { packageName, types }] of places) {
    if (types === '') continue;
    for (const type of types.split(',')) owners.set(packageName === '' ? type : `${packageName}.${type}`, name);
  }
  return owners;
}
