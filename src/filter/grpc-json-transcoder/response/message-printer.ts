import { WireType } from '../../wire/wire-type.ts';
import { doubleText } from '../json/json-number.ts';
import { escapeJson, JsonText } from '../json/json-text.ts';
import { resolveAny } from '../schema/any-type.ts';
import { FieldType } from '../schema/field-type.ts';
import { type FieldPlan, type MessagePlan, WellKnown } from '../schema/message-plan.ts';
import type { Schema } from '../schema/schema.ts';
import { defaultJson, keyJson, readInt64, readText, scalarJson } from './scalar-printer.ts';
import { camelPath, durationText, timestampText } from './time-text.ts';
import { WireCursor, WireError } from '../../wire/wire-cursor.ts';

/** Messages within each other. */
const depthMax = 100;

export interface PrintOptions {
  readonly addsWhitespace: boolean;
  /** Fields without presence are printed where they are not set. */
  readonly printsDefaults: boolean;
  readonly printsEnumsAsInts: boolean;
  readonly keepsProtoNames: boolean;
}

/**
 * Prints messages as JSON straight from the wire, as protobuf's `BinaryToJsonStream` does for Envoy: fields by number,
 * numbers of 64 bits in quotes, a field that comes twice refused.
 */
export class MessagePrinter {
  private readonly schema: Schema;
  private readonly options: PrintOptions;
  private json: JsonText;
  private depth: number;
  /** Field number, wire type and position of each value of the messages being printed, the innermost last. */
  private readonly found: number[];

  constructor(schema: Schema, options: PrintOptions) {
    this.schema = schema;
    this.options = options;
    this.json = new JsonText(options.addsWhitespace);
    this.depth = 0;
    this.found = [];
  }

  /** @returns JSON, or what is wrong with the message */
  print(plan: MessagePlan, message: Uint8Array): { readonly json: string } | { readonly error: string } {
    this.json = new JsonText(this.options.addsWhitespace);
    this.depth = 0;
    this.found.length = 0;
    try {
      this.printMessage(plan, new WireCursor(message));
    } catch (error) {
      if (error instanceof WireError) return { error: error.message };
      throw error;
    }
    this.json.finish();
    return { json: this.json.text };
  }

  /** The message that fills the cursor. */
  private printMessage(plan: MessagePlan, cursor: WireCursor): void {
    if (++this.depth > depthMax) throw new WireError('allowed depth exceeded');
    switch (plan.wellKnown) {
      case WellKnown.None:
        this.json.open('{');
        this.printFields(plan, cursor);
        this.json.close('}');
        break;
      case WellKnown.Any:
        this.printAny(cursor);
        break;
      case WellKnown.Timestamp:
      case WellKnown.Duration:
        this.printTime(plan, cursor);
        break;
      case WellKnown.FieldMask:
        this.printFieldMask(cursor);
        break;
      case WellKnown.Wrapper:
        this.printWrapper(plan, cursor);
        break;
      case WellKnown.Value:
        this.printValue(plan, cursor);
        break;
      case WellKnown.Struct:
      case WellKnown.ListValue:
        this.printOnly(plan, cursor);
    }
    this.depth--;
  }

  private printFields(plan: MessagePlan, cursor: WireCursor): void {
    const base = this.found.length;
    this.find(plan, cursor);
    const end = this.found.length;
    let at = base;
    if (this.options.printsDefaults) {
      for (const field of plan.fields) {
        const from = at;
        while (at < end && this.found[at] === field.number) at += 3;
        if (at > from) this.printField(field, cursor, from, at);
        else if (!field.hasPresence) this.printDefault(field);
      }
    }
    while (at < end) {
      const from = at;
      const number = this.found[from];
      while (at < end && this.found[at] === number) at += 3;
      this.printField(plan.byNumber.get(number)!, cursor, from, at);
    }
    this.found.length = base;
  }

  /** Notes where the known fields' values are, by number. */
  private find(plan: MessagePlan, cursor: WireCursor): void {
    const { found } = this;
    const base = found.length;
    let isSorted = true;
    let last = 0;
    for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
      const number = tag >>> 3;
      const type = (tag & 7) as WireType;
      const field = plan.byNumber.get(number);
      if (field !== undefined) {
        checkType(field, type);
        if (number < last) isSorted = false;
        last = number;
        found.push(number, type, cursor.at);
      }
      cursor.skip(number, type);
    }
    if (!isSorted) this.sort(base);
  }

  /** Stable: the values of a repeated field keep their order. */
  private sort(base: number): void {
    const { found } = this;
    const rows: [number, number, number][] = [];
    for (let i = base; i < found.length; i += 3) rows.push([found[i], found[i + 1], found[i + 2]]);
    rows.sort((a, b) => a[0] - b[0]);
    found.length = base;
    for (const row of rows) found.push(...row);
  }

  /** `from`, `to`: its values in `found`. */
  private printField(field: FieldPlan, cursor: WireCursor, from: number, to: number): void {
    if (field.isMap) this.printMap(field, cursor, from, to);
    else if (field.isRepeated) this.printList(field, cursor, from, to);
    else {
      if (to - from > 3) throw new WireError(`repeated entries for singular field number ${field.number}`);
      cursor.at = this.found[from + 2];
      if (isUnsetValue(field, cursor)) return;
      this.json.member(this.keyOf(field));
      this.printOne(field, cursor);
    }
  }

  private printDefault(field: FieldPlan): void {
    const { json } = this;
    json.member(this.keyOf(field));
    if (field.isMap) json.text += '{}';
    else json.text += field.isRepeated ? '[]' : defaultJson(field, this.options.printsEnumsAsInts);
  }

  private keyOf(field: FieldPlan): string {
    return this.options.keepsProtoNames ? field.protoKey : field.jsonKey;
  }

  /** The value at the cursor. */
  private printOne(field: FieldPlan, cursor: WireCursor): void {
    if (!field.isMessage) {
      this.json.text += scalarJson(cursor, field, this.options.printsEnumsAsInts);
      return;
    }
    const { end } = cursor;
    cursor.end = field.type === FieldType.Group ? groupEnd(cursor) : cursor.lengthEnd();
    this.printMessage(field.message!, cursor);
    cursor.at = cursor.end;
    cursor.end = end;
  }

  private printList(field: FieldPlan, cursor: WireCursor, from: number, to: number): void {
    const { json } = this;
    json.member(this.keyOf(field));
    json.open('[');
    for (let i = from; i < to; i += 3) {
      cursor.at = this.found[i + 2];
      if (this.found[i + 1] === WireType.LengthDelimited && isPackable(field)) {
        const { end } = cursor;
        cursor.end = cursor.lengthEnd();
        while (cursor.at < cursor.end) {
          json.next();
          this.printOne(field, cursor);
        }
        cursor.end = end;
      } else if (!isUnsetValue(field, cursor)) {
        json.next();
        this.printOne(field, cursor);
      }
    }
    json.close(']');
  }

  private printMap(field: FieldPlan, cursor: WireCursor, from: number, to: number): void {
    this.json.member(this.keyOf(field));
    this.json.open('{');
    for (let i = from; i < to; i += 3) {
      cursor.at = this.found[i + 2];
      const { end } = cursor;
      cursor.end = cursor.lengthEnd();
      this.printEntry(field.message!, cursor);
      cursor.end = end;
    }
    this.json.close('}');
  }

  private printEntry(plan: MessagePlan, cursor: WireCursor): void {
    const [keyField, valueField] = plan.fields;
    const base = this.found.length;
    this.find(plan, cursor);
    let key = -1;
    let value = -1;
    for (let i = base; i < this.found.length; i += 3) {
      if (this.found[i] === 1) key = this.found[i + 2];
      else value = this.found[i + 2];
    }
    this.found.length = base;
    cursor.at = key;
    const name = key < 0 ? `"${defaultJson(keyField, false).replaceAll('"', '')}"` : keyJson(cursor, keyField);
    cursor.at = value;
    if (value >= 0 && isUnsetValue(valueField, cursor)) return;
    this.json.member(`${name}:`);
    if (value >= 0) this.printOne(valueField, cursor);
    else if (valueField.isMessage) this.printMessage(valueField.message!, new WireCursor(new Uint8Array(0)));
    else this.json.text += defaultJson(valueField, this.options.printsEnumsAsInts);
  }

  private printAny(cursor: WireCursor): void {
    const { json } = this;
    const { url, start, end } = readAny(cursor);
    json.open('{');
    if (url === '') {
      if (end > start) throw new WireError('broken Any: missing type URL');
    } else {
      const type = resolveAny(this.schema, url);
      if (typeof type === 'string') throw new WireError(type);
      json.member('"@type":');
      json.text += `"${escapeJson(url)}"`;
      cursor.at = start;
      cursor.end = end;
      if (type.wellKnown === WellKnown.None) this.printFields(type, cursor);
      else {
        json.member('"value":');
        this.printMessage(type, cursor);
      }
    }
    json.close('}');
  }

  private printTime(plan: MessagePlan, cursor: WireCursor): void {
    let seconds = 0;
    let nanos = 0;
    for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
      if (tag === 8) seconds = Number(readInt64(cursor));
      else if (tag === 16) nanos = cursor.uint32() | 0;
      else cursor.skip(tag >>> 3, (tag & 7) as WireType);
    }
    const print = plan.wellKnown === WellKnown.Timestamp ? timestampText : durationText;
    this.json.text += `"${print(seconds, nanos)}"`;
  }

  private printFieldMask(cursor: WireCursor): void {
    const paths: string[] = [];
    for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
      if (tag === 10) paths.push(camelPath(readText(cursor)));
      else cursor.skip(tag >>> 3, (tag & 7) as WireType);
    }
    this.json.text += `"${escapeJson(paths.join(','))}"`;
  }

  private printWrapper(plan: MessagePlan, cursor: WireCursor): void {
    const [field] = plan.fields;
    const base = this.found.length;
    this.find(plan, cursor);
    if (this.found.length === base) this.json.text += defaultJson(field, false);
    else {
      cursor.at = this.found[base + 2];
      this.json.text += scalarJson(cursor, field, false);
    }
    this.found.length = base;
  }

  /** A Value: whichever of its fields comes first. One that has none is not printed at all, and never comes here. */
  private printValue(plan: MessagePlan, cursor: WireCursor): void {
    const base = this.found.length;
    this.find(plan, cursor);
    const isEmpty = this.found.length === base;
    const field = isEmpty ? null : plan.byNumber.get(this.found[base])!;
    cursor.at = isEmpty ? cursor.end : this.found[base + 2];
    this.found.length = base;
    if (field === null) this.json.text += 'null';
    else if (field.type !== FieldType.Double) this.printOne(field, cursor);
    else {
      const number = cursor.double();
      if (!Number.isFinite(number)) throw new WireError(notInValue(number));
      this.json.text += doubleText(number);
    }
  }

  /** A Struct is its map, a ListValue its list. */
  private printOnly(plan: MessagePlan, cursor: WireCursor): void {
    const [field] = plan.fields;
    const base = this.found.length;
    this.find(plan, cursor);
    const isMap = plan.wellKnown === WellKnown.Struct;
    this.printInside(field, cursor, base, isMap);
    this.found.length = base;
  }

  private printInside(field: FieldPlan, cursor: WireCursor, base: number, isMap: boolean): void {
    const { json, found } = this;
    const count = found.length;
    json.open(isMap ? '{' : '[');
    for (let i = base; i < count; i += 3) {
      cursor.at = found[i + 2];
      if (isMap) {
        const { end } = cursor;
        cursor.end = cursor.lengthEnd();
        this.printEntry(field.message!, cursor);
        cursor.end = end;
      } else if (!isUnsetValue(field, cursor)) {
        json.next();
        this.printOne(field, cursor);
      }
    }
    json.close(isMap ? '}' : ']');
  }
}

function notInValue(number: number): string {
  const name = Number.isNaN(number) ? 'nan' : `${number < 0 ? '-' : ''}inf`;
  return `google.protobuf.Value cannot encode double values for ${name}, because it would be parsed as a string`;
}

function readAny(cursor: WireCursor): { url: string; start: number; end: number } {
  let url = '';
  let start = 0;
  let end = 0;
  for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
    if (tag === 10) url = readText(cursor);
    else if (tag === 18) {
      end = cursor.lengthEnd();
      start = cursor.at;
      cursor.at = end;
    } else cursor.skip(tag >>> 3, (tag & 7) as WireType);
  }
  return { url, start, end };
}

/** A google.protobuf.Value without a kind says nothing: JSON leaves it out. */
function isUnsetValue(field: FieldPlan, cursor: WireCursor): boolean {
  return field.isMessage && field.message!.wellKnown === WellKnown.Value && cursor.bytes[cursor.at] === 0;
}

function isPackable(field: FieldPlan): boolean {
  return wireTypeOf(field) !== WireType.LengthDelimited && field.type !== FieldType.Group;
}

function checkType(field: FieldPlan, type: WireType): void {
  if (type === wireTypeOf(field)) return;
  if (type === WireType.LengthDelimited && field.isRepeated && isPackable(field)) return;
  const { number } = field;
  switch (type) {
    case WireType.StartGroup:
      throw new WireError(`field number ${number} is not a group`);
    case WireType.EndGroup:
      throw new WireError(`attempted to close group ${number} before SGROUP tag`);
    default:
      throw new WireError(`field type ${field.type} (number ${number}) does not support ${kindOf(type)} fields`);
  }
}

function kindOf(type: WireType): string {
  if (type === WireType.Varint) return 'varint';
  if (type === WireType.Bit32) return '32-bit';
  return type === WireType.Bit64 ? '64-bit' : 'type 2';
}

function wireTypeOf(field: FieldPlan): WireType {
  switch (field.type) {
    case FieldType.String:
    case FieldType.Bytes:
    case FieldType.Message:
      return WireType.LengthDelimited;
    case FieldType.Group:
      return WireType.StartGroup;
    case FieldType.Double:
    case FieldType.Fixed64:
    case FieldType.Sfixed64:
      return WireType.Bit64;
    case FieldType.Float:
    case FieldType.Fixed32:
    case FieldType.Sfixed32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

/** Where the group at the cursor ends, its closing tag left out. */
function groupEnd(cursor: WireCursor): number {
  const start = cursor.at;
  for (;;) {
    const at = cursor.at;
    const tag = cursor.tag();
    if ((tag & 7) === WireType.EndGroup) {
      cursor.at = start;
      return at;
    }
    cursor.skip(tag >>> 3, (tag & 7) as WireType);
  }
}
