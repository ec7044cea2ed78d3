import type { DescEnum, DescField } from '@bufbuild/protobuf';
import type { Any, Duration } from '@bufbuild/protobuf/wkt';
import { customOption } from '../../proto/embedded.js';
import { fromBinary } from '../../proto/protobuf.js';
import {
  FieldRulesSchema,
  type AnyRules,
  type DurationRules,
  type EnumRules,
  type FieldRules,
  type MapRules,
  type RepeatedRules,
  type TimestampRules,
} from '../../proto/validate/validate_pb.js';
import { orderRules, type OrderRules } from './number-rules.ts';
import { anyOf, isSet, type Rule } from './rule.ts';
import { bytesRules, stringRules } from './string-rules.ts';

/** The `validate.rules` of a field, or of the elements of a list or a map, ready to be asked. */
export interface CompiledRules {
  /** Of a message: it must be there. */
  readonly isRequired: boolean;
  /** Of a message: what is inside it is not looked at. */
  readonly isSkipped: boolean;
  /** An empty value is right whatever the rules say. */
  readonly ignoresEmpty: boolean;
  readonly rules: readonly Rule[];
  /** Of a list's elements or a map's values. */
  readonly elements: CompiledRules | null;
  readonly keys: CompiledRules | null;
}

/** `validate.rules` in FieldOptions. */
const rulesOption = 1071;

/** null: the field has none. */
export function rulesOf(field: DescField): CompiledRules | null {
  const bytes = customOption(field, rulesOption) as Uint8Array | undefined;
  return bytes === undefined ? null : compile(fromBinary(FieldRulesSchema, bytes), field.enum);
}

function compile(source: FieldRules, type: DescEnum | undefined): CompiledRules {
  const base: CompiledRules = {
    isRequired: source.message?.required ?? false,
    isSkipped: source.message?.skip ?? false,
    ignoresEmpty: (source.type.value as { ignoreEmpty?: boolean } | undefined)?.ignoreEmpty ?? false,
    rules: [],
    elements: null,
    keys: null,
  };
  switch (source.type.case) {
    case undefined:
      return base;
    case 'repeated':
      return { ...base, rules: repeatedRules(source.type.value), elements: inner(source.type.value.items, type) };
    case 'map': {
      const { keys, values } = source.type.value;
      return {
        ...base,
        rules: mapRules(source.type.value),
        elements: inner(values, type),
        keys: inner(keys, undefined),
      };
    }
    case 'string':
      return { ...base, rules: stringRules(source.type.value) };
    case 'bytes':
      return { ...base, rules: bytesRules(source.type.value) };
    case 'bool': {
      const wanted = source.type.value.const;
      const rule: Rule = (value) => (value === wanted ? null : `must be ${wanted}`);
      return { ...base, rules: isSet(source.type.value, 'const') ? [rule] : [] };
    }
    case 'enum':
      return { ...base, rules: enumRules(source.type.value, type) };
    case 'any':
      return { ...base, isRequired: base.isRequired || source.type.value.required, rules: anyRules(source.type.value) };
    case 'duration':
      return {
        ...base,
        isRequired: base.isRequired || source.type.value.required,
        rules: durationRules(source.type.value),
      };
    case 'timestamp':
      return {
        ...base,
        isRequired: base.isRequired || source.type.value.required,
        rules: timestampRules(source.type.value),
      };
    default:
      return {
        ...base,
        rules: orderRules(source.type.value as OrderRules<number | bigint>, (value) => value, String),
      };
  }
}

function inner(source: FieldRules | undefined, type: DescEnum | undefined): CompiledRules | null {
  return source === undefined ? null : compile(source, type);
}

function repeatedRules(rules: RepeatedRules): Rule[] {
  const result = sizeRules(rules, 'minItems', 'maxItems', 'element', (value) => (value as unknown[]).length);
  if (rules.unique)
    result.push((value) =>
      new Set(value as unknown[]).size === (value as unknown[]).length ? null : 'must have no element twice',
    );
  return result;
}

function mapRules(rules: MapRules): Rule[] {
  return sizeRules(rules, 'minPairs', 'maxPairs', 'entry', (value) => Object.keys(value as object).length);
}

function sizeRules<Names extends string>(
  rules: Readonly<Record<Names, bigint>>,
  min: Names,
  max: Names,
  unit: string,
  size: (value: unknown) => number,
): Rule[] {
  const result: Rule[] = [];
  const count = (limit: number): string => `${limit} ${limit === 1 ? unit : unit.replace(/y$/, 'ie') + 's'}`;
  if (isSet(rules, min)) {
    const least = Number(rules[min]);
    result.push((value) => (size(value) >= least ? null : `must have at least ${count(least)}`));
  }
  if (isSet(rules, max)) {
    const most = Number(rules[max]);
    result.push((value) => (size(value) <= most ? null : `must have at most ${count(most)}`));
  }
  return result;
}

function enumRules(rules: EnumRules, type: DescEnum | undefined): Rule[] {
  const name = (number: number): string => type?.value[number]?.name ?? String(number);
  const result = orderRules(rules as unknown as OrderRules<number>, (value) => value, name);
  if (rules.definedOnly && type !== undefined) {
    const message = `must be one of ${type.values.map((value) => value.name).join(', ')}`;
    result.push((value) => (type.value[value as number] === undefined ? message : null));
  }
  return result;
}

function anyRules(rules: AnyRules): Rule[] {
  const result: Rule[] = [];
  if (rules.in.length > 0)
    result.push((value) => (rules.in.includes((value as Any).typeUrl) ? null : `must be of type ${anyOf(rules.in)}`));
  if (rules.notIn.length > 0)
    result.push((value) =>
      rules.notIn.includes((value as Any).typeUrl) ? `must not be of type ${anyOf(rules.notIn)}` : null,
    );
  return result;
}

type Instant = Pick<Duration, 'seconds' | 'nanos'>;

function nanos(time: Instant): bigint {
  return time.seconds * 1_000_000_000n + BigInt(time.nanos);
}

/** `1.5s`. */
export function durationText(time: Instant): string {
  const decimals = String(time.nanos).padStart(9, '0').replace(/0+$/, '');
  return decimals === '' ? `${time.seconds}s` : `${time.seconds}.${decimals}s`;
}

/** `2006-01-02T15:04:05.000Z`. */
export function timestampText(time: Instant): string {
  return new Date(Number(nanos(time) / 1_000_000n)).toISOString();
}

function durationRules(rules: DurationRules): Rule[] {
  return orderRules(timeOrder(rules), nanos, durationText);
}

function timestampRules(rules: TimestampRules): Rule[] {
  const result = orderRules(timeOrder({ ...rules, in: [], notIn: [] }), nanos, timestampText);
  const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
  if (rules.ltNow) result.push((value) => (nanos(value as Instant) < now() ? null : 'must be in the past'));
  if (rules.gtNow) result.push((value) => (nanos(value as Instant) > now() ? null : 'must be in the future'));
  if (rules.within !== undefined) {
    const most = nanos(rules.within);
    const message = `must be within ${durationText(rules.within)} of now`;
    result.push((value) => {
      const distance = nanos(value as Instant) - now();
      return (distance < 0n ? -distance : distance) <= most ? null : message;
    });
  }
  return result;
}

type TimeRules = { readonly [Name in 'const' | 'lt' | 'lte' | 'gt' | 'gte']?: Instant | undefined } & {
  readonly in: readonly Instant[];
  readonly notIn: readonly Instant[];
};

/** Message fields have presence already; the order rules ask for own properties. */
function timeOrder(rules: TimeRules): OrderRules<Instant> {
  const order: Record<string, unknown> = { in: rules.in, notIn: rules.notIn };
  for (const name of ['const', 'lt', 'lte', 'gt', 'gte'] as const)
    if (rules[name] !== undefined) order[name] = rules[name];
  return order as unknown as OrderRules<Instant>;
}
