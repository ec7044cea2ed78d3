/** What `protobuf.js` has of protobuf-es; `protobuf.d.ts` says the same. */
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
export { anyIs, anyPack, anyUnpack, isWrapperDesc } from '@bufbuild/protobuf/wkt';
export {
  AnySchema,
  DurationSchema,
  EmptySchema,
  FieldMaskSchema,
  ListValueSchema,
  NullValue,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from './wkt.js';
