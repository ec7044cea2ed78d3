import {
  getOption,
  ScalarType,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Registry,
} from '@bufbuild/protobuf';
import { sensitive } from '../../proto/udpa/annotations/sensitive_pb.js';
import { packedType } from './packed-type.ts';

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
  for (const field of type.fields) {
    const value = json[field.name];
    if (value !== undefined)
      json[field.name] = redactField(value, field, registry, isHidden || getOption(field, sensitive));
    if (json[field.name] === undefined) delete json[field.name];
  }
}

function redactField(value: JsonValue, field: DescField, registry: Registry, isHidden: boolean): JsonValue {
  const inner = field.message;
  if (inner !== undefined) {
    const isList = field.fieldKind === 'list' && Array.isArray(value);
    const parts = isList ? value : field.fieldKind === 'map' && isObject(value) ? Object.values(value) : [value];
    // A wrapper, duration or struct is a plain value in JSON: hidden or kept whole.
    if (isHidden && inner.typeName.startsWith('google.protobuf.') && inner.typeName !== 'google.protobuf.Any')
      return hide(value, field);
    for (const part of parts) redact(part as JsonValue, inner, registry, isHidden);
    return value;
  }
  return isHidden ? hide(value, field) : value;
}

function hide(value: JsonValue, field: DescField): JsonValue {
  if (Array.isArray(value)) return value.map((item) => hide(item, field));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hide(item, field)]));
  const isBytes = field.scalar === ScalarType.BYTES || field.message?.typeName === 'google.protobuf.BytesValue';
  if (typeof value === 'string') return isBytes ? hiddenBytes : hiddenText;
  return undefined as unknown as JsonValue;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
