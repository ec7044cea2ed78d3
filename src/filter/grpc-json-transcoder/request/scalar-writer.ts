import { WireType } from '../../wire/wire-type.ts';
import type { WireWriter } from '../../wire/wire-writer.ts';
import { FieldType } from '../schema/field-type.ts';
import type { FieldPlan } from '../schema/message-plan.ts';
import { toBool, toBytes, toDouble, toEnum, toFloat, toInteger32, toInteger64 } from './scalar-conversion.ts';
import type { JsonScalar } from './scalar-text.ts';

/**
 * Writes a scalar or an enum with its tag, converting what JSON says to the field's type.
 * @returns false: it does not fit, and nothing was written
 */
export function writeScalar(out: WireWriter, field: FieldPlan, value: JsonScalar, ignoreEnumCase: boolean): boolean {
  switch (field.type) {
    case FieldType.String:
      if (typeof value !== 'string') return false;
      out.tag(field.number, WireType.LengthDelimited).string(value);
      return true;
    case FieldType.Bytes:
      return writeBytes(out, field, value);
    case FieldType.Bool: {
      const truth = toBool(value);
      if (truth !== null) out.tag(field.number, WireType.Varint).uint32(truth ? 1 : 0);
      return truth !== null;
    }
    case FieldType.Enum: {
      const number = toEnum(value, field.enumeration!, ignoreEnumCase);
      if (number !== null) out.tag(field.number, WireType.Varint).int32(number);
      return number !== null;
    }
    case FieldType.Double: {
      const number = toDouble(value);
      if (number !== null) out.tag(field.number, WireType.Bit64).double(number);
      return number !== null;
    }
    case FieldType.Float: {
      const number = toFloat(value);
      if (number !== null) out.tag(field.number, WireType.Bit32).float(number);
      return number !== null;
    }
    case FieldType.Int32:
    case FieldType.Sint32:
    case FieldType.Sfixed32:
      return writeInteger32(out, field, toInteger32(value, true));
    case FieldType.Uint32:
    case FieldType.Fixed32:
      return writeInteger32(out, field, toInteger32(value, false));
    case FieldType.Int64:
    case FieldType.Uint64:
    case FieldType.Sint64:
    case FieldType.Fixed64:
    case FieldType.Sfixed64:
      return writeInteger64(out, field, toInteger64(value, field.type));
    default:
      // A message is no scalar.
      return false;
  }
}

function writeBytes(out: WireWriter, field: FieldPlan, value: JsonScalar): boolean {
  const bytes = typeof value === 'string' ? toBytes(value) : null;
  if (bytes !== null) out.tag(field.number, WireType.LengthDelimited).bytesWithLength(bytes);
  return bytes !== null;
}

function writeInteger32(out: WireWriter, field: FieldPlan, number: number | null): boolean {
  if (number === null) return false;
  switch (field.type) {
    case FieldType.Int32:
      out.tag(field.number, WireType.Varint).int32(number);
      break;
    case FieldType.Uint32:
      out.tag(field.number, WireType.Varint).uint32(number);
      break;
    case FieldType.Sint32:
      out.tag(field.number, WireType.Varint).sint32(number);
      break;
    default:
      out.tag(field.number, WireType.Bit32).fixed32(number);
  }
  return true;
}

function writeInteger64(out: WireWriter, field: FieldPlan, number: bigint | number | null): boolean {
  if (number === null) return false;
  switch (field.type) {
    case FieldType.Int64:
      out.tag(field.number, WireType.Varint).uint64(number);
      break;
    case FieldType.Uint64:
      out.tag(field.number, WireType.Varint).uint64(number);
      break;
    case FieldType.Sint64:
      out.tag(field.number, WireType.Varint).sint64(number);
      break;
    default:
      out.tag(field.number, WireType.Bit64).fixed64(number);
  }
  return true;
}
