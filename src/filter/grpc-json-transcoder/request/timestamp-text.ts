/** Seconds and nanoseconds, or what is wrong with the text in Envoy's words. */
export type TimeOrError = { readonly seconds: bigint | number; readonly nanos: number } | string;

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
export const timestampSecondsMin = -62_135_596_800;
export const timestampSecondsMax = 253_402_300_799;
/** About 10 000 years. */
export const durationSecondsMax = 315_576_000_000;

const int32Max = 0x7fff_ffff;
const date = /^([+-]?\d+)-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})$/;
const offset = /^([+-])([ +-]?\d{1,2}):([ +-]?\d{1,2})$/;

/** RFC 3339, with the zone that it must have. */
export function parseTimestamp(text: string): TimeOrError {
  let local = text.slice(0, -1);
  let offsetSeconds = 0;
  if (!text.endsWith('Z')) {
    const at = Math.max(text.lastIndexOf('+'), text.lastIndexOf('-'));
    const zone = at < 0 ? null : parseOffset(text.slice(at));
    if (zone === null) return "Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset.";
    local = text.slice(0, at);
    offsetSeconds = zone;
  }
  const point = local.lastIndexOf('.');
  const seconds = parseDate(point < 0 ? local : local.slice(0, point));
  if (typeof seconds === 'string') return `Invalid time format: ${seconds}`;
  const limit = 'Timestamp value exceeds limits';
  const nanos = parseNanos(
    point < 0 ? '' : local.slice(point + 1),
    'Invalid time format, failed to parse nano seconds',
    limit,
  );
  if (typeof nanos === 'string') return nanos;
  const utc = seconds - offsetSeconds;
  return utc < timestampSecondsMin || utc > timestampSecondsMax ? limit : { seconds: utc, nanos };
}

function parseOffset(text: string): number | null {
  if (text.length !== 6) return null;
  const parts = offset.exec(text);
  if (parts === null) return null;
  const hours = Number(parts[2]);
  const minutes = Number(parts[3]);
  if (!(hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60)) return null;
  return (parts[1] === '-' ? -60 : 60) * (hours * 60 + minutes);
}

function parseDate(text: string): number | string {
  const parts = date.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return 'Failed to parse input';
  const [year, month, day, hour, minute, second] = parts;
  const isPlausible = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60;
  if (!isPlausible) return 'Failed to parse input';
  if (year < 1 || year > 9999) return Infinity;
  const instant = new Date(0);
  instant.setUTCFullYear(year, month - 1, day);
  if (instant.getUTCDate() !== day) return 'Out-of-range field';
  return instant.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

export function parseDuration(text: string): TimeOrError {
  if (!text.endsWith('s')) return "Illegal duration format; duration must end with 's'";
  const isNegative = text.startsWith('-');
  const number = text.slice(isNegative ? 1 : 0, -1);
  const point = number.lastIndexOf('.');
  const whole = /^[\t\n\v\f\r ]*\+?(\d+)[\t\n\v\f\r ]*$/.exec(point < 0 ? number : number.slice(0, point))?.[1];
  if (whole === undefined || BigInt(whole) >= 1n << 64n) return 'Invalid duration format, failed to parse seconds';
  const limit = 'Duration value exceeds limits';
  const nanos = parseNanos(
    point < 0 ? '' : number.slice(point + 1),
    'Invalid duration format, failed to parse nano seconds',
    limit,
  );
  if (typeof nanos === 'string') return nanos;
  const seconds = Number(whole);
  if (seconds > durationSecondsMax) return limit;
  return isNegative ? { seconds: -seconds + 0, nanos: -nanos + 0 } : { seconds, nanos };
}

/** Up to nine digits behind the point. */
function parseNanos(digits: string, malformed: string, exceeded: string): number | string {
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return 0;
  if (!/^[+-]?\d+$/.test(significant) || Math.abs(Number(significant)) > int32Max) return malformed;
  const number = Number(significant);
  if (number < 0 || number > 1e9) return exceeded;
  if (!/^\d+$/.test(significant)) return malformed;
  return digits.length > 9 ? exceeded : number * 10 ** (9 - digits.length);
}
