import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const here = import.meta.dirname;

/** A program that goes on beside us, and the lines that it says. */
export class Program {
  readonly name: string;
  readonly child: ChildProcess;
  readonly lines: string[];
  private readonly waiting: Set<() => void>;
  private hasEnded: boolean;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = command;
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = [];
    this.waiting = new Set();
    this.hasEnded = false;
    this.child.once('close', () => {
      this.hasEnded = true;
      for (const look of this.waiting) look();
    });
    createInterface({ input: this.child.stdout! }).on('line', (text) => {
      this.lines.push(text);
      for (const look of this.waiting) look();
    });
  }

  /** The first line like it, which may have been said already. @throws Error: it ended before */
  said(line: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines.find((text) => line.test(text));
        if (found === undefined && !this.hasEnded) return;
        this.waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${this.name} ended without ${line}:\n${this.lines.slice(-20).join('\n')}`));
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Rejects when it ends; resolves never. */
  async ended(): Promise<never> {
    if (!this.hasEnded) await once(this.child, 'close');
    throw new Error(`${this.name} ended:\n${this.lines.slice(-20).join('\n')}`);
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }
}

/** A pod as the CNI plugin tells of it; its network namespace has its name. */
export interface PluggedPod {
  readonly name: string;
  readonly namespace: string;
  readonly account: string;
}

/** A CNI plugin that says that there are these pods; by name alone: of namespace `shop`, named as their accounts are. */
export function cniPlugin(path: string, pods: readonly (string | PluggedPod)[]): Program {
  const all = pods.map((pod) => {
    const { name, namespace, account } = typeof pod === 'string' ? { name: pod, namespace: 'shop', account: pod } : pod;
    return `${name},${namespace},${name},${account},/run/netns/${name}`;
  });
  return new Program('python3', [join(here, 'cni-plugin.py'), path, ...all]);
}

/** In a pod, until it is killed. `ports`: `port=what` it serves there; none: the usual. */
export function podServer(pod: string, address: string, ...ports: readonly string[]): Program {
  const command = ['netns', 'exec', pod, process.execPath, join(here, 'pod-server.ts'), address, ...ports];
  return new Program('ip', command);
}

/** A client in a pod that is still there when this returns. */
export function podClient(pod: string, ...args: readonly string[]): Program {
  return new Program('ip', ['netns', 'exec', pod, process.execPath, join(here, 'pod-client.ts'), ...args]);
}

/** What a program in a pod prints. Not synchronous: whoever does not read what a program says holds it up. */
export async function outputInPod(pod: string, ...command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', pod, ...command], {
    encoding: 'utf8',
    timeout: 40_000,
  });
  return stdout;
}

/** What a client in a pod has seen. */
export async function seenInPod(pod: string, ...args: readonly string[]): Promise<unknown> {
  const printed = await outputInPod(pod, process.execPath, join(here, 'pod-client.ts'), ...args);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as unknown;
}
