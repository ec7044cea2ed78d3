import { messageType } from './types.js';

/** What protobuf-es has in `wkt/google/protobuf/*_pb.js`, of the same descriptors as everything else here. */

export const AnySchema = /*@__PURE__*/ messageType('google.protobuf.Any');
export const DurationSchema = /*@__PURE__*/ messageType('google.protobuf.Duration');
export const EmptySchema = /*@__PURE__*/ messageType('google.protobuf.Empty');
export const FieldMaskSchema = /*@__PURE__*/ messageType('google.protobuf.FieldMask');
export const ListValueSchema = /*@__PURE__*/ messageType('google.protobuf.ListValue');
export const StructSchema = /*@__PURE__*/ messageType('google.protobuf.Struct');
export const TimestampSchema = /*@__PURE__*/ messageType('google.protobuf.Timestamp');
export const ValueSchema = /*@__PURE__*/ messageType('google.protobuf.Value');
export const NullValue = { NULL_VALUE: 0, 0: 'NULL_VALUE' };
