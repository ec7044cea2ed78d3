import type { PackedMessage } from '../core/extension.ts';
import { create, fromBinary, toBinary } from '../proto/protobuf.js';
import { TypedStructSchema } from '../proto/xds/type/v3/typed_struct_pb.js';
import { MessageReader } from './message-reader.ts';
import { isTypedStruct, messageType, typeNameIn, unknownTypeName } from './message-types.ts';
import type { ConfigReason } from './problem.ts';
import { validate } from './validator.ts';

export interface Unwrapped {
  /** The message itself; the TypedStruct when `reasons` has any. */
  readonly packed: PackedMessage;
  /** Paths begin at the message inside. */
  readonly reasons: readonly ConfigReason[];
}

/**
 * The message that a TypedStruct stands for, when it came as bytes (xDS); texts have theirs unwrapped while they are
 * read. Anything else is handed back as it is.
 */
export function unwrapTypedStruct(packed: PackedMessage): Unwrapped {
  if (!isTypedStruct(typeNameIn(packed.typeUrl))) return { packed, reasons: [] };
  const struct = fromBinary(TypedStructSchema, packed.value);
  const type = messageType(typeNameIn(struct.typeUrl));
  if (type === undefined) {
    const { message, suggestion } = unknownTypeName(typeNameIn(struct.typeUrl));
    return { packed, reasons: [{ path: '', message, ...(suggestion === undefined ? {} : { suggestion }) }] };
  }
  const reader = new MessageReader({ allowUnknown: false });
  const message = create(type);
  reader.read(type, struct.value ?? {}, message);
  const reasons = reader.reasons.length > 0 ? reader.reasons : validate(type, message);
  const broken = reasons.filter(({ isWarning }) => isWarning !== true);
  if (broken.length > 0) return { packed, reasons: broken };
  return { packed: { typeUrl: struct.typeUrl, value: toBinary(type, message) }, reasons: [] };
}
