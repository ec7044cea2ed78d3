import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, missing, repository } from './binaries.ts';

/** A proxy program that a configuration can be given to. */
export interface ProxyKind {
  readonly name: 'envoy' | 'sekisho';
  /** Why it cannot be started here, or null. */
  unavailable(): string | null;
  command(): readonly string[];
}

export const envoy: ProxyKind = {
  name: 'envoy',
  unavailable: () => (findProgram('envoy') === null ? missing('envoy') : null),
  command: () => [findProgram('envoy') ?? 'envoy'],
};

/** From the sources, unless SEKISHO_MAIN names another entry (a build, an installed package). */
const sekishoMain = process.env.SEKISHO_MAIN ?? join(repository, 'src/main.ts');

export const sekisho: ProxyKind = {
  name: 'sekisho',
  unavailable: () => (existsSync(sekishoMain) ? null : `skipped: no ${sekishoMain}`),
  command: () => [join(repository, 'node_modules/.bin/node'), sekishoMain],
};

export function proxyNamed(name: string): ProxyKind {
  const found = [envoy, sekisho].find((kind) => kind.name === name);
  if (found === undefined) throw new Error(`no proxy ${name}`);
  return found;
}

/** A proxy that runs with a configuration file. */
export class Proxy {
  private readonly child: ChildProcess;
  private readonly logFile: string;
  private readonly adminPort: number;

  private constructor(child: ChildProcess, logFile: string, adminPort: number) {
    this.child = child;
    this.logFile = logFile;
    this.adminPort = adminPort;
  }

  /** Resolves when the admin says that it is live; throws with the program's own words when it ends before. */
  static async start(kind: ProxyKind, file: string, adminPort: number, flags: readonly string[]): Promise<Proxy> {
    const logFile = `${file}.out`;
    const log = openSync(logFile, 'w');
    const common = ['--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '20', '-l', 'warning'];
    const [command, ...args] = [...kind.command(), '-c', file, ...common, ...flags];
    const child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const proxy = new Proxy(child, logFile, adminPort);
    await proxy.live(kind.name);
    return proxy;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  output(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Counters and gauges by name. */
  async stats(): Promise<Map<string, number>> {
    const { body } = await this.admin('/stats');
    const stats = new Map<string, number>();
    for (const line of body.split('\n')) {
      const colon = line.lastIndexOf(': ');
      const value = Number(line.slice(colon + 2));
      if (colon > 0 && Number.isInteger(value)) stats.set(line.slice(0, colon), value);
    }
    return stats;
  }

  async admin(path: string, method = 'GET'): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, { method });
    return { status: response.status, body: await response.text() };
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.child.once('exit', () => resolve());
    this.child.kill('SIGKILL');
    await promise;
  }

  private async live(name: string): Promise<void> {
    const until = performance.now() + 60_000;
    while (performance.now() < until && this.child.exitCode === null) {
      const answer = await this.admin('/ready').catch(() => null);
      if (answer?.status === 200) return;
      await sleep(10);
    }
    await this.stop();
    throw new Error(`${name} did not become ready:\n${this.output().slice(-4000)}`);
  }
}
