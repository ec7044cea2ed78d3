import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  fromBinary,
  type AnyDesc,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
} from '@bufbuild/protobuf';
import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema, type DescriptorProto, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { customOption, file } from '../../../src/proto/embedded.js';
import { rules } from '../../../src/proto/validate/validate_pb.js';
import { RouteSchema } from '../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { table } from '../../../src/proto/table.js';

/** The same descriptors as protobuf-es itself reads them. */
const theirs = new Map<string, DescFile>();
const protos = readProtos();

function readProtos(): Map<string, FileDescriptorProto> {
  const bytes = readFileSync(new URL('../../../src/proto/descriptors.bin', import.meta.url));
  const found = new Map<string, FileDescriptorProto>();
  let offset = 0;
  for (const line of table.split('\n')) {
    const end = offset + Number(line.split(' ')[1]);
    const proto = fromBinary(FileDescriptorProtoSchema, bytes.subarray(offset, end));
    proto.messageType.forEach(restoreJsonNames);
    found.set(proto.name, proto);
    offset = end;
  }
  return found;
}

function restoreJsonNames(message: DescriptorProto): void {
  for (const field of message.field) if (!Object.hasOwn(field, 'jsonName')) field.jsonName = protoCamelCase(field.name);
  message.nestedType.forEach(restoreJsonNames);
}

function theirFile(name: string): DescFile {
  const known = theirs.get(name);
  if (known !== undefined) return known;
  const read = createFileRegistry(protos.get(name)!, theirFile).getFile(name)!;
  theirs.set(name, read);
  return read;
}

/** Everything that a descriptor says, with names for the descriptors that it leads to. */
function fileFacts(of: DescFile): unknown {
  return {
    ...facts(of, ['kind', 'name', 'edition', 'deprecated']),
    dependencies: of.dependencies.map(({ name }) => name),
    messages: of.messages.map(messageFacts),
    enums: of.enums.map(enumFacts),
    extensions: of.extensions.map((one) => ({
      field: fieldFacts(one as unknown as DescField),
      extendee: one.extendee.typeName,
    })),
    services: of.services.map(serviceFacts),
  };
}

function messageFacts(message: DescMessage): unknown {
  return {
    ...facts(message, ['kind', 'name', 'typeName', 'deprecated']),
    parent: message.parent?.typeName,
    fields: message.fields.map(fieldFacts),
    byName: Object.entries(message.field).map(([name, field]) => [name, field.number]),
    oneofs: message.oneofs.map((oneof) => [String(oneof), oneof.localName, oneof.fields.map(String), oneof.proto]),
    members: message.members.map(String),
    nestedMessages: message.nestedMessages.map(messageFacts),
    nestedEnums: message.nestedEnums.map(enumFacts),
    nestedExtensions: message.nestedExtensions.map(String),
  };
}

function fieldFacts(field: DescField): unknown {
  return {
    ...facts(field, ['kind', 'name', 'number', 'localName', 'jsonName', 'fieldKind', 'scalar', 'presence', 'packed']),
    ...facts(field, [
      'utf8Validation',
      'listKind',
      'mapKind',
      'mapKey',
      'delimitedEncoding',
      'deprecated',
      'longAsString',
    ]),
    message: field.message?.typeName,
    enum: field.enum?.typeName,
    oneof: field.oneof?.name,
    default: 'getDefaultValue' in field ? field.getDefaultValue?.() : undefined,
  };
}

function enumFacts(type: DescEnum): unknown {
  return {
    ...facts(type, ['kind', 'name', 'typeName', 'open', 'sharedPrefix', 'deprecated']),
    parent: type.parent?.typeName,
    values: type.values.map((value) => facts(value, ['kind', 'name', 'number', 'localName', 'jsonName', 'deprecated'])),
    byNumber: Object.entries(type.value).map(([number, value]) => [number, value.name]),
  };
}

function serviceFacts(service: DescService): unknown {
  return {
    ...facts(service, ['kind', 'name', 'typeName', 'deprecated']),
    methods: service.methods.map((method) => ({
      ...facts(method, ['kind', 'name', 'localName', 'methodKind', 'idempotency', 'deprecated']),
      types: [method.input.typeName, method.output.typeName],
    })),
  };
}

function facts(of: AnyDesc, names: readonly string[]): Record<string, unknown> {
  const all = of as unknown as Record<string, unknown>;
  return { ...Object.fromEntries(names.map((name) => [name, all[name]])), text: String(of) };
}

describe('descriptors read as they are asked for', () => {
  it('say what protobuf-es says', () => {
    for (const name of protos.keys()) expect(fileFacts(file(name))).toEqual(fileFacts(theirFile(name)));
  });

  it('are whole messages for who asks', () => {
    for (const name of protos.keys()) expect(file(name).proto).toEqual(protos.get(name));
  });

  it('give single options', () => {
    const messages = theirFile('envoy/config/route/v3/route_components.proto').messages;
    const { field } = messages.find(({ name }) => name === 'Route')!;
    expect(customOption(RouteSchema.field.match, rules.number)).toBeInstanceOf(Uint8Array);
    expect(customOption(RouteSchema.field.match, rules.number)).toEqual(customOption(field['match'], rules.number));
    expect(customOption(RouteSchema.field.name, rules.number)).toBeUndefined();
  });
});
