/** sekisho whose workers can be killed, as a bug would: SIGUSR2 makes the first one throw. */
import process from 'node:process';
import { readCommandLine } from '../../src/cli/command-line.ts';
import { Workers } from '../../src/control/workers.ts';
import { LogFormat, defaultLogPattern } from '../../src/observe/log/log-format.ts';
import { LogLevels } from '../../src/observe/log/log-levels.ts';
import { AppendingLogFile, LogWriter } from '../../src/observe/log/log-writer.ts';
import { Server } from '../../src/serve.ts';

const invocation = readCommandLine(process.argv.slice(2), '');
if (invocation.command !== 'serve') throw new Error('only serving is of interest here');
const { options } = invocation;
const logLevels = new LogLevels();
const logs = new LogWriter({
  levels: logLevels,
  format: new LogFormat(defaultLogPattern),
  file: new AppendingLogFile(''),
  origin: { threadId: process.pid, processId: process.pid, version: 'test' },
  isEscaped: false,
  now: Date.now,
});
const workerEntry = new URL('./mortal.worker.ts', import.meta.url);
const exit = (status: number): void => process.exit(status);
const concurrency = options.concurrency ?? 1;
const server = new Server(
  { options, concurrency, logs, logLevels, version: 'test', workerEntry, exit },
  (text) => void process.stderr.write(text),
  false,
);
const mortality = new BroadcastChannel('mortality');
process.on('SIGUSR2', () => mortality.postMessage('worker_0'));
process.on('SIGTERM', () => void server.end('SIGTERM'));
await server.start(new Workers(concurrency, workerEntry, logs.component('main')));
