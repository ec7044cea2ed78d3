import { escapeJson } from '../json/json-text.ts';
import { FieldType, typeNames } from './field-type.ts';
import type { EnumData, FieldData, MessageData } from './schema-data.ts';

/** Messages that have a JSON of their own. */
export const WellKnown = {
  None: 0,
  Any: 1,
  Timestamp: 2,
  Duration: 3,
  FieldMask: 4,
  Wrapper: 5,
  Struct: 6,
  Value: 7,
  ListValue: 8,
} as const;
export type WellKnown = (typeof WellKnown)[keyof typeof WellKnown];

const wellKnownTypes: ReadonlyMap<string, WellKnown> = new Map<string, WellKnown>([
  ['google.protobuf.Any', WellKnown.Any],
  ['google.protobuf.Timestamp', WellKnown.Timestamp],
  ['google.protobuf.Duration', WellKnown.Duration],
  ['google.protobuf.FieldMask', WellKnown.FieldMask],
  ['google.protobuf.Struct', WellKnown.Struct],
  ['google.protobuf.Value', WellKnown.Value],
  ['google.protobuf.ListValue', WellKnown.ListValue],
  ...['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    (name) => [`google.protobuf.${name}Value`, WellKnown.Wrapper] as const,
  ),
]);

/** Host of every type URL that is understood. */
export const typeUrlPrefix = 'type.googleapis.com/';

/** Where plans of messages and enums are found by name. */
export interface Plans {
  message(typeName: string): MessagePlan | undefined;
  enumeration(typeName: string): EnumPlan | undefined;
}

/** The values of an enum. */
export class EnumPlan {
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
  /** `google.protobuf.NullValue`: its only value is JSON's null. */
  readonly isNull: boolean;

  constructor({ typeName, values }: EnumData) {
    this.numbers = new Map(values.map(({ name, number }) => [name, number]));
    // Of two names for a number, the first is printed.
    this.names = new Map(values.toReversed().map(({ name, number }) => [number, name]));
    this.isNull = typeName === 'google.protobuf.NullValue';
  }
}

/** A field as both directions need it. */
export class FieldPlan {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  /** `"name":` as it is printed, in either spelling. */
  readonly jsonKey: string;
  readonly protoKey: string;
  readonly type: FieldType;
  /** As error messages name the type. */
  readonly typeName: string;
  readonly isRepeated: boolean;
  readonly isMap: boolean;
  readonly isRequired: boolean;
  readonly hasPresence: boolean;
  readonly oneof: string;
  readonly isMessage: boolean;
  private readonly data: FieldData;
  private readonly plans: Plans;
  /** Found when first asked for: messages may contain themselves. */
  private messagePlan: MessagePlan | null;
  private enumPlan: EnumPlan | null;

  constructor(data: FieldData, plans: Plans) {
    this.number = data.number;
    this.name = data.name;
    this.jsonName = data.jsonName;
    this.jsonKey = `"${escapeJson(data.jsonName)}":`;
    this.protoKey = `"${escapeJson(data.name)}":`;
    this.type = data.type;
    this.typeName = data.typeName === '' ? typeNames[data.type] : typeUrlPrefix + data.typeName;
    this.isRepeated = data.isRepeated;
    this.isMap = data.isMap;
    this.isRequired = data.isRequired;
    this.hasPresence = data.hasPresence;
    this.oneof = data.oneof;
    this.isMessage = data.type === FieldType.Message || data.type === FieldType.Group;
    this.data = data;
    this.plans = plans;
    this.messagePlan = null;
    this.enumPlan = null;
  }

  /** Of a message's field; null: it is a scalar's or an enum's. */
  get message(): MessagePlan | null {
    if (this.isMessage) this.messagePlan ??= this.plans.message(this.data.typeName)!;
    return this.messagePlan;
  }

  get enumeration(): EnumPlan | null {
    if (this.type === FieldType.Enum) this.enumPlan ??= this.plans.enumeration(this.data.typeName)!;
    return this.enumPlan;
  }
}

/** A message as both directions need it; also the entry of a map. */
export class MessagePlan {
  readonly typeName: string;
  readonly wellKnown: WellKnown;
  /** By number. */
  readonly fields: readonly FieldPlan[];
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
  readonly hasRequired: boolean;
  private readonly byName: ReadonlyMap<string, FieldPlan>;

  constructor(data: MessageData, plans: Plans) {
    const fields = data.fields.map((field) => new FieldPlan(field, plans));
    this.typeName = data.typeName;
    this.wellKnown = wellKnownTypes.get(data.typeName) ?? WellKnown.None;
    this.fields = fields.toSorted((a, b) => a.number - b.number);
    this.byNumber = new Map(fields.map((field) => [field.number, field]));
    this.hasRequired = fields.some(({ isRequired }) => isRequired);
    // A JSON name goes before another field's own, and the first of two alike.
    const byName = new Map(fields.map((field) => [field.name, field]));
    for (const field of fields.toReversed()) byName.set(field.jsonName, field);
    this.byName = byName;
  }

  /** By its JSON name or its own. */
  field(name: string): FieldPlan | undefined {
    return this.byName.get(name);
  }
}
