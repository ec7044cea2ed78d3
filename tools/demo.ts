/** `npm start`: serves the canary and, as soon as it is ready, says what to try. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiledCodeFolder, folderVariable } from '../src/code-cache.ts';

const gateway = 'http://localhost:10000';
const admin = 'http://localhost:9901';

const hints = `
The gateway:     ${gateway}     /reviews goes half to v1 and half to v2
The admin pages: ${admin}
Try:             curl ${gateway}/reviews/0
More to try:     the first lines of config/canary.yaml
The end:         Ctrl-C drains, a second one exits at once

`;

const root = fileURLToPath(new URL('..', import.meta.url));
// Quiet, and with access-log lines at once instead of within ten seconds.
const flags = ['-c', 'config/canary.yaml', '-l', 'warning', '--file-flush-interval-msec', '100'];
// Known before its first module: of a start that has been before, nothing is stripped of its types again.
const codeFolder = compiledCodeFolder();
const child = spawn(process.execPath, ['src/main.ts', ...flags, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(codeFolder === null ? {} : { [folderVariable]: codeFolder }) },
});
// A terminal sends Ctrl-C to both processes; this one waits for the other's end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
child.on('exit', (code) => process.exit(code ?? 1));
await untilReady();
process.stdout.write(hints);

async function untilReady(): Promise<void> {
  for (;;) {
    const answer = await fetch(`${admin}/ready`).catch(() => null);
    if (answer?.status === 200) return;
    await setTimeout(20);
  }
}
