import { WireError, type WireCursor } from './wire-cursor.ts';
import { WireType } from './wire-type.ts';
import type { WireWriter } from './wire-writer.ts';

/** Structs within structs that are read. protobuf's own limit. */
const depthMax = 100;

/** The fields of a `google.protobuf.Struct`. Anything but an object is an empty one. */
export function writeStruct(writer: WireWriter, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    writer.tag(1, WireType.LengthDelimited).begin();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).begin();
    writeValue(writer, inner);
    writer.end().end();
  }
}

/** The one field of a `google.protobuf.Value`. */
function writeValue(writer: WireWriter, value: unknown): void {
  switch (typeof value) {
    case 'number':
      writer.tag(2, WireType.Bit64).double(value);
      return;
    case 'string':
      writer.tag(3, WireType.LengthDelimited).string(value);
      return;
    case 'boolean':
      writer.tag(4, WireType.Varint).uint32(value ? 1 : 0);
      return;
    case 'object':
      if (value === null) break;
      if (Array.isArray(value)) {
        writer.tag(6, WireType.LengthDelimited).begin();
        for (const inner of value as readonly unknown[]) {
          writer.tag(1, WireType.LengthDelimited).begin();
          writeValue(writer, inner);
          writer.end();
        }
      } else {
        writer.tag(5, WireType.LengthDelimited).begin();
        writeStruct(writer, value);
      }
      writer.end();
      return;
    default:
  }
  writer.tag(1, WireType.Varint).uint32(0);
}

/** A `google.protobuf.Struct` whose bytes end at `cursor.end`. */
export function readStruct(cursor: WireCursor, depth = 0): Record<string, unknown> {
  if (depth > depthMax) throw new WireError('allowed depth exceeded');
  const result: Record<string, unknown> = {};
  eachField(cursor, (number) => {
    if (number !== 1) return false;
    let key = '';
    let value: unknown = null;
    within(cursor, () =>
      eachField(cursor, (inner) => {
        if (inner === 1) key = readText(cursor);
        else if (inner === 2) within(cursor, () => (value = readValue(cursor, depth + 1)));
        else return false;
        return true;
      }),
    );
    Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
    return true;
  });
  return result;
}

function readValue(cursor: WireCursor, depth: number): unknown {
  let value: unknown = null;
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        cursor.uint32();
        value = null;
        return true;
      case 2:
        value = cursor.double();
        return true;
      case 3:
        value = readText(cursor);
        return true;
      case 4:
        value = cursor.uint32() !== 0;
        return true;
      case 5:
        within(cursor, () => (value = readStruct(cursor, depth + 1)));
        return true;
      case 6:
        within(cursor, () => (value = readList(cursor, depth + 1)));
        return true;
      default:
        return false;
    }
  });
  return value;
}

function readList(cursor: WireCursor, depth: number): unknown[] {
  if (depth > depthMax) throw new WireError('allowed depth exceeded');
  const list: unknown[] = [];
  eachField(cursor, (number) => {
    if (number !== 1) return false;
    within(cursor, () => list.push(readValue(cursor, depth + 1)));
    return true;
  });
  return list;
}

/** Calls `read` for each field up to `cursor.end`; what it says no to is skipped. */
export function eachField(cursor: WireCursor, read: (number: number) => boolean): void {
  while (cursor.at < cursor.end) {
    const tag = cursor.tag();
    // Half a tag: what was cut off might have said the opposite.
    if (tag === 0) throw new WireError('unexpected EOF');
    if (!read(tag >>> 3)) cursor.skip(tag >>> 3, (tag & 7) as WireType);
  }
}

/** Reads what has its length in front, as a message of its own. */
export function within(cursor: WireCursor, read: () => void): void {
  const { end } = cursor;
  const innerEnd = cursor.lengthEnd();
  cursor.end = innerEnd;
  read();
  cursor.at = innerEnd;
  cursor.end = end;
}

export function readText(cursor: WireCursor): string {
  const end = cursor.lengthEnd();
  const text = new TextDecoder().decode(cursor.bytes.subarray(cursor.at, end));
  cursor.at = end;
  return text;
}

/** As wire text, a character per byte. */
export function readBytes(cursor: WireCursor): string {
  const end = cursor.lengthEnd();
  const bytes = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
