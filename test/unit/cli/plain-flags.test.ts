import { describe, expect, test } from 'vitest';
import { readCommandLine } from '../../../src/cli/command-line.ts';
import { flags } from '../../../src/cli/flags.ts';
import { readPlainFlags } from '../../../src/cli/plain-flags.ts';
import * as fc from '../../property/chance.ts';

describe('an ordinary command line', () => {
  test.each([
    [[]],
    [['-c', 'a.yaml']],
    [['--config-path', 'a.yaml', '-l', 'debug', '--concurrency', '4']],
    [['--config-path=a=b.yaml', '--watch', '--stats-tag', 'a:b', '--stats-tag=c:d']],
    [['--log-format=', '--service-node', '', '--use-dynamic-base-id', '--use-dynamic-base-id']],
  ])('%j is read as the library reads it', (args) => {
    expect(readCommandLine(args, '3')).toEqual({ command: 'serve', options: readPlainFlags(args) });
  });

  test.each([
    [['--help']],
    [['--version']],
    [['check', 'a.yaml']],
    [['--config-pat', 'a.yaml']],
    [['-c']],
    [['-ca.yaml']],
    [['-c', '--watch']],
    [['-c', 'a', '-c', 'b']],
    [['--watch=yes']],
    [['--concurrency', 'many']],
    [['--mode', 'swerve']],
    [['a.yaml']],
  ])('%j is left to the library', (args) => {
    expect(readPlainFlags(args)).toBeNull();
  });
});

test('whatever is read, the library reads the same', () => {
  const names = flags.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
  const word = fc.oneof(fc.constantFrom(...names, '--', '-', '--help', 'check'), fc.constantFrom('1', 'v4', '', 'a:b'));
  const written = fc.oneof(
    word,
    fc.tuple(fc.constantFrom(...names), word).map(([name, value]) => `${name}=${value}`),
  );
  fc.assert(
    fc.property(fc.array(written, { maxLength: 6 }), (args) => {
      const options = readPlainFlags(args);
      if (options !== null) expect(readCommandLine(args, '3')).toEqual({ command: 'serve', options });
    }),
    { numRuns: 2000 },
  );
});
