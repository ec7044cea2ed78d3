import type { ConfigSourceData } from '../identity/config-source-data.ts';

/** One value of the runtime, read once into every type it can be asked for. */
export interface RuntimeValue {
  /** As written; what `/runtime` shows. */
  readonly text: string;
  /** Null: not a number. */
  readonly number: number | null;
  /** Null: neither `true` nor `false`. */
  readonly boolean: boolean | null;
  /** Null: not a `FractionalPercent`. */
  readonly fraction: RuntimeFraction | null;
}

export interface RuntimeFraction {
  readonly numerator: number;
  readonly denominator: number;
}

export type RuntimeEntries = ReadonlyMap<string, RuntimeValue>;

/** `layered_runtime` as plain data, least important layer first. */
export type RuntimeLayerData =
  | { readonly kind: 'static'; readonly name: string; readonly entries: RuntimeEntries }
  /** What `/runtime_modify` changes. At most one. */
  | { readonly kind: 'admin'; readonly name: string }
  | { readonly kind: 'disk'; readonly name: string; readonly symlinkRoot: string; readonly subdirectory: string }
  | RtdsLayerData;

/** What a control plane says. */
export interface RtdsLayerData {
  readonly kind: 'rtds';
  readonly name: string;
  /** What it is asked for as. */
  readonly resource: string;
  readonly source: ConfigSourceData;
}

const denominators: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 };

/** JavaScript would take hexadecimal too. */
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A text as it comes from `/runtime_modify`, a file, or a string in a static layer. */
export function runtimeText(text: string): RuntimeValue {
  const trimmed = text.trim();
  const number = decimal.test(trimmed) ? Number(trimmed) : NaN;
  const lower = trimmed.toLowerCase();
  return {
    text,
    number: Number.isFinite(number) ? number : null,
    boolean: lower === 'true' ? true : lower === 'false' ? false : null,
    fraction: fractionFromText(trimmed),
  };
}

export function runtimeNumber(value: number): RuntimeValue {
  return { text: sixDigits(value), number: value, boolean: null, fraction: null };
}

/** As C's `%g`, which is how Envoy writes a number that was one in the configuration. */
function sixDigits(value: number): string {
  const [digits, exponent] = value.toExponential(5).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return withoutZeros(value.toFixed(5 - power));
  return `${withoutZeros(digits)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function withoutZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

export function runtimeBoolean(value: boolean): RuntimeValue {
  return { text: String(value), number: null, boolean: value, fraction: null };
}

/** `{numerator, denominator}`; undefined where the parts are of the wrong kind. */
export function runtimeFraction(numerator: unknown, denominator: unknown, text: string): RuntimeValue | undefined {
  const top = numerator === undefined ? 0 : Number(numerator);
  const bottom =
    typeof denominator === 'string' ? denominators[denominator] : denominator === undefined ? 100 : undefined;
  if (!Number.isInteger(top) || top < 0 || bottom === undefined) return undefined;
  return { text, number: null, boolean: null, fraction: { numerator: top, denominator: bottom } };
}

/** The two lines `numerator: 5` and `denominator: HUNDRED`, in either order: how files write a fraction. */
function fractionFromText(text: string): RuntimeFraction | null {
  if (!text.includes('numerator')) return null;
  const numerator = /^\{?\s*["']?numerator["']?:\s*(\d+)/m.exec(text)?.[1] ?? /numerator["']?:\s*(\d+)/.exec(text)?.[1];
  const denominator = /denominator["']?:\s*["']?([A-Z_]+)/.exec(text)?.[1];
  return runtimeFraction(numerator, denominator, text)?.fraction ?? null;
}
