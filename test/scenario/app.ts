import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AtEnd } from './scope.ts';
import { until, within } from './wait.ts';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');
/** From the sources, unless SEKISHO_MAIN names another entry: a build, an installed package. */
const main = process.env['SEKISHO_MAIN'] ?? join(root, 'src/main.ts');

export interface AppOptions {
  readonly concurrency?: number;
  readonly args?: readonly string[];
  /** Another program than sekisho's own entry. */
  readonly program?: string;
  /** Do not wait until it is live. */
  readonly isExpectedToFail?: boolean;
  /** When it ends; with the test unless told otherwise. */
  readonly atEnd?: AtEnd;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** The real process with a configuration file of its own; it ends with the test. */
export class App {
  readonly file: string;
  readonly folder: string;
  readonly exited: Promise<Exit>;
  /** What it has written to standard output and standard error. */
  output: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    this.folder = folder;
    this.file = join(folder, 'config.yaml');
    this.output = '';
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** @param config YAML text, or the bootstrap as an object */
  static async start(config: string | object, options: AppOptions = {}): Promise<App> {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-'));
    const file = join(folder, 'config.yaml');
    const text = asText(config).replaceAll('{{folder}}', folder);
    writeFileSync(file, text);
    const args = ['-c', file, '--concurrency', String(options.concurrency ?? 1)];
    const addressFile = join(folder, 'admin');
    const child = spawn(
      node,
      [options.program ?? main, ...args, '--admin-address-path', addressFile, ...(options.args ?? [])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const app = new App(child, folder);
    (options.atEnd ?? onTestFinished)(() => app.kill());
    if (options.isExpectedToFail !== true) await app.live();
    return app;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async exit(): Promise<Exit> {
    return within(`the end of the process\n${this.output}`, this.exited);
  }

  async admin(path: string, method: 'GET' | 'POST' = 'GET'): Promise<AdminAnswer> {
    const address = readFileSync(join(this.folder, 'admin'), 'utf8').trim();
    const response = await fetch(`http://${address}${path}`, { method });
    return { status: response.status, body: await response.text() };
  }

  /** Port that a listener got. */
  async port(listener = 'ingress'): Promise<number> {
    const { body } = await this.admin('/listeners');
    const line = body.split('\n').find((text) => text.startsWith(`${listener}::`));
    if (line === undefined) throw new Error(`no listener ${listener} in ${body}`);
    return Number(line.slice(line.lastIndexOf(':') + 1));
  }

  async url(listener = 'ingress'): Promise<string> {
    return `http://127.0.0.1:${await this.port(listener)}`;
  }

  /** Counters and gauges by name. */
  async stats(): Promise<Map<string, number>> {
    const { body } = await this.admin('/stats');
    const stats = new Map<string, number>();
    for (const line of body.split('\n')) {
      const colon = line.lastIndexOf(': ');
      const value = Number(line.slice(colon + 2));
      if (colon > 0 && Number.isFinite(value)) stats.set(line.slice(0, colon), value);
    }
    return stats;
  }

  async stat(name: string): Promise<number> {
    return (await this.stats()).get(name) ?? 0;
  }

  /** Waits until a stat has this value, or fulfils the condition. */
  async statIs(name: string, wanted: number | ((value: number) => boolean)): Promise<void> {
    const isWanted = typeof wanted === 'number' ? (value: number): boolean => value === wanted : wanted;
    let last = NaN;
    try {
      await until(name, async () => isWanted((last = await this.stat(name))));
    } catch (error) {
      throw new Error(`${name} is ${last}, wanted ${String(wanted)}`, { cause: error });
    }
  }

  /** Another text takes the place of the configuration file, in one step as editors and ConfigMaps do. */
  rewrite(config: string | object): void {
    const next = `${this.file}.next`;
    writeFileSync(next, asText(config).replaceAll('{{folder}}', this.folder));
    renameSync(next, this.file);
  }

  /** Rewrites, sends SIGHUP and waits for the answer. */
  async reload(config: string | object): Promise<void> {
    const before = this.countOf(reloaded);
    this.rewrite(config);
    this.signal('SIGHUP');
    await this.reloadedMoreThan(before);
  }

  /** Waits until the configuration has been taken more than `before` times; refusals are errors. */
  async reloadedMoreThan(before: number): Promise<void> {
    await until(`a reload\n${this.output}`, () => this.countOf(reloaded) > before);
  }

  get reloads(): number {
    return this.countOf(reloaded);
  }

  async says(pattern: RegExp): Promise<void> {
    await until(`${pattern} in the output of the process:\n${this.output}`, () => pattern.test(this.output));
  }

  readLog(name = 'access.log'): readonly string[] {
    const path = join(this.folder, name);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  }

  /** Waits for the lines of an access log; they are JSON. */
  async logged(count: number, name = 'access.log'): Promise<readonly Record<string, unknown>[]> {
    let lines: readonly string[] = [];
    try {
      await until(`${count} lines in ${name}`, () => (lines = this.readLog(name)).length >= count);
    } catch (error) {
      throw new Error(`${name} has ${lines.length} lines, wanted ${count}:\n${lines.join('\n')}`, { cause: error });
    }
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resident memory in bytes, as the kernel sees it. */
  rss(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  /** Waits until it serves. */
  async live(): Promise<void> {
    await until('the process to be live', async () => {
      if (this.hasExited) throw new Error(`the process ended:\n${this.output}`);
      if (!existsSync(join(this.folder, 'admin'))) return false;
      return (await this.admin('/ready').catch(() => null))?.status === 200;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  private countOf(pattern: RegExp): number {
    return this.output.match(pattern)?.length ?? 0;
  }

  private async kill(): Promise<void> {
    if (!this.hasExited) this.child.kill('SIGKILL');
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const reloaded = /configuration reloaded/g;

function asText(config: string | object): string {
  return typeof config === 'string' ? config : JSON.stringify(config);
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  input: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(input)) writeFileSync(join(folder, name), text);
  const child = spawn(node, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await within('the end of the command', once(child, 'close'))) as [number | null];
  return { code, stdout, stderr };
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
