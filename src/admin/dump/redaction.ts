import type { DescField, DescMessage, JsonObject, JsonValue, Registry } from '@bufbuild/protobuf';
import { customOption } from '../../proto/embedded.js';
import { ScalarType } from '../../proto/protobuf.js';
import { packedType } from './packed-type.ts';

/** `udpa.annotations.sensitive` in FieldOptions. */
const sensitiveOption = 76569463;
const hiddenText = '[redacted]';
const hiddenBytes = Buffer.from(hiddenText).toString('base64');

/**
 * Takes out what Envoy's protos mark `udpa.annotations.sensitive`: texts and bytes become `[redacted]`, other values go.
 * Inside `Any` and `TypedStruct` the packed type decides; what has no known type is hidden whole.
 * @param json the message in proto names; changed in place
 */
export function redact(json: JsonValue, type: DescMessage, registry: Registry, isHidden = false): void {
  if (!isObject(json)) return;
  const packed = packedType(json, type, registry);
  if (packed !== undefined) {
    if (packed.type !== undefined) redact(packed.fields, packed.type, registry, isHidden);
    else if (isHidden) for (const key of Object.keys(packed.fields)) delete packed.fields[key];
    return;
  }
  const fields = fieldsOf(type);
  for (const [name, value] of Object.entries(json)) {
    const known = fields.get(name);
    if (known === undefined) continue;
    const kept = redactField(value, known.field, registry, isHidden || known.isSensitive);
    if (kept === undefined) delete json[name];
    else json[name] = kept;
  }
}

interface KnownField {
  readonly field: DescField;
  readonly isSensitive: boolean;
}

/** Reading an option costs a parse of the descriptor's options: once per type, not once per message. */
const fieldsByType = new WeakMap<DescMessage, ReadonlyMap<string, KnownField>>();

function fieldsOf(type: DescMessage): ReadonlyMap<string, KnownField> {
  let fields = fieldsByType.get(type);
  if (fields === undefined) {
    fields = new Map(
      type.fields.map((field) => [field.name, { field, isSensitive: customOption(field, sensitiveOption) === 1 }]),
    );
    fieldsByType.set(type, fields);
  }
  return fields;
}

function redactField(value: JsonValue, field: DescField, registry: Registry, isHidden: boolean): JsonValue | undefined {
  const inner = field.message;
  if (inner !== undefined) {
    const isList = field.fieldKind === 'list' && Array.isArray(value);
    const parts = isList ? value : field.fieldKind === 'map' && isObject(value) ? Object.values(value) : [value];
    // A wrapper, duration or struct is a plain value in JSON: hidden or kept whole.
    if (isHidden && inner.typeName.startsWith('google.protobuf.') && inner.typeName !== 'google.protobuf.Any')
      return hide(value, field);
    for (const part of parts) redact(part, inner, registry, isHidden);
    return value;
  }
  return isHidden ? hide(value, field) : value;
}

/** Undefined: nothing can stand in its place. */
function hide(value: JsonValue, field: DescField): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((item) => hide(item, field)).filter((item) => item !== undefined);
  if (isObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, hide(item, field)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
  }
  // Numbers of 64 bits, durations and enums are strings in JSON too.
  if (typeof value !== 'string') return undefined;
  if (field.scalar === ScalarType.BYTES || field.message?.typeName === 'google.protobuf.BytesValue') return hiddenBytes;
  return field.scalar === ScalarType.STRING || showsText.has(field.message?.typeName ?? '') ? hiddenText : undefined;
}

const showsText: ReadonlySet<string> = new Set([
  'google.protobuf.StringValue',
  'google.protobuf.Struct',
  'google.protobuf.Value',
  'google.protobuf.ListValue',
]);

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
