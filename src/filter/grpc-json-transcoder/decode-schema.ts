import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { FieldType } from './schema/field-type.ts';
import type { EnumData, FieldData, MessageData, SchemaData } from './schema/schema-data.ts';

const plainField = {
  type: FieldType.String as FieldType,
  typeName: '',
  isRepeated: false,
  isMap: false,
  isRequired: false,
  hasPresence: false,
  oneof: '',
};

/** What `convert_grpc_status` prints, where the descriptors have it not. */
const statusMessages: readonly MessageData[] = [
  {
    typeName: 'google.protobuf.Any',
    fields: [
      { ...plainField, number: 1, name: 'type_url', jsonName: 'typeUrl' },
      { ...plainField, number: 2, name: 'value', jsonName: 'value', type: FieldType.Bytes },
    ],
  },
  {
    typeName: 'google.rpc.Status',
    fields: [
      { ...plainField, number: 1, name: 'code', jsonName: 'code', type: FieldType.Int32 },
      { ...plainField, number: 2, name: 'message', jsonName: 'message' },
      {
        ...plainField,
        number: 3,
        name: 'details',
        jsonName: 'details',
        type: FieldType.Message,
        typeName: 'google.protobuf.Any',
        isRepeated: true,
      },
    ],
  },
];

/** Reads a FileDescriptorSet. Throws an Error that says what is wrong with it. */
export function readDescriptorSet(bytes: Uint8Array): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}

/** Every message and enum: an Any may hold whichever. */
export function decodeSchema(registry: FileRegistry, withStatus: boolean): SchemaData {
  const messages: MessageData[] = [];
  const enums: EnumData[] = [];
  for (const type of registry) {
    if (type.kind === 'message') decodeMessage(type, messages);
    else if (type.kind === 'enum') enums.push(decodeEnum(type));
  }
  if (withStatus)
    for (const status of statusMessages) if (registry.getMessage(status.typeName) === undefined) messages.push(status);
  return { messages, enums };
}

function decodeMessage(message: DescMessage, messages: MessageData[]): void {
  messages.push({
    typeName: message.typeName,
    fields: message.fields.map((field) => {
      if (field.fieldKind === 'map') messages.push(decodeEntry(field));
      return decodeField(field);
    }),
  });
}

function decodeEnum({ typeName, values }: DescEnum): EnumData {
  return { typeName, values: values.map(({ name, number }) => ({ name, number })) };
}

function decodeField(field: DescField): FieldData {
  const isRepeated = field.fieldKind === 'list' || field.fieldKind === 'map';
  return {
    number: field.number,
    name: field.name,
    jsonName: field.jsonName,
    type: field.fieldKind === 'map' ? FieldType.Message : typeOf(field),
    typeName: field.fieldKind === 'map' ? entryName(field) : typeNameOf(field),
    isRepeated,
    isMap: field.fieldKind === 'map',
    isRequired: field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED,
    hasPresence: !isRepeated && field.presence !== FeatureSet_FieldPresence.IMPLICIT,
    oneof: field.oneof?.name ?? '',
  };
}

function typeOf(field: DescField): FieldType {
  if (field.enum !== undefined) return FieldType.Enum;
  if (field.message === undefined) return field.scalar;
  const isDelimited = 'delimitedEncoding' in field && field.delimitedEncoding === true;
  return isDelimited ? FieldType.Group : FieldType.Message;
}

function typeNameOf(field: DescField): string {
  return field.enum?.typeName ?? field.message?.typeName ?? '';
}

/** On the wire a map is a list of such messages. */
function decodeEntry(field: DescField & { fieldKind: 'map' }): MessageData {
  return {
    typeName: entryName(field),
    fields: [
      { ...plainField, number: 1, name: 'key', jsonName: 'key', type: field.mapKey },
      { ...plainField, number: 2, name: 'value', jsonName: 'value', type: typeOf(field), typeName: typeNameOf(field) },
    ],
  };
}

function entryName(field: DescField): string {
  return field.proto.typeName.replace(/^\./, '');
}
