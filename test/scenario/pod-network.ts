/** A pod's own network, on one bridge with those of all others: 10.9.0.n. */
import { spawn, type ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { AtEnd } from './scope.ts';

/** This network's address on the bridge. */
export const gateway = '10.9.0.1';

/** Who something runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

export const root: User = { uid: 0, gid: 0 };
/** Of an application. */
export const applicationUser: User = { uid: 4000, gid: 4000 };

/** @returns what the command prints */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return (output + error).trim();
}

export class PodNetwork {
  readonly address: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, number: number) {
    this.child = child;
    this.address = `10.9.0.${number}`;
  }

  static async make(number: number, atEnd: AtEnd): Promise<PodNetwork> {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const child = spawn('unshare', ['-n', 'sh', '-c', 'echo there; exec sleep 1000'], { stdio: [...stdio] });
    atEnd(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const network = new PodNetwork(child, number);
    const [here, there] = [`pod${number}`, `pod${number}peer`];
    for (const words of [
      `link add ${here} type veth peer name ${there}`,
      `link set ${there} netns ${child.pid}`,
      `link set ${here} master bridge0`,
      `link set ${here} up`,
    ])
      await run('ip', ...words.split(' '));
    for (const words of [
      'link set lo up',
      `link set ${there} name eth0`,
      'link set eth0 up',
      `address add ${network.address}/24 dev eth0`,
      `route add default via ${gateway}`,
    ])
      await run(...network.command(), 'ip', ...words.split(' '));
    return network;
  }

  /** What runs in it, as this user. */
  command({ uid, gid } = root): [string, ...string[]] {
    const as = gid === 0 ? [] : ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'];
    return ['nsenter', '-t', String(this.child.pid), '-n', ...as];
  }

  /** @returns what the script prints */
  script(user: User, script: string): Promise<string> {
    return run(...this.command(user), process.execPath, '-e', script);
  }

  /** Resolves when the script, which goes on, has printed something. */
  async background(user: User, script: string, atEnd: AtEnd): Promise<void> {
    const [program, ...args] = [...this.command(user), process.execPath, '-e', script];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    atEnd(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }
}
