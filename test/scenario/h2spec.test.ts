import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { answer, bootstrap, httpListener } from './config.ts';

// h2spec's cases, each a client that does one thing wrong, against an answer of sekisho's own.

const h2spec = findProgram('h2spec');
if (h2spec === null) console.log(`h2spec ${missing('h2spec')}`);

/** Standard output, whatever the exit code says. */
function run(program: string, args: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(program, args, { maxBuffer: 1 << 24 }, (_error, stdout) => resolve(stdout));
  return promise;
}

test.skipIf(h2spec === null).each([
  ['as it is', []],
  ['strict', ['--strict']],
])(
  'every case, %s',
  async (_name, flags) => {
    const listener = httpListener({
      routes: [answer('/', 'conforming')],
      manager: { codec_type: 'HTTP2', delayed_close_timeout: '0.2s' },
    });
    const app = await App.start(bootstrap([listener], []));
    const port = String(await app.port());
    const output = await run(h2spec!, ['-h', '127.0.0.1', '-p', port, ...flags]);
    const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output);
    console.log(`h2spec ${flags.join(' ')}: ${summary?.[0] ?? 'no result'}`);
    expect(Number(summary?.[1])).toBeGreaterThan(140);
    expect(summary?.[4], output.slice(output.indexOf('Failures:'))).toBe('0');
  },
  120_000,
);
