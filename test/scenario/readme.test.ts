/**
 * The README's `console` blocks are run in their order, in one clone with the demo serving, and must print what stands
 * there. Below `<!-- numbers vary -->` any number will do. `sh` blocks are not run.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './wait.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const bin = join(root, 'node_modules/.bin');
/** What the README writes for what a user has installed. */
const prelude = `sekisho() { '${bin}/node' src/main.ts "$@"; }\n`;

interface Command {
  readonly command: string;
  readonly printed: string;
  readonly isVarying: boolean;
}

function commands(): Command[] {
  const blocks = readme.matchAll(/(<!-- numbers vary -->\n)?```console\n([^]*?)```\n/g);
  return [...blocks].flatMap(([, varying, text]) =>
    text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), printed: part.slice(end + 1), isVarying: varying !== undefined };
      }),
  );
}

/** Ports of the demo that somebody else has: then nothing can be run. */
async function busyPort(): Promise<number | null> {
  for (const port of [9901, 10000, 10001, 10002, 10003, 10004, 10005]) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    if (!isFree) return port;
    await new Promise((resolve) => server.close(resolve));
  }
  return null;
}

const busy = await busyPort();
if (busy !== null) console.log(`skipped: port ${busy} of the demo is taken`);

const [start, ...others] = commands();
const comparable = (text: string, isVarying: boolean): string =>
  isVarying ? text.replaceAll(/^ +/gm, '').replaceAll(/\d+/g, '#') : text;

describe.skipIf(busy !== null)('what the README says', () => {
  let demo: ChildProcess;
  let output = '';

  beforeAll(() => {
    demo = spawn(join(bin, 'node'), ['tools/demo.ts', '--concurrency', '1'], { cwd: root });
    demo.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
    demo.stderr!.setEncoding('utf8').on('data', (text: string) => (output += text));
  });

  afterAll(async () => {
    const exited = once(demo, 'exit');
    demo.kill('SIGTERM');
    await until('draining', () => output.includes('draining'));
    demo.kill('SIGTERM');
    await exited;
  });

  test('npm ci && npm start', async () => {
    expect(start.command).toBe('npm ci && npm start');
    await until(`the hints in\n${output}`, () => output.includes(start.printed));
  });

  test.each(others)('$command', ({ command, printed, isVarying }) => {
    const { stdout, stderr } = spawnSync('bash', ['-c', prelude + command], { cwd: root, encoding: 'utf8' });
    expect(comparable(stdout + stderr, isVarying)).toBe(comparable(printed, isVarying));
  });

  test('there is something to run', () => {
    expect(others.length).toBeGreaterThan(6);
  });
});
