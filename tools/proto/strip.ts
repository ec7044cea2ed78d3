import { create, type Message } from '@bufbuild/protobuf';
import {
  FileOptionsSchema,
  MessageOptionsSchema,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';

/** Options that sekisho reads at run time, by extension number; every other custom option is dropped. */
const keptOptions: ReadonlySet<number> = new Set([
  1071, // validate.rules, validate.disabled, validate.required
  1072, // validate.ignored
  189503207, // envoy.annotations.disallowed_by_default
  157299826, // envoy.annotations.deprecated_at_minor_version
  70100853, // envoy.annotations.disallowed_by_default_enum
  181198657, // envoy.annotations.deprecated_at_minor_version_enum
  76569463, // udpa.annotations.sensitive
]);

/** Removes what is not read at run time: comments, reserved numbers, most options. */
export function strip(file: FileDescriptorProto): void {
  file.sourceCodeInfo = undefined;
  // proto3 files need no file option; editions keep their features.
  file.options =
    file.options?.features === undefined ? undefined : create(FileOptionsSchema, { features: file.options.features });
  for (const message of file.messageType) stripMessage(message);
  for (const type of file.enumType) stripEnum(type);
  for (const extension of file.extension) stripField(extension);
  for (const service of file.service) {
    service.options = undefined;
    for (const method of service.method) method.options = undefined;
  }
}

function stripMessage(message: DescriptorProto): void {
  const { options } = message;
  if (options !== undefined) {
    const kept = create(MessageOptionsSchema, options.mapEntry ? { mapEntry: true } : {});
    message.options = keepCustom(options, kept) || options.mapEntry ? kept : undefined;
  }
  message.reservedName = [];
  message.reservedRange = [];
  for (const field of message.field) stripField(field);
  for (const extension of message.extension) stripField(extension);
  for (const oneof of message.oneofDecl) {
    if (oneof.options !== undefined && !keepCustom(oneof.options, oneof.options)) oneof.options = undefined;
  }
  for (const type of message.enumType) stripEnum(type);
  for (const nested of message.nestedType) stripMessage(nested);
}

function stripField(field: FieldDescriptorProto): void {
  const { options } = field;
  if (options === undefined) return;
  const isKept = keepCustom(options, options);
  const { deprecated, packed, features } = options;
  options.$unknown = options.$unknown?.filter((unknown) => keptOptions.has(unknown.no));
  if (!isKept && !deprecated && !packed && features === undefined && !hasOther(options)) field.options = undefined;
}

function stripEnum(type: EnumDescriptorProto): void {
  type.options = undefined;
  type.reservedName = [];
  type.reservedRange = [];
  for (const value of type.value) {
    const { options } = value;
    if (options !== undefined && !keepCustom(options, options) && !options.deprecated) value.options = undefined;
  }
}

/** Copies the kept custom options; says whether there are any. */
function keepCustom(from: Message, to: Message): boolean {
  const kept = from.$unknown?.filter((unknown) => keptOptions.has(unknown.no)) ?? [];
  if (kept.length > 0) to.$unknown = kept;
  else delete to.$unknown;
  return kept.length > 0;
}

/** `packed = false` has a meaning of its own. */
function hasOther(options: Message): boolean {
  return Object.hasOwn(options, 'packed') || Object.hasOwn(options, 'features');
}
