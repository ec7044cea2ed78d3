import { FormatError } from './format-error.ts';
import { toBytes } from './byte-string.ts';

const DEFAULT_UTC = '%Y-%m-%dT%H:%M:%E3SZ';
const DEFAULT_LOCAL = '%Y-%m-%dT%H:%M:%E3S%z';

/** As Envoy refuses them: `%n`, with flags and widths. */
const NEWLINE = /%[-_0^#]*[1-9]*[EO]?n/;

/** `%…` with what may stand between: `E4Y`, `E3S`, `E*f`, `:z`, `3f`, glibc's flags and width. */
const SPECIFIER = /%(?:E(\*|\d+)([Sf])|([1-9])?f|(E\*|E|:{1,3})z|E4Y|([-_0^#]*)(\d*)[EO]?([a-zA-Z%]))/g;

/** Milliseconds: absorbs the rounding of a sum of floating-point instants. */
const ROUNDING = 1e-4;

type Part = Digits | Field;

/** Digits of the second's fraction; `length` -1: as many as there are, with `prefix` only when there are some. */
interface Digits {
  readonly length: number;
  readonly prefix: string;
}

/** What changes once a second at most. */
interface Field {
  print(date: Calendar): string;
}

/** One instant, broken down. */
interface Calendar {
  readonly epochSeconds: number;
  readonly year: number;
  /** 0 … 11. */
  readonly month: number;
  readonly day: number;
  /** 0: Sunday. */
  readonly weekday: number;
  readonly yearday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
  readonly zone: string;
}

/**
 * A strftime pattern as %START_TIME% takes it, with fractions of the second (`%f`, `%3f`, `%E6S` …). Everything but the
 * fraction is printed once per second and kept.
 */
export class TimeFormat {
  private readonly isLocal: boolean;
  private readonly parts: readonly Part[];
  private readonly printed: string[];
  /** Nothing is finer than a millisecond: what was printed last holds for as long as that. */
  private readonly isCoarse: boolean;
  private second: number;
  private millisecond: number;
  private text: string;

  /** An empty pattern is Envoy's ISO 8601 with milliseconds. */
  constructor(pattern: string, isLocal: boolean) {
    if (NEWLINE.test(pattern)) throw new FormatError('Invalid header configuration. Format string contains newline.');
    this.isLocal = isLocal;
    this.parts = parse(pattern === '' ? (isLocal ? DEFAULT_LOCAL : DEFAULT_UTC) : pattern);
    this.printed = this.parts.map(() => '');
    this.isCoarse = this.parts.every((part) => !('length' in part) || part.length === 3);
    this.second = NaN;
    this.millisecond = NaN;
    this.text = '';
  }

  /** `epochMs` may have fractions: microseconds are kept. */
  format(epochMs: number): string {
    const second = Math.floor(epochMs / 1000);
    const ms = epochMs - second * 1000;
    if (!this.isCoarse) return this.print(second, ms);
    const millisecond = Math.floor(ms + ROUNDING);
    if (second === this.second && millisecond === this.millisecond) return this.text;
    this.text = this.print(second, ms);
    this.millisecond = millisecond;
    return this.text;
  }

  private print(second: number, ms: number): string {
    if (second !== this.second) this.turn(second);
    let text = '';
    for (let i = 0; i < this.parts.length; i++) {
      const part = this.parts[i];
      text += 'length' in part ? fraction(part, ms) : this.printed[i];
    }
    return text;
  }

  private turn(second: number): void {
    this.second = second;
    const calendar = this.isLocal ? localCalendar(second) : utcCalendar(second);
    for (let i = 0; i < this.parts.length; i++) {
      const part = this.parts[i];
      if ('print' in part) this.printed[i] = part.print(calendar);
    }
  }
}

/** Fields that follow each other become one part, so that the common pattern is text, fraction, text. */
function parse(pattern: string): Part[] {
  const parts: Part[] = [];
  let fields: Field[] = [];
  const flush = () => {
    if (fields.length > 0) parts.push(joined(fields));
    fields = [];
  };
  let from = 0;
  for (const match of pattern.matchAll(SPECIFIER)) {
    if (match.index > from) fields.push(literal(pattern.slice(from, match.index)));
    from = match.index + match[0].length;
    const [whole, digits, kind, subsecond, zone, flags, width, letter] = match;
    if (digits !== undefined) {
      if (kind === 'S') fields.push({ print: (c) => pad(c.second, 2) });
      flush();
      const length = digits === '*' ? -1 : Number(digits);
      if (length !== 0) parts.push({ length, prefix: kind === 'S' ? '.' : '' });
    } else if (letter === undefined && zone === undefined && whole !== '%E4Y') {
      flush();
      parts.push({ length: subsecond === undefined ? 9 : Number(subsecond), prefix: '' });
    } else if (zone !== undefined) {
      const hasSeconds = zone === 'E*' || zone === '::';
      fields.push({ print: (c) => offsetOf(c, true) + (hasSeconds ? ':00' : '') });
    } else if (whole === '%E4Y') {
      fields.push({ print: (c) => pad(c.year, 4) });
    } else {
      fields.push(letterField(letter, flags, width, whole));
    }
  }
  if (from < pattern.length) fields.push(literal(pattern.slice(from)));
  flush();
  return parts;
}

function joined(fields: readonly Field[]): Field {
  return { print: (calendar) => fields.map((field) => field.print(calendar)).join('') };
}

function literal(text: string): Field {
  const bytes = toBytes(text);
  return { print: () => bytes };
}

function letterField(letter: string, flags: string, width: string, whole: string): Field {
  const field = FIELDS.get(letter);
  // glibc prints what it does not know as it is, widened.
  if (field === undefined) return literal(whole.padStart(Number(width)));
  return { print: (calendar) => decorate(field(calendar), flags, width) };
}

/** glibc's flags: `-` no padding, `_` spaces, `0` zeros, `^` upper case, `#` the other case; and a width. */
function decorate(text: string, flags: string, width: string): string {
  const isNumber = /^[ 0]*\d+$/.test(text);
  let result = text;
  if (flags.includes('^')) result = result.toUpperCase();
  if (flags.includes('#')) result = result === result.toUpperCase() ? result.toLowerCase() : result.toUpperCase();
  if (isNumber && flags.includes('-')) result = result.replace(/^[ 0]+(?=\d)/, '');
  if (isNumber && flags.includes('_')) result = result.replace(/^0+(?=\d)/, (zeros) => ' '.repeat(zeros.length));
  if (isNumber && flags.includes('0')) result = result.replace(/^ +/, (spaces) => '0'.repeat(spaces.length));
  if (width === '') return result;
  return result.padStart(Number(width), isNumber && !flags.includes('_') ? '0' : ' ');
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const clockOf = (c: Calendar) => `${pad(c.hour, 2)}:${pad(c.minute, 2)}:${pad(c.second, 2)}`;
const twelve = (c: Calendar) => c.hour % 12 || 12;
const slashDate = (c: Calendar) => `${pad(c.month + 1, 2)}/${pad(c.day, 2)}/${pad(c.year % 100, 2)}`;

/** C locale. */
const FIELDS = new Map<string, (c: Calendar) => string>([
  ['a', (c) => DAYS[c.weekday].slice(0, 3)],
  ['A', (c) => DAYS[c.weekday]],
  ['b', (c) => MONTHS[c.month].slice(0, 3)],
  ['B', (c) => MONTHS[c.month]],
  [
    'c',
    (c) =>
      `${DAYS[c.weekday].slice(0, 3)} ${MONTHS[c.month].slice(0, 3)} ${pad(c.day, 2, ' ')} ${clockOf(c)} ${c.year}`,
  ],
  ['C', (c) => pad(Math.floor(c.year / 100), 2)],
  ['d', (c) => pad(c.day, 2)],
  ['D', slashDate],
  ['e', (c) => pad(c.day, 2, ' ')],
  ['F', (c) => `${c.year}-${pad(c.month + 1, 2)}-${pad(c.day, 2)}`],
  ['g', (c) => pad(isoWeek(c).year % 100, 2)],
  ['G', (c) => String(isoWeek(c).year)],
  ['h', (c) => MONTHS[c.month].slice(0, 3)],
  ['H', (c) => pad(c.hour, 2)],
  ['I', (c) => pad(twelve(c), 2)],
  ['j', (c) => pad(c.yearday + 1, 3)],
  ['k', (c) => pad(c.hour, 2, ' ')],
  ['l', (c) => pad(twelve(c), 2, ' ')],
  ['m', (c) => pad(c.month + 1, 2)],
  ['M', (c) => pad(c.minute, 2)],
  ['p', (c) => (c.hour < 12 ? 'AM' : 'PM')],
  ['P', (c) => (c.hour < 12 ? 'am' : 'pm')],
  ['r', (c) => `${pad(twelve(c), 2)}:${pad(c.minute, 2)}:${pad(c.second, 2)} ${c.hour < 12 ? 'AM' : 'PM'}`],
  ['R', (c) => `${pad(c.hour, 2)}:${pad(c.minute, 2)}`],
  ['s', (c) => String(c.epochSeconds)],
  ['S', (c) => pad(c.second, 2)],
  ['t', () => '\t'],
  ['T', clockOf],
  ['u', (c) => String(c.weekday || 7)],
  ['U', (c) => pad(Math.floor((c.yearday + 7 - c.weekday) / 7), 2)],
  ['V', (c) => pad(isoWeek(c).week, 2)],
  ['w', (c) => String(c.weekday)],
  ['W', (c) => pad(Math.floor((c.yearday + 7 - ((c.weekday + 6) % 7)) / 7), 2)],
  ['x', slashDate],
  ['X', clockOf],
  ['y', (c) => pad(c.year % 100, 2)],
  ['Y', (c) => String(c.year)],
  ['z', (c) => offsetOf(c, false)],
  ['Z', (c) => c.zone],
  ['%', () => '%'],
]);

/** ISO 8601: week 1 is the one with the year's first Thursday. */
function isoWeek(c: Calendar): { year: number; week: number } {
  const thursday = new Date(Date.UTC(c.year, c.month, c.day + 4 - (c.weekday || 7)));
  const year = thursday.getUTCFullYear();
  const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000;
  return { year, week: Math.floor(days / 7) + 1 };
}

function utcCalendar(second: number): Calendar {
  const date = new Date(second * 1000);
  const year = date.getUTCFullYear();
  return {
    epochSeconds: second,
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    yearday: Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    offset: 0,
    zone: 'UTC',
  };
}

/** The machine's time zone: the same fields as UTC's, shifted. */
function localCalendar(second: number): Calendar {
  const date = new Date(second * 1000);
  const offset = -date.getTimezoneOffset();
  const zone = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')!.value;
  return { ...utcCalendar(second + offset * 60), epochSeconds: second, offset, zone };
}

function offsetOf({ offset }: Calendar, hasColon: boolean): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${hasColon ? ':' : ''}${pad(minutes % 60, 2)}`;
}

function pad(value: number, width: number, fill = '0'): string {
  const digits = String(value);
  return digits.length >= width ? digits : digits.padStart(width, fill);
}

/** `ms`: 0 ≤ ms < 1000. */
function fraction({ length, prefix }: Digits, ms: number): string {
  if (length === 3) return prefix + THOUSANDS[Math.floor(ms + ROUNDING) % 1000];
  const micros = Math.min(999_999, Math.round(ms * 1000));
  const digits = String(micros).padStart(6, '0');
  if (length > 0) return prefix + (length <= 6 ? digits.slice(0, length) : digits.padEnd(length, '0'));
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : prefix + trimmed;
}

const THOUSANDS: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));
