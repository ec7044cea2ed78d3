import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogFormat } from '../../../../src/observe/log/log-format.ts';
import { LogLevels } from '../../../../src/observe/log/log-levels.ts';
import { LogLevel, parseLogLevel } from '../../../../src/observe/log/level.ts';
import { AppendingLogFile, LogWriter, type LogFile } from '../../../../src/observe/log/log-writer.ts';

function writerTo(file: LogFile, levels = new LogLevels(), isEscaped = false): LogWriter {
  const origin = { threadId: 1, processId: 1, version: '' };
  return new LogWriter({ levels, format: new LogFormat('%l %n %v'), file, origin, isEscaped, now: () => 0 });
}

class Lines implements LogFile {
  readonly lines: string[] = [];
  write(line: string): void {
    this.lines.push(line);
  }
  reopen(): void {}
}

test('a component writes at its level and above', () => {
  const file = new Lines();
  const levels = new LogLevels();
  levels.setAll(LogLevel.Warning);
  levels.set('upstream', LogLevel.Debug);
  const logs = writerTo(file, levels);
  for (const log of [logs.component('main'), logs.component('upstream')]) {
    log.trace('t');
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    log.critical('c');
  }
  expect(file.lines.map((line) => line.trimEnd())).toEqual([
    'warning main w',
    'error main e',
    'critical main c',
    'debug upstream d',
    'info upstream i',
    'warning upstream w',
    'error upstream e',
    'critical upstream c',
  ]);
});

test('off silences everything', () => {
  const file = new Lines();
  const levels = new LogLevels();
  levels.setAll(LogLevel.Off);
  writerTo(file, levels).component('main').critical('c');
  expect(file.lines).toEqual([]);
});

test('another thread that shares the levels sees a change at once', () => {
  const levels = new LogLevels();
  const elsewhere = new LogLevels(levels.shared);
  levels.set('router', LogLevel.Error);
  expect(elsewhere.get('router')).toBe(LogLevel.Error);
  expect(elsewhere.get('main')).toBe(LogLevel.Trace);
});

test('escaped lines stay one line, long messages are cut', () => {
  const file = new Lines();
  const log = writerTo(file, new LogLevels(), true).component('main');
  log.info('a\nb');
  log.info('x'.repeat(40_000));
  expect(file.lines[0]).toBe('info main a\\nb\n');
  expect(file.lines[1].length).toBeLessThan(30_100);
});

test('a file is appended to, and opened anew after it was moved away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'log');
  const writer = writerTo(new AppendingLogFile(path));
  writer.component('main').info('one');
  renameSync(path, `${path}.1`);
  writer.component('main').info('two');
  writer.reopen();
  writer.component('main').info('three');
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('info main one\ninfo main two\n');
  expect(readFileSync(path, 'utf8')).toBe('info main three\n');
});

test('names of levels', () => {
  expect(parseLogLevel('warn')).toBe(LogLevel.Warning);
  expect(parseLogLevel('warning')).toBe(LogLevel.Warning);
  expect(parseLogLevel('WARN')).toBeUndefined();
});
