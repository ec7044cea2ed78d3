import { getOption, hasOption, type DescField, type DescMessage, type DescOneof } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { disallowed_by_default, disallowed_by_default_enum } from '../../proto/envoy/annotations/deprecation_pb.js';
import { disabled, ignored, required } from '../../proto/validate/validate_pb.js';
import { rulesOf, type CompiledRules } from './field-rules.ts';

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
    const isOff = type.proto.options !== undefined && (getOption(type, disabled) || getOption(type, ignored));
    const fields = type.fields.map((field) => fieldCheck(field, isOff === true)).filter((check) => isNeeded(check));
    found = {
      fields,
      oneofs: isOff ? [] : type.oneofs.filter((oneof) => isRequired(oneof)).map((oneof) => oneofCheck(oneof)),
    };
    known.set(type, found);
  }
  return found;
}

function fieldCheck(field: DescField, isOff: boolean): FieldCheck {
  const options = field.proto.options;
  const rules = isOff ? null : rulesOf(field);
  const isAny = field.message?.typeName === 'google.protobuf.Any';
  const isSkipped = rules?.isSkipped === true || rules?.elements?.isSkipped === true;
  const isWellKnown = field.message === undefined || field.message.typeName.startsWith('google.protobuf.');
  return {
    field,
    localName: field.localName,
    oneof: field.oneof?.localName ?? null,
    hasZero: field.presence === FeatureSet_FieldPresence.IMPLICIT && field.oneof === undefined,
    rules,
    inner: isWellKnown || isSkipped || isWrapperDesc(field.message) ? null : field.message,
    isAny,
    isDeprecated: options?.deprecated === true,
    isDisallowed: options !== undefined && getOption(field, disallowed_by_default),
    disallowedValues: disallowedValues(field),
  };
}

function isNeeded(check: FieldCheck): boolean {
  const { rules, inner, isAny, isDeprecated, isDisallowed, disallowedValues: values } = check;
  return rules !== null || inner !== null || isAny || isDeprecated || isDisallowed || values !== null;
}

function disallowedValues(field: DescField): ReadonlyMap<number, string> | null {
  const values = field.enum?.values.filter(
    (value) => value.proto.options !== undefined && getOption(value, disallowed_by_default_enum),
  );
  if (values === undefined || values.length === 0) return null;
  return new Map(values.map((value) => [value.number, value.name]));
}

function isRequired(oneof: DescOneof): boolean {
  return oneof.proto.options !== undefined && hasOption(oneof, required) && getOption(oneof, required);
}

function oneofCheck(oneof: DescOneof): OneofCheck {
  return { localName: oneof.localName, fields: oneof.fields.map((field) => field.name) };
}
