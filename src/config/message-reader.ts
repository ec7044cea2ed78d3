import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  AnySchema,
  create,
  fromJson,
  ListValueSchema,
  StructSchema,
  toBinary,
  ValueSchema,
} from '../proto/protobuf.js';
import { depthMax, isConfigObject, show, valuesMax, type ConfigObject, type ConfigValue } from './config-value.ts';
import { FieldPath } from './field-path.ts';
import { planOf, type ElementPlan, type FieldPlan, type MessagePlan } from './message-plan.ts';
import { isTypedStruct, messageType, typeNameIn, unknownTypeName } from './message-types.ts';
import { nearName } from './near-name.ts';
import { wrongValue, type ConfigReason } from './problem.ts';
import { Refusal } from './scalar.ts';
import { durationFromText, fieldMaskFromText, timestampFromText } from './well-known.ts';

export interface ReaderOptions {
  /** Envoy's `--allow-unknown-static-fields`: an unknown field or enum name is a warning and left out. */
  readonly allowUnknown: boolean;
  /** Called for every message that was packed into an `Any`, with the reader's path at the `Any`. */
  readonly onPacked?: (type: DescMessage, message: Message) => void;
  /** Messages of these types are handed to `onWatched` with their path. */
  readonly watched?: ReadonlySet<string>;
  readonly onWatched?: (type: DescMessage, message: Message, path: string) => void;
}

/** An element that could not be read; the reason was added. */
const failed = Symbol('failed');
type Read = unknown;
type Fields = Record<string, unknown>;
/** A field of a oneof, as protobuf-es shapes it. */
interface Case {
  case: string | undefined;
  value?: unknown;
}

/** The text is too deep or too large to be read on. */
class Bound extends Error {}

/**
 * Turns a value as the text has it into a message, with every reason why it cannot, by the rules of the JSON reader
 * that Envoy uses (protobuf's, in its lenient mode).
 */
export class MessageReader {
  readonly path = new FieldPath();
  readonly reasons: ConfigReason[] = [];
  /** Paths of what could not be read: a rule that misses it there would only repeat the reason. */
  readonly failedPaths = new Set<string>();
  readonly #options: ReaderOptions;
  #depth = 0;
  #values = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads into `message`, so that a second text is merged over a first; false: given up, the reader is of no more use. */
  read(type: DescMessage, value: ConfigValue, message: Message): boolean {
    try {
      this.#message(type, value, message);
      return true;
    } catch (error) {
      if (!(error instanceof Bound)) throw error;
      this.#add({ path: this.path.toString(), message: error.message });
      return false;
    }
  }

  #message(type: DescMessage, value: ConfigValue, existing: unknown): Read {
    if (!isConfigObject(value)) return this.#wrong(`must be an object of fields (${type.name})`, value);
    const message = (existing ?? create(type)) as Message;
    this.#enter();
    this.#fields(type, message, value, null);
    this.#depth--;
    if (this.#options.watched?.has(type.typeName)) this.#options.onWatched?.(type, message, this.path.toString());
    return message;
  }

  /** `skipped`: a key that is no field (`@type`). */
  #fields(type: DescMessage, message: Message, object: ConfigObject, skipped: string | null): void {
    const plan = planOf(type);
    let cases: Map<string, string> | null = null;
    for (const key of Object.keys(object)) {
      if (key === skipped) continue;
      const field = plan.get(key);
      if (field === undefined) {
        this.#unknownField(type, plan, key);
        continue;
      }
      const value = object[key];
      if (value === null && !field.takesNull) continue;
      this.path.enterField(field.field.name);
      if (field.oneof !== null && !this.#claim((cases ??= new Map()), field.oneof, key)) {
        this.path.leave();
        continue;
      }
      this.#field(message, field, value);
      this.path.leave();
    }
  }

  /** At most one field of a oneof may be there. */
  #claim(cases: Map<string, string>, oneof: string, key: string): boolean {
    const other = cases.get(oneof);
    if (other === undefined) {
      cases.set(oneof, key);
      return true;
    }
    this.#add({
      path: this.path.toString(),
      message: `only one of these may be set: ${other} is set already`,
      isAboutName: true,
    });
    return false;
  }

  #field(message: object, plan: FieldPlan, value: ConfigValue): void {
    const fields = message as Fields;
    if (plan.shape === 'list') return this.#list(fields[plan.localName] as unknown[], plan, value);
    if (plan.shape === 'map') return this.#map(fields[plan.localName] as Fields, plan, value);
    if (plan.oneof === null) {
      const read = this.#element(plan.element, value, fields[plan.localName]);
      if (read !== failed) fields[plan.localName] = read;
      return;
    }
    const before = fields[plan.oneof] as Case;
    const read = this.#element(plan.element, value, before.case === plan.localName ? before.value : undefined);
    if (read !== failed) fields[plan.oneof] = { case: plan.localName, value: read };
  }

  /** A single value stands for a list of one, and a list in a list for its elements, as with Envoy. */
  #list(list: unknown[], plan: FieldPlan, value: ConfigValue): void {
    if (!Array.isArray(value)) return this.#item(list, plan, value);
    this.#enter();
    for (const item of value) {
      if (Array.isArray(item) && plan.element.kind !== 'value' && plan.element.kind !== 'listValue')
        this.#list(list, plan, item);
      else this.#item(list, plan, item);
    }
    this.#depth--;
  }

  #item(list: unknown[], plan: FieldPlan, value: ConfigValue): void {
    this.path.enterElement(list.length);
    this.#count();
    const isAbsent = value === null && !plan.takesNull;
    const read = isAbsent ? failed : this.#element(plan.element, value, undefined);
    // Something stands for what could not be read, so that the indexes of the rest stay those of the text.
    list.push(read === failed ? this.#empty(plan.element) : read);
    this.path.leave();
  }

  #map(map: Fields, plan: FieldPlan, value: ConfigValue): void {
    if (!isConfigObject(value)) {
      this.#wrong('must be an object of names and values', value);
      return;
    }
    this.#enter();
    for (const name of Object.keys(value)) {
      this.path.enterElement(name);
      this.#count();
      const key = plan.readKey!(name);
      const item = value[name];
      if (key instanceof Refusal) {
        this.#refuse(key, name);
      } else {
        const isAbsent = item === null && !plan.takesNull;
        const read = isAbsent ? this.#empty(plan.element) : this.#element(plan.element, item, undefined);
        if (read !== failed)
          Object.defineProperty(map, String(key), {
            value: read,
            enumerable: true,
            writable: true,
            configurable: true,
          });
      }
      this.path.leave();
    }
    this.#depth--;
  }

  #element(plan: ElementPlan, value: ConfigValue, existing: unknown): Read {
    switch (plan.kind) {
      case 'scalar': {
        const read = plan.read(value);
        return read instanceof Refusal ? this.#refuse(read, value) : read;
      }
      case 'enum':
        return this.#enum(plan, value);
      case 'message':
        return this.#message(plan.type, value, existing);
      case 'wrapper':
        return this.#wrapper(plan, value);
      case 'duration':
        return this.#fromText(plan.type, value, durationFromText);
      case 'timestamp':
        return this.#fromText(plan.type, value, timestampFromText);
      case 'fieldMask':
        return this.#fromText(plan.type, value, fieldMaskFromText);
      case 'struct':
        if (!isConfigObject(value)) return this.#wrong('must be an object', value);
        this.#measure(value);
        // Merged over what an earlier text said, key by key.
        if (plan.isJson) return existing === undefined ? value : { ...(existing as ConfigObject), ...value };
        return fromJson(StructSchema, value);
      case 'value':
        this.#measure(value);
        return fromJson(ValueSchema, value);
      case 'listValue':
        if (!Array.isArray(value)) return this.#wrong('must be a list', value);
        this.#measure(value);
        return fromJson(ListValueSchema, value);
      default:
        return this.#any(value);
    }
  }

  /** What stands for null in a map or a list. */
  #empty(plan: ElementPlan): unknown {
    switch (plan.kind) {
      case 'scalar':
        return plan.zero;
      case 'enum':
        return plan.type.values[0].number;
      case 'struct':
        return plan.isJson ? {} : create(StructSchema);
      default:
        return create(plan.type);
    }
  }

  #enum(plan: ElementPlan & { kind: 'enum' }, value: ConfigValue): Read {
    if (typeof value === 'number' && Number.isInteger(value)) return value;
    if (typeof value === 'string') {
      const number = plan.numbers.get(value) ?? plan.numbers.get(value.toLowerCase());
      if (number !== undefined) return number;
      if (/^-?\d+$/.test(value)) return Number(value);
    }
    const names = plan.type.values.map((one) => one.name);
    const allowed = `must be one of ${names.join(', ')}`;
    const suggestion = typeof value === 'string' ? nearName(value, names) : undefined;
    const isUnknownName = typeof value === 'string' && this.#options.allowUnknown;
    const reason = wrongValue(this.path.toString(), allowed, show(value), suggestion);
    this.#add(isUnknownName ? { ...reason, isWarning: true } : reason);
    return failed;
  }

  #wrapper(plan: ElementPlan & { kind: 'wrapper' }, value: ConfigValue): Read {
    // Both forms are taken: the value itself, and the message with its field `value`.
    if (isConfigObject(value)) {
      const message = this.#message(plan.type, value, undefined);
      return message === failed || !plan.isUnwrapped ? message : (message as Fields)['value'];
    }
    const read = plan.read(value);
    if (read instanceof Refusal) return this.#refuse(read, value);
    if (plan.isUnwrapped) return read;
    const message = create(plan.type);
    (message as unknown as Fields)['value'] = read;
    return message;
  }

  #fromText(type: DescMessage, value: ConfigValue, read: (text: string) => Message | Refusal): Read {
    if (isConfigObject(value)) return this.#message(type, value, undefined);
    const message = read(typeof value === 'string' ? value : show(value));
    if (message instanceof Refusal) return this.#refuse(message, value);
    return typeof value === 'string' ? message : this.#wrong(`must be a string (${type.name})`, value);
  }

  #any(value: ConfigValue): Read {
    if (!isConfigObject(value)) return this.#wrong('must be an object with @type', value);
    const url = value['@type'];
    if (url === undefined || url === null) {
      if (Object.keys(value).length === 0) return create(AnySchema);
      return this.#wrong('must name its type as @type', value);
    }
    const type = this.#packedType(url);
    if (type === null) return failed;
    this.#enter();
    const packed = isTypedStruct(type.typeName) ? this.#typedStruct(value) : null;
    const any = packed ?? this.#pack(type, typeof url === 'string' ? url : '', this.#packedContent(type, value));
    this.#depth--;
    return any;
  }

  /** The type behind an `@type` or a `type_url`, which has a host or at least a slash in front. */
  #packedType(url: ConfigValue): DescMessage | null {
    this.path.enterField('@type');
    const slash = typeof url === 'string' ? url.lastIndexOf('/') : -1;
    let type: DescMessage | undefined;
    if (typeof url !== 'string' || slash < 1) {
      this.#wrong('must be a type URL as type.googleapis.com/package.Message', url);
    } else {
      type = messageType(url.slice(slash + 1));
      if (type === undefined) {
        const { message, suggestion } = unknownTypeName(url.slice(slash + 1));
        const prefix = url.slice(0, slash + 1);
        const reason = { path: this.path.toString(), message, found: show(url) };
        this.#add(suggestion === undefined ? reason : { ...reason, suggestion: prefix + suggestion });
      }
    }
    this.path.leave();
    if (type === undefined) this.failedPaths.add(this.path.toString());
    return type ?? null;
  }

  #packedContent(type: DescMessage, value: ConfigObject): Read {
    if (hasOwnJson(type)) return this.#wellKnown(type, value);
    const message = create(type);
    this.#fields(type, message, value, '@type');
    if (this.#options.watched?.has(type.typeName)) this.#options.onWatched?.(type, message, this.path.toString());
    return message;
  }

  #wellKnown(type: DescMessage, value: ConfigObject): Read {
    for (const key of Object.keys(value)) {
      if (key !== '@type' && key !== 'value') this.#unknownField(type, new Map(), key);
    }
    const inner = value['value'] ?? null;
    if (inner === null) return create(type);
    this.#measure(inner);
    try {
      return fromJson(type, inner);
    } catch {
      return this.#wrong(`must be the JSON of a ${type.typeName}`, inner);
    }
  }

  /** The message inside a TypedStruct, packed as itself; null: of a type that is not known here, so it stays as it is. */
  #typedStruct(value: ConfigObject): Any | typeof failed | null {
    const url = value['type_url'] ?? value['typeUrl'];
    const content = value['value'] ?? {};
    if (typeof url !== 'string' || !isConfigObject(content)) return null;
    const type = messageType(typeNameIn(url));
    if (type === undefined || hasOwnJson(type)) return null;
    return this.#pack(type, url, this.#message(type, content, undefined));
  }

  #pack(type: DescMessage, typeUrl: string, message: Read): Any | typeof failed {
    if (message === failed) return failed;
    this.#options.onPacked?.(type, message as Message);
    return create(AnySchema, { typeUrl, value: toBinary(type, message as Message) });
  }

  #unknownField(type: DescMessage, plan: MessagePlan, key: string): void {
    this.failedPaths.add(this.path.toString());
    const isCamel = /[a-z][A-Z]/.test(key);
    const names = [...plan.values()].map(({ field }) => (isCamel ? field.jsonName : field.name));
    const suggestion = nearName(key, new Set(names));
    const path = this.path.field(key);
    if (suggestion !== undefined) {
      // The field that was meant is not missing besides.
      const meant = plan.get(suggestion)!.field;
      this.failedPaths.add(this.path.field(meant.name));
    }
    const message = `${type.typeName} has no field ${show(key)}`;
    const reason: ConfigReason = { path, message, found: show(key), isAboutName: true };
    this.#add({
      ...reason,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(this.#options.allowUnknown ? { isWarning: true } : {}),
    });
  }

  #wrong(allowed: string, value: ConfigValue): typeof failed {
    this.#add(wrongValue(this.path.toString(), allowed, show(value)));
    return failed;
  }

  #refuse(refusal: Refusal, value: ConfigValue): typeof failed {
    this.#add(wrongValue(this.path.toString(), refusal.allowed, show(value), refusal.suggestion));
    return failed;
  }

  #add(reason: ConfigReason): void {
    this.reasons.push(reason);
    this.failedPaths.add(reason.path);
  }

  #enter(): void {
    if (++this.#depth > depthMax) throw new Bound(`objects and lists are nested more than ${depthMax} deep`);
    this.#count();
  }

  #count(): void {
    if (++this.#values > valuesMax) throw new Bound(`there are more than ${valuesMax} values (aliases counted)`);
  }

  /** What is kept as it is counts as well. */
  #measure(value: ConfigValue): void {
    if (typeof value !== 'object' || value === null) return this.#count();
    this.#enter();
    for (const one of Array.isArray(value) ? value : Object.values(value)) this.#measure(one);
    this.#depth--;
  }
}

/** Types whose JSON is not an object of their fields: in an `Any` it stands under `value`. */
function hasOwnJson(type: DescMessage): boolean {
  return ownJson.has(type.typeName) || /^google\.protobuf\.\w+Value$/.test(type.typeName);
}

const ownJson: ReadonlySet<string> = new Set(
  ['Any', 'Duration', 'Timestamp', 'FieldMask', 'Value', 'Struct'].map((name) => `google.protobuf.${name}`),
);
