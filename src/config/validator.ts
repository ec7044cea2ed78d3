import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { Any, Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { fromBinary } from '../proto/protobuf.js';
import { show } from './config-value.ts';
import { FieldPath } from './field-path.ts';
import { messageType, typeNameIn } from './message-types.ts';
import { wrongValue, type ConfigReason } from './problem.ts';
import { durationText, timestampText, type CompiledRules } from './rules/field-rules.ts';
import { messageRulesOf, type FieldCheck } from './rules/message-rules.ts';
import { anyOf } from './rules/rule.ts';

/** What is said of a field that is accepted yet: `--skip-deprecated-logs` leaves it out. */
export const deprecatedField = 'this field is deprecated';

export interface ValidatorOptions {
  /** Look into each `Any` whose type is known; off where that happened when it was packed. */
  readonly opensAny: boolean;
  /** Paths of which something worse was said already. */
  readonly failedPaths: ReadonlySet<string>;
}

const everything: ValidatorOptions = { opensAny: true, failedPaths: new Set() };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Every reason why a message breaks the `validate.rules` of its proto, or uses a field that Envoy no longer takes. Also
 * for messages that did not come from a text (xDS).
 */
export function validate(type: DescMessage, message: Message, options = everything): ConfigReason[] {
  const validator = new Validator(new FieldPath(), options);
  validator.validate(type, message);
  return validator.reasons;
}

export class Validator {
  readonly reasons: ConfigReason[] = [];
  readonly #path: FieldPath;
  readonly #options: ValidatorOptions;

  constructor(path: FieldPath, options: ValidatorOptions) {
    this.#path = path;
    this.#options = options;
  }

  validate(type: DescMessage, message: Message): void {
    const fields = message as unknown as Fields;
    const { fields: checks, oneofs } = messageRulesOf(type);
    for (const oneof of oneofs) {
      if ((fields[oneof.localName] as { case: unknown }).case !== undefined) continue;
      const isSaid = oneof.fields.some((name) => this.#options.failedPaths.has(this.#path.field(name)));
      if (!isSaid) this.#missing(`one of ${anyOf(oneof.fields)} must be set`);
    }
    for (const check of checks) this.#field(check, fields);
  }

  #field(check: FieldCheck, fields: Fields): void {
    const value = valueOf(check, fields);
    if (value === undefined) {
      // A field of a oneof is required only of the oneof.
      const path = check.oneof === null && check.rules?.isRequired === true ? this.#path.field(check.field.name) : '';
      if (path !== '' && !this.#options.failedPaths.has(path))
        this.reasons.push({ path, message: `${check.field.name} is required`, allowed: 'must be set' });
      return;
    }
    this.#path.enterField(check.field.name);
    if (check.isDeprecated || check.isDisallowed) this.#deprecated(check, value);
    if (check.disallowedValues !== null) this.#disallowedValue(check.disallowedValues, value);
    if (check.field.fieldKind === 'list') this.#list(check, value as unknown[]);
    else if (check.field.fieldKind === 'map') this.#map(check, value as Fields);
    else this.#single(check, check.rules, value);
    this.#path.leave();
  }

  #single(check: FieldCheck, rules: CompiledRules | null, value: unknown): void {
    if (rules !== null) this.#ask(check, rules, value);
    if (check.inner !== null) this.validate(check.inner, value as Message);
    else if (check.isAny && this.#options.opensAny) this.#any(value as Any);
  }

  #ask(check: FieldCheck, rules: CompiledRules, value: unknown, isWhole = false): void {
    if (rules.rules.length === 0 || (rules.ignoresEmpty && isEmpty(value))) return;
    for (const rule of rules.rules) {
      const allowed = rule(value);
      if (allowed === null) continue;
      const path = this.#path.toString();
      if (!this.#options.failedPaths.has(path))
        this.reasons.push(wrongValue(path, allowed, found(check, value, isWhole)));
    }
  }

  #list(check: FieldCheck, list: readonly unknown[]): void {
    if (check.rules !== null) this.#ask(check, check.rules, list, true);
    const elements = check.rules?.elements ?? null;
    if (elements === null && check.inner === null && !check.isAny) return;
    for (let i = 0; i < list.length; i++) {
      this.#path.enterElement(i);
      this.#single(check, elements, list[i]);
      this.#path.leave();
    }
  }

  #map(check: FieldCheck, map: Fields): void {
    if (check.rules !== null) this.#ask(check, check.rules, map, true);
    const keys = check.rules?.keys ?? null;
    const elements = check.rules?.elements ?? null;
    if (keys === null && elements === null && check.inner === null && !check.isAny) return;
    for (const key of Object.keys(map)) {
      this.#path.enterElement(key);
      if (keys !== null) this.#key(keys, key);
      this.#single(check, elements, map[key]);
      this.#path.leave();
    }
  }

  #key(rules: CompiledRules, key: string): void {
    for (const rule of rules.rules) {
      const allowed = rule(key);
      if (allowed !== null)
        this.reasons.push({ ...wrongValue(this.#path.toString(), `the key ${allowed}`, show(key)), isAboutName: true });
    }
  }

  #any(any: Any): void {
    const type = messageType(typeNameIn(any.typeUrl));
    if (type === undefined) return;
    try {
      this.validate(type, fromBinary(type, any.value));
    } catch (error) {
      this.reasons.push({
        path: this.#path.toString(),
        message: `is no ${type.typeName}: ${(error as Error).message}`,
      });
    }
  }

  #deprecated(check: FieldCheck, value: unknown): void {
    // A zero value without presence cannot be told from none.
    if (isEmpty(value) && (check.hasZero || check.field.fieldKind === 'list' || check.field.fieldKind === 'map'))
      return;
    const path = this.#path.toString();
    if (check.isDisallowed)
      this.reasons.push({ path, message: 'this field is deprecated and no longer accepted', isAboutName: true });
    else this.reasons.push({ path, message: deprecatedField, isWarning: true, isAboutName: true });
  }

  #disallowedValue(values: ReadonlyMap<number, string>, value: unknown): void {
    const name = values.get(value as number);
    if (name === undefined) return;
    this.reasons.push({
      path: this.#path.toString(),
      message: `the value ${name} is deprecated and no longer accepted`,
    });
  }

  #missing(message: string): void {
    this.reasons.push({ path: this.#path.toString(), message });
  }
}

/** The field's value; undefined when it is not set and has no zero value that rules hold for. */
function valueOf(check: FieldCheck, fields: Fields): unknown {
  if (check.oneof === null) {
    // Fields with presence lie on the prototype as long as they are not set.
    if (check.hasZero || Object.hasOwn(fields, check.localName)) return fields[check.localName];
    return undefined;
  }
  const one = fields[check.oneof] as { case: string | undefined; value?: unknown };
  return one.case === check.localName ? one.value : undefined;
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null)
    return value instanceof Uint8Array || Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
  return value === '' || value === 0 || value === 0n || value === false;
}

/** How the text would write a value that broke a rule; of a list or a map, how much is in it. */
function found(check: FieldCheck, value: unknown, isWhole: boolean): string {
  const { enum: enumType, message } = check.field;
  if (isWhole) return String(Object.keys(value as object).length);
  if (typeof value === 'number' && enumType !== undefined) return enumType.value[value]?.name ?? String(value);
  switch (message?.typeName) {
    case 'google.protobuf.Duration':
      return durationText(value as Duration);
    case 'google.protobuf.Timestamp':
      return timestampText(value as Timestamp);
    case 'google.protobuf.Any':
      return show((value as Any).typeUrl);
    default:
      return show(value);
  }
}
