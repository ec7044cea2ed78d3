import { WireType } from '../../wire/wire-type.ts';
import { WireWriter } from '../../wire/wire-writer.ts';
import { noBytes } from '../../../core/bytes.ts';
import { JsonObject, type JsonValue } from '../json/json-value.ts';
import { FieldType } from '../schema/field-type.ts';
import { type FieldPlan, type MessagePlan, WellKnown } from '../schema/message-plan.ts';
import type { Schema } from '../schema/schema.ts';
import { resolveAny } from '../schema/any-type.ts';
import { compareBinding } from './binding-collision.ts';
import { FieldLocation } from './field-location.ts';
import { writeScalar } from './scalar-writer.ts';
import { type JsonScalar, scalarText } from './scalar-text.ts';
import type { Weave } from './weave.ts';
import { isWrittenAsScalar, writeWellKnown } from './well-known-writer.ts';

export interface WriterOptions {
  readonly ignoresEnumCase: boolean;
  /** A value of the path or query and another of the body for one field are an error; else the body's counts. */
  readonly rejectsCollisions: boolean;
}

/**
 * Turns JSON values into protobuf messages as Envoy does: what it lets pass passes, in the same order on the wire, and
 * what it refuses is refused in its words. Of several mistakes the last one is reported.
 */
export class MessageWriter {
  private readonly schema: Schema;
  private readonly options: WriterOptions;
  private readonly location: FieldLocation;
  private out: WireWriter;
  private root: MessagePlan;
  private error: string;

  constructor(schema: Schema, root: MessagePlan, options: WriterOptions) {
    this.schema = schema;
    this.options = options;
    this.location = new FieldLocation();
    this.out = new WireWriter();
    this.root = root;
    this.error = '';
  }

  /** @returns `before`, then the message; or what is wrong with it */
  write(value: JsonValue, weave: Weave | null, before: Uint8Array = noBytes): Uint8Array | string {
    this.error = '';
    this.out.raw(before);
    this.writeRoot(this.root, value, weave);
    const bytes = this.out.finish();
    return this.error === '' ? bytes : this.error;
  }

  private writeRoot(plan: MessagePlan, value: JsonValue, weave: Weave | null): void {
    if (value instanceof JsonObject) {
      if (plan.wellKnown === WellKnown.ListValue)
        this.invalidValue(plan.typeName, 'Cannot start root message with ListValue.');
      this.writeObject(plan, value, weave);
    } else if (Array.isArray(value)) {
      if (plan.wellKnown === WellKnown.Value) this.writeListValue(plan, value);
      else if (plan.wellKnown === WellKnown.ListValue) this.writeElements(plan.field('values')!, value);
      else this.invalid('Root element must be a message.');
    } else if (isWrittenAsScalar(plan)) {
      const error = this.writeAsScalar(plan, value);
      if (error !== '') this.invalidValue(plan.typeName, `Field '', ${error}`);
    } else this.invalid('Root element must be a message.');
  }

  /** The inside of a message that JSON writes as an object. */
  private writeObject(plan: MessagePlan, object: JsonObject, weave: Weave | null): void {
    switch (plan.wellKnown) {
      case WellKnown.Any:
        this.writeAny(object);
        return;
      case WellKnown.Struct:
        this.writeEntries(plan.field('fields')!, object);
        return;
      case WellKnown.Value: {
        const field = plan.field('struct_value')!;
        this.begin(field);
        this.writeObject(field.message!, object, null);
        this.end(field);
        return;
      }
      default:
        this.writeMembers(plan, object, weave);
    }
  }

  private writeMembers(plan: MessagePlan, object: JsonObject, weave: Weave | null): void {
    const oneofs = new Set<string>();
    const seen = plan.hasRequired ? new Set<FieldPlan>() : null;
    const { names, values } = object;
    for (let i = 0; i < names.length; i++) this.writeMember(plan, names[i], values[i], weave, oneofs, seen);
    if (weave !== null) this.writeWoven(weave, oneofs, seen);
    if (seen === null) return;
    for (const field of plan.fields)
      if (field.isRequired && !seen.has(field)) this.error = `${this.location.text()}: missing field ${field.name}`;
  }

  private writeMember(
    plan: MessagePlan,
    name: string,
    value: JsonValue,
    weave: Weave | null,
    oneofs: Set<string>,
    seen: Set<FieldPlan> | null,
  ): void {
    const field = plan.field(name);
    const inner = weave === null ? null : this.meetWeave(name, value, weave);
    if (field === undefined) {
      if (name === '') this.invalid('Proto fields must have a name.');
      return;
    }
    seen?.add(field);
    if (value instanceof JsonObject || Array.isArray(value)) {
      if (!this.takeOneof(field, name, oneofs)) return;
      if (value instanceof JsonObject) this.writeObjectField(field, value, inner);
      else this.writeListField(field, name, value);
      return;
    }
    if (value === null && !acceptsNull(field)) return;
    if (this.takeOneof(field, name, oneofs)) this.writeScalarField(field, name, value);
  }

  /**
   * What the path or the query has for a member that the body has too.
   * @returns what is to be woven into it
   */
  private meetWeave(name: string, value: JsonValue, weave: Weave): Weave | null {
    if (value instanceof JsonObject) {
      const inner = weave.messages.get(name)?.weave ?? null;
      weave.messages.delete(name);
      return inner;
    }
    const bound = weave.values.get(name);
    // Null says nothing, and into lists nothing is woven.
    if (bound === undefined || value === null || Array.isArray(value)) return null;
    weave.values.delete(name);
    if (bound.field.isRepeated) for (const text of bound.texts) this.writeBound(bound.field, text);
    else if (this.options.rejectsCollisions)
      for (const text of bound.texts) this.error = compareBinding(name, value, text) || this.error;
    return null;
  }

  /** What the body did not mention. */
  private writeWoven(weave: Weave, oneofs: Set<string>, seen: Set<FieldPlan> | null): void {
    for (const { field, texts } of weave.values.values()) {
      seen?.add(field);
      for (const text of texts) if (this.takeOneof(field, field.name, oneofs)) this.writeBound(field, text);
    }
    for (const { field, weave: inner } of weave.messages.values()) {
      if (inner.isEmpty) continue;
      seen?.add(field);
      if (this.takeOneof(field, field.name, oneofs)) this.writeObjectField(field, new JsonObject(), inner);
    }
  }

  private writeBound(field: FieldPlan, text: string | null): void {
    if (text !== null) this.writeScalarField(field, field.name, text);
    else this.reportField(field, 'text that is not UTF-8');
  }

  private writeObjectField(field: FieldPlan, object: JsonObject, weave: Weave | null): void {
    if (field.isMap) {
      this.writeEntries(field, weave === null ? object : withWoven(object, weave));
      return;
    }
    if (!field.isMessage) {
      this.invalidValue(field.name, 'Starting an object on a scalar field');
      return;
    }
    this.begin(field);
    this.writeObject(field.message!, object, weave);
    this.end(field);
  }

  private writeListField(field: FieldPlan, name: string, list: JsonValue[]): void {
    const wellKnown = field.isMessage ? field.message!.wellKnown : WellKnown.None;
    if (!field.isRepeated && (wellKnown === WellKnown.Value || wellKnown === WellKnown.ListValue)) {
      this.begin(field);
      this.writeList(field.message!, list);
      this.end(field);
    } else if (!field.isRepeated) this.invalid('Proto field is not repeating, cannot start list.');
    else if (field.isMap) this.invalidValue('Map', `Cannot bind a list to map for field '${name}'.`);
    else this.writeElements(field, list);
  }

  /** The inside of a Value or ListValue. */
  private writeList(plan: MessagePlan, list: JsonValue[]): void {
    if (plan.wellKnown === WellKnown.Value) this.writeListValue(plan, list);
    else this.writeElements(plan.field('values')!, list);
  }

  private writeListValue(plan: MessagePlan, list: JsonValue[]): void {
    const field = plan.field('list_value')!;
    this.begin(field);
    this.writeElements(field.message!.field('values')!, list);
    this.end(field);
  }

  private writeElements(field: FieldPlan, list: JsonValue[]): void {
    this.location.enterList(field);
    for (const element of list) this.writeElement(field, element);
    this.location.leave();
  }

  private writeElement(field: FieldPlan, element: JsonValue): void {
    if (element instanceof JsonObject) this.writeObjectField(field, element, null);
    else if (!Array.isArray(element)) {
      if (element !== null || acceptsNull(field)) this.writeScalarField(field, '', element);
    } else if (field.isMessage && isListLike(field.message!)) {
      this.begin(field);
      this.writeList(field.message!, element);
      this.end(field);
    } else this.writeElements(field, element);
  }

  /** A map's entries. */
  private writeEntries(field: FieldPlan, object: JsonObject): void {
    const keys = new Set<string>();
    const { names, values } = object;
    this.location.enterList(field);
    for (let i = 0; i < names.length; i++) {
      const key = names[i];
      if (keys.has(key)) {
        this.invalid(`Repeated map key: '${key}' is already set.`);
        continue;
      }
      keys.add(key);
      this.begin(field);
      this.writeEntry(field.message!, key, values[i]);
      this.end(field);
    }
    this.location.leave();
  }

  private writeEntry(entry: MessagePlan, key: string, value: JsonValue): void {
    const [keyField, valueField] = entry.fields;
    this.writeScalarField(keyField, 'key', key);
    if (value instanceof JsonObject) this.writeObjectField(valueField, value, null);
    else if (!Array.isArray(value)) {
      if (value !== null || acceptsNull(valueField)) this.writeScalarField(valueField, key, value);
    } else if (valueField.isMessage && isListLike(valueField.message!)) {
      this.begin(valueField);
      this.writeList(valueField.message!, value);
      this.end(valueField);
    } else {
      this.location.enter(valueField);
      if (value.length === 0) this.invalidValue('Map', `Cannot have repeated items ('${key}') within a map.`);
      else this.invalid('Proto fields must have a name.');
      this.location.leave();
    }
  }

  /** `name` as the body has it; empty within lists. */
  private writeScalarField(field: FieldPlan, name: string, value: JsonScalar): void {
    if (!field.isMessage || !isWrittenAsScalar(field.message!)) {
      if (!writeScalar(this.out, field, value, this.options.ignoresEnumCase))
        this.reportField(field, scalarText(value));
      return;
    }
    this.begin(field);
    const error = this.writeAsScalar(field.message!, value);
    if (error !== '') this.invalidValue(field.typeName, `Field '${name}', ${error}`);
    this.end(field);
  }

  /** The inside of a message that JSON writes as a scalar. */
  private writeAsScalar(plan: MessagePlan, value: JsonScalar): string {
    if (plan.wellKnown === WellKnown.Value) {
      this.writeScalarField(plan.field(kindOfValue(value))!, '', value);
      return '';
    }
    if (plan.wellKnown !== WellKnown.Wrapper) return writeWellKnown(this.out, plan, value);
    if (value !== null) this.writeScalarField(plan.field('value')!, 'value', value);
    return '';
  }

  private writeAny(object: JsonObject): void {
    const at = object.names.findIndex((name, i) => name === '@type' && isScalar(object.values[i]));
    if (at < 0) {
      if (object.names.length > 0) this.invalidValue('Any', `Missing @type for any field in ${this.root.typeName}`);
      return;
    }
    const url = object.values[at] as JsonScalar;
    if (typeof url !== 'string') {
      this.invalidValue('String', scalarText(url));
      return;
    }
    const plan = resolveAny(this.schema, url);
    if (typeof plan === 'string') {
      this.invalidValue('Any', plan);
      return;
    }
    const rest = new JsonObject();
    object.names.forEach((name, i) => {
      if (i === at) return;
      rest.names.push(name);
      rest.values.push(object.values[i]);
    });
    const content = this.writeContent(plan, rest);
    this.out.tag(1, WireType.LengthDelimited).string(url);
    if (content.length > 0) this.out.tag(2, WireType.LengthDelimited).bytesWithLength(content);
  }

  /** What an Any holds: a message of its own. */
  private writeContent(plan: MessagePlan, members: JsonObject): Uint8Array {
    const isSpecial =
      plan.wellKnown === WellKnown.Any || plan.wellKnown === WellKnown.Struct || isWrittenAsScalar(plan);
    if (isSpecial && members.names.some((name) => name !== 'value'))
      this.invalidValue('Any', 'Expect a "value" field for well-known types.');
    const { out, root } = this;
    const resume = this.location.suspend();
    this.out = new WireWriter();
    this.root = plan;
    if (!isSpecial) this.writeRoot(plan, members, null);
    else for (const value of members.values) this.writeSpecialContent(plan, value);
    const content = this.out.finish();
    this.out = out;
    this.root = root;
    resume();
    return content;
  }

  private writeSpecialContent(plan: MessagePlan, value: JsonValue): void {
    if (!isScalar(value)) this.writeRoot(plan, value, null);
    else if (isWrittenAsScalar(plan)) {
      const error = this.writeAsScalar(plan, value);
      if (error !== '') this.invalidValue('Any', error);
    } else if (value !== null) this.invalidValue('Any', 'Expect a JSON object.');
  }

  private begin(field: FieldPlan): void {
    this.location.enter(field);
    if (field.type === FieldType.Group) this.out.tag(field.number, WireType.StartGroup);
    else this.out.tag(field.number, WireType.LengthDelimited).begin();
  }

  private end(field: FieldPlan): void {
    this.location.leave();
    if (field.type === FieldType.Group) this.out.tag(field.number, WireType.EndGroup);
    else this.out.end();
  }

  private takeOneof(field: FieldPlan, name: string, oneofs: Set<string>): boolean {
    if (field.oneof === '') return true;
    if (oneofs.has(field.oneof)) {
      this.invalidValue('oneof', `oneof field '${field.oneof}' is already set. Cannot set '${name}'`);
      return false;
    }
    oneofs.add(field.oneof);
    return true;
  }

  private reportField(field: FieldPlan, value: string): void {
    this.location.enter(field);
    this.invalidValue(field.typeName, value);
    this.location.leave();
  }

  private invalidValue(type: string, value: string): void {
    this.error = `${this.location.text()}: invalid value ${value} for type ${type}`;
  }

  private invalid(message: string): void {
    this.error = `${this.location.text()}: ${message}`;
  }
}

function isScalar(value: JsonValue): value is JsonScalar {
  return value === null || typeof value !== 'object';
}

function acceptsNull(field: FieldPlan): boolean {
  return field.enumeration !== null
    ? field.enumeration.isNull
    : field.isMessage && field.message!.wellKnown === WellKnown.Value;
}

function isListLike(plan: MessagePlan): boolean {
  return plan.wellKnown === WellKnown.Value || plan.wellKnown === WellKnown.ListValue;
}

function kindOfValue(value: JsonScalar): string {
  switch (typeof value) {
    case 'string':
      return 'string_value';
    case 'boolean':
      return 'bool_value';
    case 'object':
      return 'null_value';
    default:
      return 'number_value';
  }
}

/** A map that the query writes into: `labels.key=x` is an entry `key`, as Envoy has it. */
function withWoven(object: JsonObject, weave: Weave): JsonObject {
  const all = new JsonObject();
  all.names.push(...object.names);
  all.values.push(...object.values);
  for (const { field, texts } of weave.values.values()) {
    for (const text of texts) {
      all.names.push(field.name);
      all.values.push(text);
    }
  }
  return all;
}
