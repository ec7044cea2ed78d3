import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Of a pair of proxies with a tunnel in between: where the client is, and where the server. */
export type Side = 'out' | 'in';

export const clientAddress = '10.77.0.1';
export const serverAddress = '10.77.0.2';
/** The server's, too: whoever keeps a tunnel for each address needs a new one for each of these. */
export const otherAddresses = Array.from({ length: 2000 }, (_, index) => `10.77.${8 + (index >> 8)}.${index & 255}`);
const others = '10.77.8.0/21';
export const serverPort = 9000;
/** Where what leaves the client's side is redirected to, and where tunnels end: ztunnel's ports. */
export const outboundPort = 15001;
export const tunnelPort = 15008;
/** Of the authority that certifies node proxies, at the server's address. */
export const authorityPort = 15012;

const settings: Readonly<Record<Side, string>> = {
  out: `
ip address add ${clientAddress}/21 dev eth0
ip link set lo up
ip link set eth0 up
ip route add ${others} via ${serverAddress}
iptables -t nat -A OUTPUT -p tcp -d 10.77.0.0/16 -m multiport ! --dports ${tunnelPort},${authorityPort} -j REDIRECT --to-ports ${outboundPort}`,
  in: `
ip address add ${serverAddress}/21 dev eth0
ip link set lo up
ip link set eth0 up
ip route add local ${others} dev lo`,
};

/** Two network namespaces with a cable between them, as of two pods. They are gone when the bench is. */
export class Namespaces {
  private readonly holders: Readonly<Record<Side, ChildProcess>>;

  private constructor(holders: Readonly<Record<Side, ChildProcess>>) {
    this.holders = holders;
  }

  /** Why there can be none here, or null. */
  static unavailable(): string | null {
    if (process.getuid?.() !== 0) return 'skipped: network namespaces need root';
    const made = spawnSync('unshare', ['-n', 'iptables', '-t', 'nat', '-L', '-n'], { encoding: 'utf8' });
    return made.status === 0 ? null : `skipped: no network namespaces here: ${made.error?.message ?? made.stderr}`;
  }

  static async open(): Promise<Namespaces> {
    const spaces = new Namespaces({ out: await holder(), in: await holder() });
    const { out, in: behind } = spaces.holders;
    command('ip', [
      'link',
      'add',
      'eth0',
      'netns',
      `${out.pid}`,
      'type',
      'veth',
      'peer',
      'eth0',
      'netns',
      `${behind.pid}`,
    ]);
    for (const side of ['out', 'in'] as const) {
      const [program, ...args] = [...spaces.enter(side), 'sh', '-ec', settings[side]];
      command(program, args);
    }
    return spaces;
  }

  /** What a command is prefixed with to run there; it stays the process that was started. */
  enter(side: Side): readonly string[] {
    return ['nsenter', `--net=/proc/${this.holders[side].pid}/ns/net`, '--'];
  }

  close(): void {
    for (const side of ['out', 'in'] as const) this.holders[side].stdin!.end();
  }
}

/** A process in a namespace of its own, until its input ends. */
async function holder(): Promise<ChildProcess> {
  const child = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

function command(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
