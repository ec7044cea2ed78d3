import { expect, test } from 'vitest';
import { defaultLogPattern, escapeLogLine, LogFormat } from '../../../../src/observe/log/log-format.ts';
import { LogLevel } from '../../../../src/observe/log/level.ts';

const time = new Date(2026, 10, 21, 6, 5, 45, 867);
const origin = { threadId: 12047, processId: 12046, version: 'v' };

function line(pattern: string, message = 'runtime: {}'): string {
  const entry = { epochMs: time.getTime() + 0.25, level: LogLevel.Info, component: 'main' as const, message };
  return new LogFormat(pattern).format(entry, origin);
}

test('the default looks like Envoy', () => {
  expect(line(defaultLogPattern)).toBe('[2026-11-21 06:05:45.867][12047][info][main] runtime: {}');
});

test("Envoy's own default prints no empty place in the source", () => {
  expect(line('[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v')).toBe(line(defaultLogPattern));
});

// What Envoy 1.39.3 printed at that moment.
test.each([
  ['%Y|%T|%a|%A|%b|%B', '2026|06:05:45|Sat|Saturday|Nov|November'],
  ['%c|%C|%D|%x', 'Sat Nov 21 06:05:45 2026|26|11/21/26|11/21/26'],
  ['%H|%I|%M|%S|%e|%f|%F', '06|06|05|45|867|867250|867250000'],
  ['%p|%r|%R|%X', 'AM|06:05:45 AM|06:05|06:05:45'],
  ['%P|%t|%L|%n|%N', '12046|12047|I|main|v'],
  ['%8l|%-8l|%=8l|%2!l', '    info|info    |  info  |in'],
  ['%%|%q|%_|%j|%*|%^%l%$', '%|%q|runtime: {}|runtime: {}||info'],
  ['%s|%g|%#|%!', '|||'],
])('%s', (pattern, expected) => {
  expect(line(pattern)).toBe(expected);
});

test('%E and %z', () => {
  expect(line('%E')).toBe(String(Math.floor(time.getTime() / 1000)));
  expect(line('%z')).toMatch(/^[+-]\d\d:\d\d$/);
});

test('messages in JSON and on one line', () => {
  expect(line('{"m":"%j"}', 'a "b"\n')).toBe('{"m":"a \\"b\\"\\n"}');
  expect(line('%_', 'a\nb')).toBe('a\\nb');
});

test('C escapes', () => {
  expect(escapeLogLine('it\'s\t"é"\\\n')).toBe('it\\\'s\\t\\"\\303\\251\\"\\\\\\n');
});
