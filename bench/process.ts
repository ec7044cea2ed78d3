import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../test/peers/binaries.ts';

/** `/proc/<pid>/stat` counts in these on every Linux that Node runs on (USER_HZ). */
const ticksPerSecond = 100;

const taskset = findProgram('taskset');

/** Proxies on the first core, load and upstream together on the second: the proxy is always what saturates. */
export const Core = { Proxy: 0, Load: 1 } as const;
export type Core = (typeof Core)[keyof typeof Core];

export const isPinned = taskset !== null && availableParallelism() >= 2;

export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** A child process of the bench: pinned to its core, its output in a file. */
export class Program {
  readonly name: string;
  readonly startedAt: number;
  private readonly child: ChildProcess;
  private readonly logFile: string;

  constructor(name: string, core: Core, argv: readonly string[], logFile: string) {
    const [command, ...args] = pinned(core, argv);
    const log = openSync(logFile, 'w');
    this.name = name;
    this.logFile = logFile;
    this.startedAt = performance.now();
    this.child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** User and system time of the process, all of its threads and its children, in µs. */
  cpu(): CpuTime {
    let userUs = 0;
    let systemUs = 0;
    for (const pid of family(this.pid)) {
      const fields = statFields(pid);
      userUs += (Number(fields[11]) * 1e6) / ticksPerSecond;
      systemUs += (Number(fields[12]) * 1e6) / ticksPerSecond;
    }
    return { userUs, systemUs };
  }

  /** Resident bytes of the process and its children. */
  rss(): number {
    let sum = 0;
    for (const pid of family(this.pid)) {
      const kib = /VmRSS:\s+(\d+)/.exec(readProc(`${pid}/status`))?.[1];
      sum += Number(kib ?? 0) * 1024;
    }
    return sum;
  }

  /** Resolves when something listens on the port; throws, with what the program said, when it ends instead. */
  async listens(port: number, timeoutMs = 20_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (performance.now() < until) {
      if (this.child.exitCode !== null) break;
      if (await accepts(port)) return;
      await sleep(5);
    }
    await this.stop();
    throw new Error(`${this.name} does not listen on ${port}:\n${this.said}`);
  }

  /** The end of its output. */
  get said(): string {
    return readFileSync(this.logFile, 'utf8').slice(-2000);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.child.once('exit', () => resolve());
    // SIGTERM drains some of them; the bench has nothing to drain, but nginx's master must take its workers along.
    this.child.kill('SIGTERM');
    const gone = await Promise.race([promise.then(() => true), sleep(500, false, { ref: false })]);
    if (gone) return;
    for (const pid of family(this.pid)) process.kill(pid, 'SIGKILL');
    await promise;
  }
}

/** Runs a program to its end and gives its standard output. */
export async function run(core: Core, argv: readonly string[]): Promise<string> {
  const [command, ...args] = pinned(core, argv);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  child.once('error', (error) => {
    errors += error.message;
    resolve(null);
  });
  const status = await promise;
  if (status !== 0) throw new Error(`${argv[0]} ended with ${status}: ${errors || output}`);
  return output;
}

export function pinned(core: Core, argv: readonly string[]): readonly string[] {
  return isPinned ? [taskset!, '-c', String(core), ...argv] : argv;
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

function family(pid: number): number[] {
  const children = readProc(`${pid}/task/${pid}/children`).trim();
  if (children === '') return [pid];
  return [pid, ...children.split(' ').flatMap((child) => family(Number(child)))];
}

/** The fields of `/proc/<pid>/stat` after the command's name, which may hold spaces. */
function statFields(pid: number): string[] {
  const stat = readProc(`${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
