import { latin1 } from '../../../core/bytes.ts';
import { doubleText, floatText } from '../json/json-number.ts';
import { escapeJson } from '../json/json-text.ts';
import { FieldType } from '../schema/field-type.ts';
import type { FieldPlan } from '../schema/message-plan.ts';
import { type WireCursor, WireError } from '../../wire/wire-cursor.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Shorter texts are checked byte by byte rather than given to the decoder. */
const shortText = 64;

/** A scalar or enum, which is next, as JSON. */
export function scalarJson(cursor: WireCursor, field: FieldPlan, enumsAsInts: boolean): string {
  switch (field.type) {
    case FieldType.String:
      return `"${escapeJson(readText(cursor))}"`;
    case FieldType.Bytes:
      return `"${base64(cursor)}"`;
    case FieldType.Bool:
      return readBool(cursor) ? 'true' : 'false';
    case FieldType.Enum:
      return enumJson(field, cursor.uint32() | 0, enumsAsInts);
    case FieldType.Double:
      return realJson(cursor.double(), doubleText);
    case FieldType.Float:
      return realJson(cursor.float(), floatText);
    case FieldType.Int32:
      return String(cursor.uint32() | 0);
    case FieldType.Uint32:
      return String(cursor.uint32());
    case FieldType.Sint32: {
      const value = cursor.uint32();
      return String((value >>> 1) ^ -(value & 1));
    }
    case FieldType.Fixed32:
      return String(cursor.fixed32());
    case FieldType.Sfixed32:
      return String(cursor.fixed32() | 0);
    default:
      return `"${integer64(cursor, field.type)}"`;
  }
}

/** The same for a key of a map: always in quotes. */
export function keyJson(cursor: WireCursor, field: FieldPlan): string {
  const json = scalarJson(cursor, field, false);
  return json.startsWith('"') ? json : `"${json}"`;
}

/** What stands for a scalar that is not there. */
export function defaultJson(field: FieldPlan, enumsAsInts: boolean): string {
  switch (field.type) {
    case FieldType.String:
    case FieldType.Bytes:
      return '""';
    case FieldType.Bool:
      return 'false';
    case FieldType.Enum:
      return enumJson(field, 0, enumsAsInts);
    case FieldType.Int64:
    case FieldType.Uint64:
    case FieldType.Sint64:
    case FieldType.Fixed64:
    case FieldType.Sfixed64:
      return '"0"';
    default:
      return '0';
  }
}

function enumJson(field: FieldPlan, number: number, asInt: boolean): string {
  const plan = field.enumeration!;
  if (plan.isNull) return 'null';
  const name = asInt ? undefined : plan.names.get(number);
  return name === undefined ? String(number) : `"${name}"`;
}

function integer64(cursor: WireCursor, type: FieldType): string {
  switch (type) {
    case FieldType.Uint64:
      return String(cursor.uint64());
    case FieldType.Fixed64:
      return String(cursor.fixed64());
    case FieldType.Sfixed64:
      return String(BigInt.asIntN(64, cursor.fixed64()));
    case FieldType.Sint64: {
      const value = BigInt(cursor.uint64());
      return String((value >> 1n) ^ -(value & 1n));
    }
    default:
      return String(readInt64(cursor));
  }
}

export function readInt64(cursor: WireCursor): number | bigint {
  const value = cursor.uint64();
  return typeof value === 'number' ? value : BigInt.asIntN(64, value);
}

function readBool(cursor: WireCursor): boolean {
  const value = cursor.uint32();
  if (value > 1) throw new WireError(`bad value for bool: \\x${value.toString(16).padStart(2, '0')}`);
  return value === 1;
}

function realJson(value: number, print: (value: number) => string): string {
  if (Number.isFinite(value)) return print(value);
  if (Number.isNaN(value)) return '"NaN"';
  return value > 0 ? '"Infinity"' : '"-Infinity"';
}

export function readText(cursor: WireCursor): string {
  const end = cursor.lengthEnd();
  const { bytes, at } = cursor;
  cursor.at = end;
  if (end - at < shortText && isAscii(bytes, at, end)) return latin1(bytes, at, end);
  try {
    return utf8.decode(bytes.subarray(at, end));
  } catch {
    throw new WireError('proto3 strings must be UTF-8');
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] >= 128) return false;
  return true;
}

function base64(cursor: WireCursor): string {
  const end = cursor.lengthEnd();
  const binary = latin1(cursor.bytes, cursor.at, end);
  cursor.at = end;
  return btoa(binary);
}
