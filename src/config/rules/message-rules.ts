import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { customOption } from '../../proto/embedded.js';
import { isWrapperDesc } from '../../proto/protobuf.js';
import { rulesOf, type CompiledRules } from './field-rules.ts';

/** The options that are read besides `validate.rules`, by number. All are bools. */
const Option = {
  /** `validate.disabled` and `validate.ignored` in MessageOptions. */
  disabled: 1071,
  ignored: 1072,
  /** `validate.required` in OneofOptions. */
  required: 1071,
  /** `envoy.annotations.disallowed_by_default` in FieldOptions, `…_enum` in EnumValueOptions. */
  disallowed: 189503207,
  disallowedValue: 70100853,
} as const;

/** google.protobuf.FeatureSet.FieldPresence.IMPLICIT. */
const implicitPresence = 2;

export interface FieldCheck {
  readonly field: DescField;
  readonly localName: string;
  readonly oneof: string | null;
  /** Without presence a zero value is the same as none, and rules hold for it too. */
  readonly hasZero: boolean;
  readonly rules: CompiledRules | null;
  /** The message type inside, when it is to be looked into. */
  readonly inner: DescMessage | null;
  readonly isAny: boolean;
  readonly isDeprecated: boolean;
  readonly isDisallowed: boolean;
  /** Values of the field's enum that Envoy refuses, by number. */
  readonly disallowedValues: ReadonlyMap<number, string> | null;
}

export interface OneofCheck {
  readonly localName: string;
  /** Names of the fields, of which one must be set. */
  readonly fields: readonly string[];
}

/** What there is to check in messages of one type. */
export interface MessageRules {
  readonly fields: readonly FieldCheck[];
  readonly oneofs: readonly OneofCheck[];
}

const known = new WeakMap<DescMessage, MessageRules>();

export function messageRulesOf(type: DescMessage): MessageRules {
  let found = known.get(type);
  if (found === undefined) {
    const isOff =
      customOption(type, Option.disabled) === 1 ||
      customOption(type, Option.ignored) === 1 ||
      uncheckedByEnvoy.has(type.typeName);
    const fields = type.fields.map((field) => fieldCheck(field, isOff)).filter((check) => isNeeded(check));
    found = {
      fields,
      oneofs: isOff ? [] : type.oneofs.filter((oneof) => isRequired(oneof)).map((oneof) => oneofCheck(oneof)),
    };
    known.set(type, found);
  }
  return found;
}

/** Envoy unpacks them without looking at their rules, one of which `trust_bundles` would break. */
const uncheckedByEnvoy: ReadonlySet<string> = new Set([
  'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
]);

function fieldCheck(field: DescField, isOff: boolean): FieldCheck {
  const rules = isOff ? null : rulesOf(field);
  const isAny = field.message?.typeName === 'google.protobuf.Any';
  const isSkipped = rules?.isSkipped === true || rules?.elements?.isSkipped === true;
  const isWellKnown = field.message === undefined || field.message.typeName.startsWith('google.protobuf.');
  return {
    field,
    localName: field.localName,
    oneof: field.oneof?.localName ?? null,
    hasZero: (field.presence as number) === implicitPresence && field.oneof === undefined,
    rules,
    inner: isWellKnown || isSkipped || isWrapperDesc(field.message) ? null : field.message,
    isAny,
    isDeprecated: field.deprecated,
    isDisallowed: customOption(field, Option.disallowed) === 1,
    disallowedValues: disallowedValues(field),
  };
}

function isNeeded(check: FieldCheck): boolean {
  const { rules, inner, isAny, isDeprecated, isDisallowed, disallowedValues: values } = check;
  return rules !== null || inner !== null || isAny || isDeprecated || isDisallowed || values !== null;
}

function disallowedValues(field: DescField): ReadonlyMap<number, string> | null {
  const values = field.enum?.values.filter((value) => customOption(value, Option.disallowedValue) === 1);
  if (values === undefined || values.length === 0) return null;
  return new Map(values.map((value) => [value.number, value.name]));
}

function isRequired(oneof: DescOneof): boolean {
  return customOption(oneof, Option.required) === 1;
}

function oneofCheck(oneof: DescOneof): OneofCheck {
  return { localName: oneof.localName, fields: oneof.fields.map((field) => field.name) };
}
