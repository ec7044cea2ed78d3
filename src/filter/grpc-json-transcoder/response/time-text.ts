import { durationSecondsMax, timestampSecondsMax, timestampSecondsMin } from '../request/timestamp-text.ts';
import { WireError } from '../../wire/wire-cursor.ts';

/** RFC 3339 in UTC, with 0, 3, 6 or 9 digits behind the point. */
export function timestampText(seconds: number, nanos: number): string {
  if (seconds < timestampSecondsMin) throw new WireError('minimum acceptable time value is 0001-01-01T00:00:00Z');
  if (seconds > timestampSecondsMax) throw new WireError('maximum acceptable time value is 9999-12-31T23:59:59Z');
  if (nanos < 0 || nanos > 999_999_999) throw new WireError('nanos must be in range [0, +999,999,999]');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}

export function durationText(seconds: number, nanos: number): string {
  if (Math.abs(seconds) > durationSecondsMax || Math.abs(nanos) > 999_999_999)
    throw new WireError('duration out of range');
  if (seconds !== 0 && nanos !== 0 && seconds < 0 !== nanos < 0)
    throw new WireError('nanos and seconds signs do not match');
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  if (nanos % 1_000_000 === 0) return `.${digits.slice(0, 3)}`;
  return `.${nanos % 1000 === 0 ? digits.slice(0, 6) : digits}`;
}

/** `foo_bar` → `fooBar`. */
export function camelPath(path: string): string {
  return path.replace(/_+(.?)/g, (_, next: string) => (/[A-Z]/.test(next) ? `_${next}` : next.toUpperCase()));
}
