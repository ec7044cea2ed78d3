import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCommandLine, type Invocation } from '../../../src/cli/command-line.ts';
import { flags } from '../../../src/cli/flags.ts';
import type { Options } from '../../../src/cli/options.ts';
import { version, versionString } from '../../../src/cli/version.ts';
import { LogLevel } from '../../../src/observe/log/level.ts';

function read(...args: string[]): Invocation {
  return readCommandLine(args, '3.5.0');
}

function options(...args: string[]): Options {
  const invocation = read(...args);
  if (invocation.command !== 'serve') throw new Error(JSON.stringify(invocation));
  return invocation.options;
}

function complaint(...args: string[]): string {
  const invocation = read(...args);
  if (invocation.command !== 'print') throw new Error(JSON.stringify(invocation));
  expect(invocation.exitCode).toBe(1);
  return invocation.text;
}

test("Envoy's defaults", () => {
  expect(options()).toMatchObject({
    configPath: '',
    mode: 'serve',
    concurrency: null,
    logLevel: LogLevel.Info,
    logFormat: null,
    drainTimeMs: 600_000,
    drainStrategy: 'gradual',
    parentShutdownTimeMs: 900_000,
    fileFlushIntervalMs: 10_000,
    fileFlushMinSizeKb: 64,
    localAddressIpVersion: 'v4',
    watch: false,
    exitOnSigterm: false,
  });
});

test('values come as `--flag value` and `--flag=value`, and may begin with a dash', () => {
  const found = options(
    '-c',
    'a.yaml',
    '--concurrency=3',
    '--config-yaml',
    '-x',
    '--log-level',
    'warn',
    '--mode=init_only',
  );
  expect(found).toMatchObject({
    configPath: 'a.yaml',
    concurrency: 3,
    configYaml: '-x',
    logLevel: LogLevel.Warning,
    mode: 'init_only',
  });
});

test('--concurrency 0 is one worker, as in Envoy', () => {
  expect(options('--concurrency', '0').concurrency).toBe(1);
});

test('component levels and stats tags', () => {
  const found = options(
    '--component-log-level',
    'upstream:debug,config:trace',
    '--stats-tag',
    'a:b',
    '--stats-tag',
    'c:d:e',
  );
  expect(found.componentLogLevels).toEqual([
    { component: 'upstream', level: LogLevel.Debug },
    { component: 'config', level: LogLevel.Trace },
  ]);
  expect(found.statsTags).toEqual([
    { name: 'a', value: 'b' },
    { name: 'c', value: 'd:e' },
  ]);
});

// The words after `error: ` are those of Envoy 1.39, where it has some.
test.each([
  [['--bogus'], "unknown option '--bogus'"],
  [['--concurency', '3'], 'Did you mean --concurrency?'],
  [['--concurrency', 'abc'], "argument 'abc' is invalid"],
  [['--concurrency', '1', '--concurrency', '2'], 'Argument already set!'],
  [['--drain-time-s', '1.5'], "argument '1.5' is invalid"],
  [['--concurrency'], 'argument missing'],
  [['--mode', 'foo'], "unknown mode 'foo'"],
  [['-l', 'foo'], "invalid log level specified 'foo'"],
  [['--component-log-level', 'foo:debug'], "invalid component specified 'foo'"],
  [['--component-log-level', 'upstream:foo'], "invalid log level specified 'foo'"],
  [['--component-log-level', 'upstream=debug'], "component log level not correctly specified 'upstream=debug'"],
  [['--local-address-ip-version', 'v5'], "unknown IP address version 'v5'"],
  [['--drain-strategy', 'foo'], "unknown drain-strategy 'foo'"],
  [['--stats-tag', 'a'], "misformatted stats-tag 'a'"],
  [['--stats-tag', 'a-b:c'], "misformatted stats-tag 'a-b:c' contains invalid char in 'a-b'"],
  [['--stats-tag', 'a:b.c'], "misformatted stats-tag 'a:b.c' contains invalid char in 'b.c'"],
  [['--restart-epoch', '1', '--use-dynamic-base-id'], 'cannot use --restart-epoch=1 with --use-dynamic-base-id'],
  [['--watch'], '--watch needs a file'],
  [['surplus'], 'too many arguments'],
])('%j is refused', (args, words) => {
  const text = complaint(...args);
  expect(text).toMatch(/^error: /);
  expect(text).toContain(words);
});

test('--help shows every flag and says which have no effect', () => {
  const help = read('--help');
  if (help.command !== 'print') throw new Error('no help');
  expect(help.exitCode).toBe(0);
  for (const flag of flags) expect(help.text).toContain(`--${flag.name}`);
  const ignored = help.text.indexOf('without effect');
  expect(help.text.indexOf('--disable-hot-restart')).toBeGreaterThan(ignored);
  expect(help.text.indexOf('--drain-time-s')).toBeLessThan(ignored);
});

test('ztunnel is told everything by its environment', () => {
  expect(read('ztunnel')).toEqual({ command: 'ztunnel' });
  expect(read('ztunnel', '--help')).toMatchObject({ command: 'print', exitCode: 0 });
});

test('--version prints as Envoy does, with the version of the package', () => {
  expect(read('--version')).toEqual({
    command: 'print',
    exitCode: 0,
    text: `\nsekisho  version: sekisho/${version}/Clean/RELEASE/OpenSSL-3.5.0\n\n`,
  });
  const { version: published } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(version).toBe(published);
  expect(versionString('1').split('/')[1]).toBe(published);
});

test('check takes files and a format', () => {
  expect(read('check', 'a.yaml', 'b.json')).toEqual({
    command: 'check',
    check: { files: ['a.yaml', 'b.json'], format: 'text', allowUnknownFields: false },
  });
  expect(read('check', '--format=json', 'a.yaml')).toMatchObject({ check: { format: 'json' } });
  expect(complaint('check')).toContain("missing required argument 'file'");
  expect(complaint('check', '--format', 'xml', 'a')).toContain('text, json');
});
