import { isCelList, isCelMap, isCelType, isCelUint } from '@bufbuild/cel';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { quoteJson } from '../format/byte-string.ts';

/** What evaluation gives, as `absl::StrCat` and cel-cpp print it. Bytes, one per character. */
export function textOfValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return numberText(value);
    default:
      return value === null ? 'NULL' : textOfObject(value as object);
  }
}

function textOfObject(value: object): string {
  if (isCelUint(value)) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (isCelMap(value)) return 'CelMap value';
  if (isCelList(value)) return 'CelList value';
  if (isCelType(value)) return 'CelType value';
  const message = messageOf(value);
  if (message?.$typeName === 'google.protobuf.Duration') return durationText(message as Duration);
  if (message?.$typeName === 'google.protobuf.Timestamp') return `${timestampText(message as Timestamp)}+00:00`;
  return 'CelMap value';
}

/** Null: it has none. */
export function jsonOfValue(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return quoteJson(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : quoteJson(String(value));
    default:
      return value === null ? null : jsonOfObject(value as object);
  }
}

function jsonOfObject(value: object): string | null {
  if (isCelUint(value)) return String(value.value);
  if (value instanceof Uint8Array) return quoteJson(Buffer.from(value).toString('base64'));
  if (isCelList(value)) return `[${[...value].map((one) => jsonOfValue(one) ?? 'null').join(',')}]`;
  if (isCelMap(value)) {
    const entries = [...value.entries()].map(([key, inner]) => [textOfValue(key), jsonOfValue(inner)] as const);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${quoteJson(key)}:${inner ?? 'null'}`).join(',')}}`;
  }
  const message = messageOf(value);
  if (message?.$typeName === 'google.protobuf.Duration') return quoteJson(durationSeconds(message as Duration));
  if (message?.$typeName === 'google.protobuf.Timestamp') return timestampJson(message as Timestamp);
  return null;
}

function messageOf(value: object): { readonly $typeName: string } | undefined {
  return (value as { readonly message?: { readonly $typeName: string } }).message;
}

/** Six significant digits, as `%g`. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponent] = value.toExponential(5).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return trimmed(value.toFixed(Math.max(0, 5 - power)));
  return `${trimmed(mantissa)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

const nanosPerSecond = 1_000_000_000n;

function nanosOf({ seconds, nanos }: Duration): bigint {
  return seconds * nanosPerSecond + BigInt(nanos);
}

/** `absl::FormatDuration`: `1h1m1.5s`, `1.5ms`. */
function durationText(duration: Duration): string {
  const total = nanosOf(duration);
  if (total === 0n) return '0';
  const sign = total < 0n ? '-' : '';
  const left = total < 0n ? -total : total;
  if (left < 1000n) return `${sign}${left}ns`;
  if (left < 1_000_000n) return `${sign}${decimal(left, 1000n)}us`;
  if (left < nanosPerSecond) return `${sign}${decimal(left, 1_000_000n)}ms`;
  const hours = left / (3600n * nanosPerSecond);
  const minutes = (left / (60n * nanosPerSecond)) % 60n;
  const seconds = left % (60n * nanosPerSecond);
  const parts = [hours > 0n ? `${hours}h` : '', minutes > 0n ? `${minutes}m` : ''];
  return `${sign}${parts.join('')}${seconds > 0n ? `${decimal(seconds, nanosPerSecond)}s` : ''}`;
}

function decimal(value: bigint, unit: bigint): string {
  const rest = value % unit;
  const digits = String(rest).padStart(String(unit).length - 1, '0');
  return rest === 0n ? String(value / unit) : `${value / unit}.${digits.replace(/0+$/, '')}`;
}

/** `google.protobuf.Duration` in JSON: none, three, six or nine digits. */
function durationSeconds(duration: Duration): string {
  const total = nanosOf(duration);
  const left = total < 0n ? -total : total;
  return `${total < 0n ? '-' : ''}${left / nanosPerSecond}${threes(Number(left % nanosPerSecond))}s`;
}

function threes(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`;
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`;
}

/** After which the calendar is the same again: 400 years. */
const cycleSeconds = 12_622_780_800n;

/** Any year there is, which Date has not. */
function dateOf(seconds: bigint): { readonly year: bigint; readonly rest: string } {
  const cycles = (seconds - (((seconds % cycleSeconds) + cycleSeconds) % cycleSeconds)) / cycleSeconds;
  const date = new Date(Number(seconds - cycles * cycleSeconds) * 1000);
  return { year: BigInt(date.getUTCFullYear()) + cycles * 400n, rest: date.toISOString().slice(4, 19) };
}

/** RFC 3339 with as many digits as there are, and a year without zeros in front. */
function timestampText({ seconds, nanos }: Timestamp): string {
  const { year, rest } = dateOf(seconds);
  const digits = String(nanos).padStart(9, '0').replace(/0+$/, '');
  return `${year}${rest}${digits === '' ? '' : `.${digits}`}`;
}

/** Null: not a year of four digits, which JSON's are. */
function timestampJson({ seconds, nanos }: Timestamp): string | null {
  const { year, rest } = dateOf(seconds);
  return year < 1n || year > 9999n ? null : quoteJson(`${String(year).padStart(4, '0')}${rest}${threes(nanos)}Z`);
}
