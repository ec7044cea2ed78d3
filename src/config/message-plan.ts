import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { isWrapperDesc, ScalarType } from '../proto/protobuf.js';
import { scalarReader, type ScalarReader } from './scalar.ts';

/** How one value of a field, or one element of it, is read. */
export type ElementPlan =
  | { readonly kind: 'scalar'; readonly read: ScalarReader; readonly zero: unknown }
  | { readonly kind: 'enum'; readonly type: DescEnum; readonly numbers: ReadonlyMap<string, number> }
  | { readonly kind: 'wrapper'; readonly type: DescMessage; readonly read: ScalarReader; readonly isUnwrapped: boolean }
  | { readonly kind: 'struct'; readonly isJson: boolean }
  | {
      readonly kind: 'value' | 'listValue' | 'any' | 'duration' | 'timestamp' | 'fieldMask';
      readonly type: DescMessage;
    }
  | { readonly kind: 'message'; readonly type: DescMessage };

export interface FieldPlan {
  readonly field: DescField;
  /** Property of the message object. */
  readonly localName: string;
  /** Property of the oneof that holds the field, or null. */
  readonly oneof: string | null;
  readonly shape: 'single' | 'list' | 'map';
  readonly element: ElementPlan;
  /** Of a map. */
  readonly readKey: ScalarReader | null;
  /** null is a value of the field (google.protobuf.Value), not its absence. */
  readonly takesNull: boolean;
}

/** What the reader knows of a message type: its fields by both of their names. */
export type MessagePlan = ReadonlyMap<string, FieldPlan>;

const plans = new WeakMap<DescMessage, MessagePlan>();

export function planOf(type: DescMessage): MessagePlan {
  let plan = plans.get(type);
  if (plan === undefined) {
    const fields = new Map<string, FieldPlan>();
    for (const field of type.fields) {
      const one = fieldPlan(field);
      fields.set(field.name, one).set(field.jsonName, one);
    }
    plan = fields;
    plans.set(type, plan);
  }
  return plan;
}

function fieldPlan(field: DescField): FieldPlan {
  const element = elementPlan(field);
  return {
    field,
    localName: field.localName,
    oneof: field.oneof === undefined ? null : field.oneof.localName,
    shape: field.fieldKind === 'list' ? 'list' : field.fieldKind === 'map' ? 'map' : 'single',
    element,
    readKey: field.fieldKind === 'map' ? scalarReader(field.mapKey) : null,
    takesNull:
      element.kind === 'value' || (element.kind === 'enum' && element.type.typeName === 'google.protobuf.NullValue'),
  };
}

function elementPlan(field: DescField): ElementPlan {
  if (field.enum !== undefined) return { kind: 'enum', type: field.enum, numbers: enumNumbers(field.enum) };
  if (field.message !== undefined) return messageElement(field, field.message);
  const type = field.scalar ?? ScalarType.STRING;
  return { kind: 'scalar', read: scalarReader(type), zero: zeroOf(type) };
}

function messageElement(field: DescField, type: DescMessage): ElementPlan {
  // protobuf-es keeps a Struct as JSON and a wrapper as its value, where the field's own kind allows it.
  if (isWrapperDesc(type)) {
    const isUnwrapped = field.fieldKind === 'message' && field.oneof === undefined;
    return { kind: 'wrapper', type, read: scalarReader(type.fields[0].scalar), isUnwrapped };
  }
  switch (type.typeName) {
    case 'google.protobuf.Struct':
      return { kind: 'struct', isJson: field.parent?.typeName !== 'google.protobuf.Value' };
    case 'google.protobuf.Value':
      return { kind: 'value', type };
    case 'google.protobuf.ListValue':
      return { kind: 'listValue', type };
    case 'google.protobuf.Any':
      return { kind: 'any', type };
    case 'google.protobuf.Duration':
      return { kind: 'duration', type };
    case 'google.protobuf.Timestamp':
      return { kind: 'timestamp', type };
    case 'google.protobuf.FieldMask':
      return { kind: 'fieldMask', type };
    default:
      return { kind: 'message', type };
  }
}

function zeroOf(type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return '';
    case ScalarType.BOOL:
      return false;
    case ScalarType.BYTES:
      return new Uint8Array(0);
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 0n;
    default:
      return 0;
  }
}

const knownNumbers = new WeakMap<DescEnum, Map<string, number>>();

/** Numbers by name, in lower case too: Envoy reads enum names in any case. */
function enumNumbers(type: DescEnum): Map<string, number> {
  let numbers = knownNumbers.get(type);
  if (numbers === undefined) {
    numbers = new Map();
    for (const value of type.values) numbers.set(value.name.toLowerCase(), value.number);
    for (const value of type.values) numbers.set(value.name, value.number);
    knownNumbers.set(type, numbers);
  }
  return numbers;
}
