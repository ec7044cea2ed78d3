/**
 * protobuf-es for whoever runs: its functions in one module and over `embedded.js`'s descriptors. Importing the package
 * itself costs a start 40 ms and 20 MB, most of it for well-known types that nobody asks for. Types come from the package.
 */
export {
  clone,
  create,
  createRegistry,
  fromBinary,
  fromJson,
  isFieldSet,
  ScalarType,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
export { base64Decode } from '@bufbuild/protobuf/wire';
export {
  anyIs,
  anyPack,
  anyUnpack,
  AnySchema,
  DurationSchema,
  EmptySchema,
  FieldMaskSchema,
  isWrapperDesc,
  ListValueSchema,
  NullValue,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from '@bufbuild/protobuf/wkt';
