import { logLevelNames } from './level.ts';
import type { LogEntry } from './log.ts';

/** What a format may print beside the entry. */
export interface LogOrigin {
  /** `%t`. */
  readonly threadId: number;
  /** `%P`. */
  readonly processId: number;
  /** `%N`, Envoy's version string. */
  readonly version: string;
}

/** Envoy's default without the place in the source, which sekisho does not print. */
export const defaultLogPattern = '[%Y-%m-%d %T.%e][%t][%l][%n] %v';

type Part = (entry: LogEntry, time: Date, origin: LogOrigin) => string;

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
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
const shortLevels = ['T', 'D', 'I', 'W', 'E', 'C', 'O'];

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);
const three = (value: number): string => String(value).padStart(3, '0');
const hour12 = (time: Date): string => two(time.getHours() % 12 || 12);
const half = (time: Date): string => (time.getHours() < 12 ? 'AM' : 'PM');
const clock = (time: Date): string => `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
const shortDate = (time: Date): string =>
  `${two(time.getMonth() + 1)}/${two(time.getDate())}/${two(time.getFullYear() % 100)}`;

function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

function longDate(time: Date): string {
  const day = days[time.getDay()].slice(0, 3);
  const month = months[time.getMonth()].slice(0, 3);
  return `${day} ${month} ${String(time.getDate()).padStart(2)} ${clock(time)} ${time.getFullYear()}`;
}

/** Microseconds within the second, as far as the clock gives them. */
function fraction(entry: LogEntry, digits: number): string {
  const inSecond = entry.epochMs - Math.floor(entry.epochMs / 1000) * 1000;
  return String(Math.floor(inSecond * 10 ** (digits - 3))).padStart(digits, '0');
}

/** spdlog's pattern flags and Envoy's additions (`_`, `j`, `*`, `N`). Local time, as in Envoy. */
const parts: Readonly<Record<string, Part>> = {
  v: (entry) => entry.message,
  _: (entry) => entry.message.replaceAll('\n', '\\n'),
  j: (entry) => JSON.stringify(entry.message).slice(1, -1),
  '*': () => '',
  N: (_entry, _time, origin) => origin.version,
  n: (entry) => entry.component,
  l: (entry) => logLevelNames[entry.level],
  L: (entry) => shortLevels[entry.level],
  t: (_entry, _time, origin) => String(origin.threadId),
  P: (_entry, _time, origin) => String(origin.processId),
  a: (_entry, time) => days[time.getDay()].slice(0, 3),
  A: (_entry, time) => days[time.getDay()],
  b: (_entry, time) => months[time.getMonth()].slice(0, 3),
  h: (_entry, time) => months[time.getMonth()].slice(0, 3),
  B: (_entry, time) => months[time.getMonth()],
  c: (_entry, time) => longDate(time),
  C: (_entry, time) => two(time.getFullYear() % 100),
  Y: (_entry, time) => String(time.getFullYear()),
  D: (_entry, time) => shortDate(time),
  x: (_entry, time) => shortDate(time),
  m: (_entry, time) => two(time.getMonth() + 1),
  d: (_entry, time) => two(time.getDate()),
  H: (_entry, time) => two(time.getHours()),
  I: (_entry, time) => hour12(time),
  M: (_entry, time) => two(time.getMinutes()),
  S: (_entry, time) => two(time.getSeconds()),
  e: (_entry, time) => three(time.getMilliseconds()),
  f: (entry) => fraction(entry, 6),
  F: (entry) => fraction(entry, 9),
  p: (_entry, time) => half(time),
  r: (_entry, time) => `${hour12(time)}:${two(time.getMinutes())}:${two(time.getSeconds())} ${half(time)}`,
  R: (_entry, time) => `${two(time.getHours())}:${two(time.getMinutes())}`,
  T: (_entry, time) => clock(time),
  X: (_entry, time) => clock(time),
  z: (_entry, time) => zone(time),
  E: (entry) => String(Math.floor(entry.epochMs / 1000)),
  // Place in the source: not kept.
  s: () => '',
  g: () => '',
  '#': () => '',
  '!': () => '',
  '@': () => '',
  // Colours and their range: never a terminal's business here.
  '^': () => '',
  $: () => '',
};

/** A pattern, compiled once. An unknown flag stays as it is written, as in spdlog. */
export class LogFormat {
  readonly pattern: string;
  private readonly parts: readonly (string | Part)[];

  constructor(pattern: string) {
    this.pattern = pattern;
    // Envoy's default asks for the place in the source; an empty `[:]` in every line would help nobody.
    this.parts = compile(pattern.replace('[%g:%#] ', ''));
  }

  /** Without the line's end. */
  format(entry: LogEntry, origin: LogOrigin): string {
    const time = new Date(entry.epochMs);
    let line = '';
    for (const part of this.parts) line += typeof part === 'string' ? part : part(entry, time, origin);
    return line;
  }
}

/** `%`, alignment (`-` left, `=` centre), width, `!` to cut at the width, flag. */
const flagSyntax = /%(?:([-=]?)(\d{1,2})(!?))?([A-Za-z_*#!@^$%+&])/g;

function compile(pattern: string): (string | Part)[] {
  const compiled: (string | Part)[] = [];
  let from = 0;
  for (const match of pattern.matchAll(flagSyntax)) {
    if (match.index > from) compiled.push(pattern.slice(from, match.index));
    from = match.index + match[0].length;
    const [whole, alignment = '', width, cut, flag] = match as unknown as string[];
    if (flag === '%') compiled.push('%');
    else if (flag === '+') compiled.push(...compile(defaultLogPattern));
    else if (parts[flag] === undefined) compiled.push(whole);
    else compiled.push(width === undefined ? parts[flag] : padded(parts[flag], alignment, Number(width), cut === '!'));
  }
  if (from < pattern.length) compiled.push(pattern.slice(from));
  return compiled;
}

function padded(part: Part, alignment: string, width: number, cut: boolean): Part {
  return (entry, time, origin) => {
    const text = part(entry, time, origin);
    if (text.length >= width) return cut ? text.slice(0, width) : text;
    if (alignment === '-') return text.padEnd(width);
    if (alignment === '=') return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width);
    return text.padStart(width);
  };
}

/** C escapes of a whole line, bytes outside ASCII as octal: `--log-format-escaped`. Source: absl::CEscape. */
export function escapeLogLine(line: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is being escaped
  return line.replace(/["'\\\u0000-\u001f\u007f-\uffff]+/g, (run) => {
    let escaped = '';
    for (const byte of Buffer.from(run, 'utf8')) escaped += escapeByte(byte);
    return escaped;
  });
}

function escapeByte(byte: number): string {
  if (byte === 0x0a) return '\\n';
  if (byte === 0x0d) return '\\r';
  if (byte === 0x09) return '\\t';
  if (byte === 0x22 || byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
