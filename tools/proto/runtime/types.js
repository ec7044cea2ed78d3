import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FileDescriptor, lookup } from './descriptor.js';
import { Records } from './records.js';
import { table } from './table.js';

/** The descriptors behind every `_pb.js`: one binary file, of which `descriptor.js` reads what is asked for. */

/** Proto file name → its line of the table. */
const places = new Map();
/** Package → its places. */
const packages = new Map();
/** Package → type name within it → place; filled when something of the package is first asked for. */
const packageTypes = new Map();
/** Proto file name → its descriptor. */
const files = new Map();
let bytes = null;

let offset = 0;
for (const line of table.split('\n')) {
  const [name, length, packageName, messages, enums] = line.split(' ');
  const place = { name, offset, length: Number(length), packageName, messages, enums };
  places.set(`${name}.proto`, place);
  const siblings = packages.get(packageName);
  if (siblings === undefined) packages.set(packageName, [place]);
  else siblings.push(place);
  offset += place.length;
}

lookup.file = file;
lookup.message = messageType;
lookup.enum = enumType;

export function file(name) {
  const known = files.get(name);
  if (known !== undefined) return known;
  const place = places.get(name);
  if (place === undefined) throw new Error(`no descriptor of ${name}`);
  return open(place);
}

function open(place) {
  bytes ??= readFileSync(fileURLToPath(new URL('./descriptors.bin', import.meta.url)));
  const { name, packageName, messages, offset: start, length } = place;
  const opened = new FileDescriptor(name, packageName, names(messages), bytes, start, start + length);
  files.set(`${name}.proto`, opened);
  return opened;
}

export function messageType(typeName) {
  const found = find(typeName);
  if (found === undefined) return undefined;
  return file(`${found.place.name}.proto`).messagesByName.get(found.local);
}

function enumType(typeName) {
  const parent = messageType(typeName.slice(0, typeName.lastIndexOf('.')));
  const among = parent?.nestedEnums ?? file(`${find(typeName).place.name}.proto`).enums;
  return among.find((one) => one.typeName === typeName);
}

export function* messageTypeNames() {
  for (const { packageName, messages } of places.values())
    for (const name of names(messages)) yield packageName === '' ? name : `${packageName}.${name}`;
}

/** The file that declares a type, and the type's name without the package. */
function find(typeName) {
  for (let dot = typeName.lastIndexOf('.'); dot !== -1; dot = typeName.lastIndexOf('.', dot - 1)) {
    const types = typesOf(typeName.slice(0, dot));
    if (types === undefined) continue;
    const local = typeName.slice(dot + 1);
    const place = types.get(local);
    return place === undefined ? undefined : { place, local };
  }
  return undefined;
}

function typesOf(packageName) {
  const known = packageTypes.get(packageName);
  if (known !== undefined) return known;
  const inPackage = packages.get(packageName);
  if (inPackage === undefined) return undefined;
  const types = new Map();
  for (const place of inPackage) {
    for (const name of names(place.messages)) types.set(name, place);
    for (const name of names(place.enums)) types.set(name, place);
  }
  packageTypes.set(packageName, types);
  return types;
}

function names(list) {
  return list === '' ? [] : list.split(',');
}

export function messageDesc(of, index, ...path) {
  return path.reduce((message, next) => message.nestedMessages[next], of.messages[index]);
}

export function enumDesc(of, ...path) {
  const last = path.pop();
  return path.length === 0 ? of.enums[last] : messageDesc(of, ...path).nestedEnums[last];
}

export function serviceDesc(of, index) {
  return of.services[index];
}

export function extDesc(of, index) {
  return of.extensions[index];
}

/** The object that TypeScript makes of an enum: names → numbers → names. */
export function tsEnum(type) {
  const result = {};
  for (const { localName, number } of type.values) {
    result[localName] = number;
    result[number] = localName;
  }
  return result;
}

export function customOption(descriptor, number) {
  if (descriptor.customOption !== undefined) return descriptor.customOption(number);
  // One of protobuf-es's own.
  const unknown = descriptor.proto.options?.$unknown?.findLast(({ no }) => no === number);
  if (unknown === undefined) return undefined;
  const records = new Records(Buffer.from(unknown.data), 0, unknown.data.length);
  if (unknown.wireType !== 2) return records.varint();
  const length = records.varint();
  return unknown.data.subarray(records.at, records.at + length);
}
