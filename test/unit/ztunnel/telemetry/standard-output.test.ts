import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { OwnLog } from '../../../../src/ztunnel/telemetry/own-log.ts';

const room = join(import.meta.dirname, '../../../../src/ztunnel/telemetry');

/** Says a line, waits for a word, says much more, and on standard error that it is still there; goes when its input ends. */
const program = `
import { ${OwnLog.name} } from ${JSON.stringify(join(room, 'own-log.ts'))};
import { ZtunnelLevel } from ${JSON.stringify(join(room, 'log-lines.ts'))};
const log = new ${OwnLog.name}(false);
const say = (text) => { log.write(ZtunnelLevel.Info, 'test', text); log.flush(); };
say('first');
process.stdin.once('data', () => {
  for (let i = 0; i < Number(process.argv[1]); i++) say('line ' + i + ' ' + 'x'.repeat(1000));
  console.error('alive');
});
process.stdin.once('end', () => {
  log.finish();
  process.exit(0);
});
`;

type Started = ChildProcessByStdio<Writable, Readable | null, Readable>;

function started(lines: number, output: number | 'pipe'): Started {
  const args = ['--input-type=module', '-e', program, String(lines)];
  return spawn(process.execPath, args, { stdio: ['pipe', output, 'pipe'] }) as Started;
}

/** A pipe by name: both ends. */
function namedPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-output-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reading, writing: openSync(path, constants.O_WRONLY) };
}

const lineOf = /^\S+\tinfo\ttest\tline \d+ x{1000}$/;

test.each(['a pipe', 'a socket'])('whoever reads slowly loses nothing: %s', async (what) => {
  const pipe = what === 'a pipe' ? namedPipe() : null;
  const child = started(1000, pipe?.writing ?? 'pipe');
  child.stdin.write('.');
  await once(child.stderr, 'data');
  if (pipe !== null) closeSync(pipe.writing);
  let said = '';
  const output = pipe === null ? child.stdout! : new Socket({ fd: pipe.reading, writable: false });
  output.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said, { timeout: 10_000 }).toContain('line 999 ');
  child.stdin.end();
  await once(output, 'close');
  const lines = said.trim().split('\n');
  expect(lines).toHaveLength(1001);
  expect(lines.slice(1).filter((line) => !lineOf.test(line))).toEqual([]);
});

test('a reader that stays and does not read holds nobody up, and hears how much it has missed', async () => {
  const child = started(10_000, 'pipe');
  child.stdin.write('.');
  // More than waits for anybody.
  await once(child.stderr, 'data');
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said, { timeout: 10_000 }).toMatch(/\d+ lines were dropped: nobody read standard output\n$/);
  child.stdin.end();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  const dropped = Number(/(\d+) lines were dropped/.exec(said)![1]);
  const whole = said.split('\n').filter((line) => lineOf.test(line)).length;
  expect(whole + dropped).toBe(10_000);
});

test('a reader that has gone ends nothing', async () => {
  const child = started(100, 'pipe');
  await once(child.stdout!, 'data');
  const closed = once(child.stdout!, 'close');
  child.stdout!.destroy();
  await closed;
  child.stdin.write('.');
  await once(child.stderr, 'data');
  child.stdin.end();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
});
