import { Records } from './records.js';

/**
 * Descriptors as protobuf-es shapes them (`DescFile`, `DescMessage` …), read from their bytes as late as can be: a
 * message knows its name, and reads its fields when they are first asked for; a field knows the name of its type, and
 * looks for it when it is asked. protobuf-es itself reads a file whole, after every file below it, and Envoy's graph is
 * deep: a bootstrap reaches 70 files with 900 messages, of which a configuration sets a few dozen.
 */

const EDITION_PROTO2 = 998;
const EDITION_PROTO3 = 999;
const Presence = { Explicit: 1, Implicit: 2, Required: 3 };
const Label = { Required: 2, Repeated: 3 };
const Type = { Bool: 8, String: 9, Group: 10, Message: 11, Bytes: 12, Enum: 14 };

/** Where what lies elsewhere is found; `types.js` fills it in. */
export const lookup = { message: null, enum: null, file: null };
/** Reads a descriptor's own message (`FieldDescriptorProto` …), for who asks for it; `embedded.js` fills it in. */
export const protoReader = { read: null };

/** What all descriptors have: a stretch of `descriptors.bin`, and maybe options in it. */
class Descriptor {
  constructor(bytes, start, end) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.optionsStart = 0;
    this.optionsEnd = 0;
    this.knownProto = null;
    this.deprecated = false;
  }

  records() {
    return new Records(this.bytes, this.start, this.end);
  }

  /** The whole descriptor as a message. sekisho itself never asks for it. */
  get proto() {
    if (this.knownProto === null) {
      const type = lookup.message(`google.protobuf.${this.protoType}`);
      this.knownProto = protoReader.read(type, this.bytes.subarray(this.start, this.end));
      restoreJsonNames(this.knownProto);
    }
    return this.knownProto;
  }

  /** See `customOption` in `embedded.d.ts`. */
  customOption(number) {
    let found;
    if (this.optionsEnd === 0) return found;
    const records = new Records(this.bytes, this.optionsStart, this.optionsEnd);
    while (records.next()) {
      if (records.number !== number) continue;
      if (records.wireType !== 2) found = records.value;
      // Of a message written in pieces the pieces one after the other are the whole.
      else if (found === undefined) found = this.bytes.subarray(records.from, records.to);
      else found = Buffer.concat([found, this.bytes.subarray(records.from, records.to)]);
    }
    return found;
  }

  /** Notes where the options are. */
  readOptions(records, deprecatedNumber) {
    this.optionsStart = records.from;
    this.optionsEnd = records.to;
    this.deprecated = deprecatedNumber !== 0 && this.customOption(deprecatedNumber) === 1;
  }
}

/** `descriptors.bin` leaves out the JSON names that follow from the fields' own. */
function restoreJsonNames(proto) {
  if (proto.$typeName === 'google.protobuf.FieldDescriptorProto' && !Object.hasOwn(proto, 'jsonName'))
    proto.jsonName = camelCase(proto.name);
  for (const name of ['field', 'nestedType', 'messageType']) proto[name]?.forEach(restoreJsonNames);
}

export class FileDescriptor extends Descriptor {
  kind = 'file';
  protoType = 'FileDescriptorProto';

  /** `messageNames`: as in `table.js`, a nested one behind the one that it is in (`A`, `A.B`). */
  constructor(name, packageName, messageNames, bytes, start, end) {
    super(bytes, start, end);
    this.name = name;
    this.packageName = packageName;
    this.messages = [];
    /** By name without the package. */
    this.messagesByName = new Map();
    this.knownParts = null;
    this.knownEnums = null;
    this.knownExtensions = null;
    this.knownServices = null;
    for (const local of messageNames) {
      const dot = local.lastIndexOf('.');
      const parent = dot === -1 ? undefined : this.messagesByName.get(local.slice(0, dot));
      const siblings = parent === undefined ? this.messages : parent.nestedMessages;
      const message = new MessageDescriptor(this, parent, local, siblings.length);
      siblings.push(message);
      this.messagesByName.set(local, message);
    }
  }

  /** Where the parts lie. */
  get parts() {
    if (this.knownParts !== null) return this.knownParts;
    const parts = { edition: EDITION_PROTO2, dependencies: [], messages: [], enums: [], services: [], extensions: [] };
    const records = this.records();
    while (records.next()) {
      if (records.number === 3) parts.dependencies.push(records.text());
      else if (records.number === 4) parts.messages.push([records.from, records.to]);
      else if (records.number === 5) parts.enums.push([records.from, records.to]);
      else if (records.number === 6) parts.services.push([records.from, records.to]);
      else if (records.number === 7) parts.extensions.push([records.from, records.to]);
      else if (records.number === 12 && records.text() === 'proto3') parts.edition = EDITION_PROTO3;
    }
    return (this.knownParts = parts);
  }

  get edition() {
    return this.parts.edition;
  }

  get dependencies() {
    return this.parts.dependencies.map((name) => lookup.file(name));
  }

  get enums() {
    this.knownEnums ??= this.parts.enums.map(([from, to]) => new EnumDescriptor(this, undefined, from, to));
    return this.knownEnums;
  }

  get extensions() {
    this.knownExtensions ??= this.parts.extensions.map(([from, to]) => extension(this, from, to));
    return this.knownExtensions;
  }

  get services() {
    this.knownServices ??= this.parts.services.map(([from, to]) => new ServiceDescriptor(this, from, to));
    return this.knownServices;
  }

  typeName(name) {
    return this.packageName === '' ? name : `${this.packageName}.${name}`;
  }

  toString() {
    return `file ${this.name}.proto`;
  }
}

export class MessageDescriptor extends Descriptor {
  kind = 'message';
  protoType = 'DescriptorProto';

  constructor(file, parent, localName, index) {
    super(file.bytes, -1, -1);
    this.file = file;
    this.parent = parent;
    this.name = localName.slice(localName.lastIndexOf('.') + 1);
    this.typeName = file.typeName(localName);
    this.nestedMessages = [];
    this.index = index;
    this.knownParts = null;
    this.knownBody = null;
    this.knownEnums = null;
  }

  /** Where the parts lie. */
  get parts() {
    if (this.knownParts !== null) return this.knownParts;
    const [start, end] =
      this.parent === undefined ? this.file.parts.messages[this.index] : this.parent.parts.nested.get(this.name);
    this.start = start;
    this.end = end;
    const parts = { fields: [], nested: new Map(), enums: [], oneofs: [] };
    const records = this.records();
    while (records.next()) {
      if (records.number === 2) parts.fields.push([records.from, records.to]);
      else if (records.number === 3) parts.nested.set(nameAt(this.bytes, records), [records.from, records.to]);
      else if (records.number === 4) parts.enums.push([records.from, records.to]);
      else if (records.number === 7) this.readOptions(records, 3);
      else if (records.number === 8) parts.oneofs.push([records.from, records.to]);
    }
    return (this.knownParts = parts);
  }

  get body() {
    return this.knownBody ?? this.readBody();
  }

  get fields() {
    return this.body.fields;
  }

  get field() {
    return this.body.byName;
  }

  get oneofs() {
    return this.body.oneofs;
  }

  get members() {
    return this.body.members;
  }

  get nestedEnums() {
    this.knownEnums ??= this.parts.enums.map(([from, to]) => new EnumDescriptor(this.file, this, from, to));
    return this.knownEnums;
  }

  /** Envoy's protos have none; `embedded.test.ts` would tell. */
  get nestedExtensions() {
    return [];
  }

  get proto() {
    void this.parts;
    return super.proto;
  }

  customOption(number) {
    void this.parts;
    return super.customOption(number);
  }

  readBody() {
    const { fields: places, oneofs: oneofPlaces } = this.parts;
    const oneofs = oneofPlaces.map(([from, to]) => new OneofDescriptor(this, from, to));
    const body = { fields: [], byName: {}, oneofs: [], members: [] };
    for (const [from, to] of places) {
      const field = new FieldDescriptor(this.file, this, oneofs, from, to);
      body.fields.push(field);
      body.byName[field.localName] = field;
      if (field.oneof === undefined) {
        body.members.push(field);
        continue;
      }
      if (field.oneof.fields.push(field) === 1) body.members.push(field.oneof);
    }
    // Those of proto3's `optional` have no fields.
    body.oneofs = oneofs.filter((oneof) => oneof.fields.length > 0);
    this.knownBody = body;
    return body;
  }

  toString() {
    return `message ${this.typeName}`;
  }
}

/** The name of the nested message at hand, which comes first in it. */
function nameAt(bytes, { from, to }) {
  const records = new Records(bytes, from, to);
  while (records.next()) if (records.number === 1) return records.text();
  return '';
}

class OneofDescriptor extends Descriptor {
  kind = 'oneof';
  protoType = 'OneofDescriptorProto';

  constructor(parent, start, end) {
    super(parent.bytes, start, end);
    this.parent = parent;
    this.fields = [];
    this.name = '';
    const records = this.records();
    while (records.next()) {
      if (records.number === 1) this.name = records.text();
      else if (records.number === 2) this.readOptions(records, 0);
    }
    this.localName = safeName(camelCase(this.name));
  }

  toString() {
    return `oneof ${this.parent.typeName}.${this.name}`;
  }
}

class FieldDescriptor extends Descriptor {
  kind = 'field';
  protoType = 'FieldDescriptorProto';

  /** `parent`: undefined for an extension. */
  constructor(file, parent, oneofs, start, end) {
    super(file.bytes, start, end);
    this.parent = parent;
    this.oneof = undefined;
    this.name = '';
    this.number = 0;
    this.localName = '';
    this.jsonName = null;
    this.fieldKind = 'scalar';
    this.scalar = undefined;
    this.presence = Presence.Explicit;
    this.utf8Validation = file.edition === EDITION_PROTO3;
    this.listKind = undefined;
    this.mapKind = undefined;
    this.mapKey = undefined;
    this.delimitedEncoding = undefined;
    this.packed = undefined;
    this.longAsString = false;
    this.getDefaultValue = undefined;
    /** Full name of the message or enum, found when it is asked for. */
    this.messageName = null;
    this.enumName = null;
    this.knownType = undefined;
    const raw = this.readRecords();
    if (raw.oneof !== -1 && !raw.isOptional) this.oneof = oneofs[raw.oneof];
    const name = camelCase(this.name);
    this.localName = this.oneof === undefined ? safeName(name) : name;
    this.jsonName ??= name;
    this.presence = this.presenceOf(raw, file.edition);
    if (raw.label === Label.Repeated) this.beRepeated(raw, file.edition);
    else this.beSingular(raw);
  }

  readRecords() {
    const raw = { label: 1, type: 0, typeName: '', oneof: -1, isOptional: false, defaultText: null, extendee: '' };
    const records = this.records();
    while (records.next()) {
      switch (records.number) {
        case 1:
          this.name = records.text();
          break;
        case 2:
          raw.extendee = records.text().slice(1);
          break;
        case 3:
          this.number = records.value;
          break;
        case 4:
          raw.label = records.value;
          break;
        case 5:
          raw.type = records.value;
          break;
        case 6:
          raw.typeName = records.text().slice(1);
          break;
        case 7:
          raw.defaultText = records.text();
          break;
        case 8:
          this.readOptions(records, 3);
          break;
        case 9:
          raw.oneof = records.value;
          break;
        case 10:
          this.jsonName = records.text();
          break;
        case 17:
          raw.isOptional = records.value === 1;
          break;
      }
    }
    return raw;
  }

  presenceOf(raw, edition) {
    if (raw.label === Label.Required) return Presence.Required;
    if (raw.label === Label.Repeated) return Presence.Implicit;
    const isExplicit = this.oneof !== undefined || raw.isOptional || this.parent === undefined;
    if (isExplicit || edition === EDITION_PROTO2 || raw.type === Type.Message) return Presence.Explicit;
    return Presence.Implicit;
  }

  beSingular({ type, typeName, defaultText }) {
    this.fieldKind = this.takeType(type, typeName);
    this.getDefaultValue = defaultText === null ? noDefault : () => this.defaultOf(defaultText);
    if (this.fieldKind === 'message') this.delimitedEncoding = false;
  }

  beRepeated({ type, typeName }, edition) {
    const { parent } = this;
    const isOwn = type === Type.Message && parent !== undefined && typeName.startsWith(`${parent.typeName}.`);
    const entry = isOwn ? parent.parts.nested.get(typeName.slice(parent.typeName.length + 1)) : undefined;
    // The table does not name the messages that stand for the entries of maps.
    if (entry !== undefined && lookup.message(typeName) === undefined) {
      this.beMap(entry);
      return;
    }
    this.fieldKind = 'list';
    this.listKind = this.takeType(type, typeName);
    if (this.listKind === 'message') this.delimitedEncoding = false;
    const isNumber = type !== Type.String && type !== Type.Bytes && type !== Type.Message;
    // `packed = false` is not among what Envoy's protos say.
    this.packed = isNumber && (edition === EDITION_PROTO3 || this.customOption(2) === 1);
  }

  beMap([start, end]) {
    this.fieldKind = 'map';
    this.delimitedEncoding = false;
    const records = new Records(this.bytes, start, end);
    while (records.next()) {
      if (records.number !== 2) continue;
      const half = new FieldDescriptor(this.parent.file, this.parent, [], records.from, records.to);
      if (half.number === 1) this.mapKey = half.scalar;
      else {
        this.mapKind = half.fieldKind;
        this.scalar = half.scalar;
        this.messageName = half.messageName;
        this.enumName = half.enumName;
      }
    }
  }

  /** @returns the kind of a single value */
  takeType(type, typeName) {
    if (type === Type.Message) {
      this.messageName = typeName;
      return 'message';
    }
    if (type === Type.Enum) {
      this.enumName = typeName;
      return 'enum';
    }
    if (type === Type.Group) throw new Error(`${this.toString()}: groups are not read`);
    this.scalar = type;
    return 'scalar';
  }

  defaultOf(text) {
    if (this.enumName !== null) return this.enum.values.find((value) => value.name === text).number;
    if (this.scalar === Type.Bool) return text === 'true';
    if (this.scalar === Type.String) return text;
    throw new Error(`${this.toString()}: defaults of scalar type ${this.scalar} are not read`);
  }

  get message() {
    if (this.messageName === null) return undefined;
    return (this.knownType ??= lookup.message(this.messageName));
  }

  get enum() {
    if (this.enumName === null) return undefined;
    return (this.knownType ??= lookup.enum(this.enumName));
  }

  toString() {
    return `field ${this.parent?.typeName}.${this.name}`;
  }
}

const noDefault = () => undefined;

/** protobuf-es copies extensions with `Object.assign`, so that what a field has as getters is their own. */
function extension(file, start, end) {
  const field = new FieldDescriptor(file, undefined, [], start, end);
  const typeName = file.typeName(field.name);
  const { message, enum: enumType, proto, number } = field;
  const extendee = lookup.message(field.readRecords().extendee);
  const toString = () => `extension ${typeName}`;
  const own = { kind: 'extension', jsonName: `[${typeName}]`, message, enum: enumType, proto, number };
  const { localName: _, getDefaultValue, ...rest } = field;
  return { ...rest, getDefaultValue, ...own, typeName, extendee, file, parent: undefined, toString };
}

export class EnumDescriptor extends Descriptor {
  kind = 'enum';
  protoType = 'EnumDescriptorProto';

  constructor(file, parent, start, end) {
    super(file.bytes, start, end);
    this.file = file;
    this.parent = parent;
    this.open = file.edition === EDITION_PROTO3;
    this.name = '';
    /** By number: of several with the same, the first. */
    this.value = {};
    this.values = [];
    const records = this.records();
    while (records.next()) {
      if (records.number === 1) this.name = records.text();
      else if (records.number === 2) this.values.push(new EnumValueDescriptor(this, records.from, records.to));
    }
    this.typeName = parent === undefined ? file.typeName(this.name) : `${parent.typeName}.${this.name}`;
    this.sharedPrefix = sharedPrefix(this.name, this.values);
    for (const value of this.values) {
      value.localName = safeName(value.name.slice(this.sharedPrefix?.length ?? 0));
      this.value[value.number] ??= value;
    }
  }

  toString() {
    return `enum ${this.typeName}`;
  }
}

class EnumValueDescriptor extends Descriptor {
  kind = 'enum_value';
  protoType = 'EnumValueDescriptorProto';

  constructor(parent, start, end) {
    super(parent.bytes, start, end);
    this.parent = parent;
    this.name = '';
    this.number = 0;
    this.localName = '';
    const records = this.records();
    while (records.next()) {
      if (records.number === 1) this.name = records.text();
      else if (records.number === 2) this.number = records.value;
      else if (records.number === 3) this.readOptions(records, 1);
    }
    this.jsonName = this.name;
  }

  toString() {
    return `enum value ${this.parent.typeName}.${this.name}`;
  }
}

/** `my_enum_`, where every value of `MyEnum` begins so and goes on with a letter. */
function sharedPrefix(enumName, values) {
  const prefix = `${enumName[0]}${enumName.slice(1).replaceAll(/[A-Z]/g, '_$&')}_`.toLowerCase();
  const isShared = values.every(
    ({ name }) =>
      name.length > prefix.length && name.toLowerCase().startsWith(prefix) && !/\d/.test(name[prefix.length]),
  );
  return isShared ? prefix : undefined;
}

class ServiceDescriptor extends Descriptor {
  kind = 'service';
  protoType = 'ServiceDescriptorProto';

  constructor(file, start, end) {
    super(file.bytes, start, end);
    this.file = file;
    this.name = '';
    this.methods = [];
    this.method = {};
    const records = this.records();
    while (records.next()) {
      if (records.number === 1) this.name = records.text();
      else if (records.number === 2) this.methods.push(new MethodDescriptor(this, records.from, records.to));
    }
    this.typeName = file.typeName(this.name);
    for (const method of this.methods) this.method[method.localName] = method;
  }

  toString() {
    return `service ${this.typeName}`;
  }
}

class MethodDescriptor extends Descriptor {
  kind = 'rpc';
  protoType = 'MethodDescriptorProto';

  constructor(parent, start, end) {
    super(parent.bytes, start, end);
    this.parent = parent;
    this.name = '';
    this.idempotency = 0;
    let isClientStreaming = false;
    let isServerStreaming = false;
    const records = this.records();
    while (records.next()) {
      if (records.number === 1) this.name = records.text();
      else if (records.number === 2) this.inputName = records.text().slice(1);
      else if (records.number === 3) this.outputName = records.text().slice(1);
      else if (records.number === 5) isClientStreaming = records.value === 1;
      else if (records.number === 6) isServerStreaming = records.value === 1;
    }
    this.localName = safeName(this.name[0].toLowerCase() + this.name.slice(1));
    if (isClientStreaming) this.methodKind = isServerStreaming ? 'bidi_streaming' : 'client_streaming';
    else this.methodKind = isServerStreaming ? 'server_streaming' : 'unary';
  }

  get input() {
    return lookup.message(this.inputName);
  }

  get output() {
    return lookup.message(this.outputName);
  }

  toString() {
    return `rpc ${this.parent.typeName}.${this.name}`;
  }
}

/** `a_b1_c` → `aB1C`, as protoc makes JSON names; a letter behind a digit stays as it is. */
export function camelCase(name) {
  return name.replaceAll(/_+([a-z0-9]?)/gi, (_, letter) => letter.toUpperCase());
}

const reservedNames = new Set(['constructor', 'toString', 'toJSON', 'valueOf']);

function safeName(name) {
  return reservedNames.has(name) ? `${name}$` : name;
}
