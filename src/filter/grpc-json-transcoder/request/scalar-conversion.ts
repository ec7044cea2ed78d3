import { FieldType } from '../schema/field-type.ts';
import type { EnumPlan } from '../schema/message-plan.ts';
import type { JsonScalar } from './scalar-text.ts';

const ranges: Readonly<Partial<Record<FieldType, readonly [bigint, bigint]>>> = {
  [FieldType.Int64]: [-(1n << 63n), (1n << 63n) - 1n],
  [FieldType.Sint64]: [-(1n << 63n), (1n << 63n) - 1n],
  [FieldType.Sfixed64]: [-(1n << 63n), (1n << 63n) - 1n],
  [FieldType.Uint64]: [0n, (1n << 64n) - 1n],
  [FieldType.Fixed64]: [0n, (1n << 64n) - 1n],
};
const whole = /^[\t\n\v\f\r ]*([+-]?\d+)[\t\n\v\f\r ]*$/;
const decimal = /^[\t\n\v\f\r ]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[\t\n\v\f\r ]*$/;
const truths = new Set(['true', 't', 'yes', 'y', '1']);
const falsehoods = new Set(['false', 'f', 'no', 'n', '0']);

/** -2^31 … 2^31-1, or without a sign to 2^32-1; null: it is no such number. */
export function toInteger32(value: JsonScalar, isSigned: boolean): number | null {
  const number = typeof value === 'string' ? parseWhole(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return null;
  const fits = isSigned ? number >= -0x8000_0000 && number <= 0x7fff_ffff : number >= 0 && number <= 0xffff_ffff;
  return fits ? number + 0 : null;
}

export function toInteger64(value: JsonScalar, type: FieldType): bigint | number | null {
  const number = typeof value === 'string' ? parseWhole(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number))
    return number < 0 && ranges[type]![0] === 0n ? null : number + 0;
  if (typeof number === 'number' && !Number.isInteger(number)) return null;
  if (typeof number !== 'number' && typeof number !== 'bigint') return null;
  const big = BigInt(number);
  const [min, max] = ranges[type]!;
  return big >= min && big <= max ? big : null;
}

function parseWhole(text: string): number | bigint | null {
  // Envoy minds spaces at the ends, and no other white space.
  if (text.startsWith(' ') || text.endsWith(' ')) return null;
  const digits = whole.exec(text)?.[1];
  if (digits === undefined) return null;
  return digits.length <= 15 ? Number(digits) : BigInt(digits.replace(/^\+/, ''));
}

export function toDouble(value: JsonScalar): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return null;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  if (value === 'NaN') return NaN;
  if (value.startsWith(' ') || value.endsWith(' ')) return null;
  const number = decimal.test(value) ? Number(value) : parseHexadecimal(value);
  return Number.isFinite(number) ? number : null;
}

/** C's hexadecimal floats, which Envoy lets pass: `0x1.8p3` is 12. */
function parseHexadecimal(text: string): number {
  const parts = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i.exec(text);
  const [, sign, whole, fraction = '', exponent = '0'] = parts ?? [];
  if (parts === null || whole + fraction === '') return NaN;
  const digits = Number.parseInt(whole + fraction, 16);
  return digits * 2 ** (Number(exponent) - 4 * fraction.length) * (sign === '-' ? -1 : 1);
}

export function toFloat(value: JsonScalar): number | null {
  const number = toDouble(value);
  if (number === null || !Number.isFinite(number)) return number;
  const float = Math.fround(number);
  return Number.isFinite(float) ? float : null;
}

export function toBool(value: JsonScalar): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || value.length > 5) return null;
  const word = value.toLowerCase();
  if (truths.has(word)) return true;
  return falsehoods.has(word) ? false : null;
}

/** By name, by number, and `ignoreCase` by a name written otherwise. Unknown numbers are kept, unless in quotes. */
export function toEnum(value: JsonScalar, plan: EnumPlan, ignoreCase: boolean): number | null {
  if (value === null) return 0;
  if (typeof value !== 'string') return toInteger32(value, true);
  const named = plan.numbers.get(value);
  if (named !== undefined) return named;
  const number = toInteger32(value, true);
  if (number !== null && plan.names.has(number)) return number;
  return ignoreCase ? (plan.numbers.get(value.toUpperCase().replaceAll('-', '_')) ?? null) : null;
}

/** Either alphabet, not both in one, with padding or without; white space means nothing. */
export function toBytes(text: string): Uint8Array | null {
  const packed = text.replace(/[\t\n\v\f\r ]+/g, '');
  const body = packed.replace(/={0,2}$/, '');
  if (!/^(?:[\w-]*|[A-Za-z0-9+/]*)$/.test(body) || body.length % 4 === 1) return null;
  const padding = packed.length - body.length;
  if (padding > 0 && (body.length + padding) % 4 !== 0) return null;
  const binary = atob(body.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
