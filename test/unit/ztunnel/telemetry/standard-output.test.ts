import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { writeOut } from '../../../../src/ztunnel/telemetry/standard-output.ts';

const module = join(import.meta.dirname, '../../../../src/ztunnel/telemetry/standard-output.ts');

/** Writes a line, waits for a word, writes more than a pipe holds, and says on standard error that it is still there. */
const program = `
import { readSync } from 'node:fs';
import { ${writeOut.name} } from ${JSON.stringify(module)};
${writeOut.name}('first\\n');
readSync(0, Buffer.alloc(1));
${writeOut.name}('x'.repeat(200_000));
console.error('alive');
`;

function started() {
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'pipe'] });
}

test('whoever reads slowly loses nothing', async () => {
  const child = started();
  await once(child.stdout, 'readable');
  child.stdin.end('.');
  expect(await text(child.stdout)).toHaveLength('first\n'.length + 200_000);
});

test('a reader that has gone ends nothing', async () => {
  const child = started();
  await once(child.stdout, 'data');
  const closed = once(child.stdout, 'close');
  child.stdout.destroy();
  await closed;
  child.stdin.end('.');
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(said).toContain('alive');
  expect(code).toBe(0);
});
