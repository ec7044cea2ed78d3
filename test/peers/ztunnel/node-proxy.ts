import { once } from 'node:events';
import { join } from 'node:path';
import { cniPlugin, Program, type PluggedPod } from '../../scenario/ambient/programs.ts';
import { until } from '../../scenario/wait.ts';
import { findProgram, repository } from '../binaries.ts';

export const kinds = ['sekisho', 'ztunnel'] as const;
export type Kind = (typeof kinds)[number];

export interface NodeWish {
  readonly kind: Kind;
  /** The node, and the network namespace that its proxy is in. */
  readonly node: string;
  readonly address: string;
  readonly pods: readonly (string | PluggedPod)[];
  /** Of the local form; empty: none. */
  readonly configPath: string;
  /** Of who certifies, and tells of policies. */
  readonly authorityUrl: string;
  /** In its certificate. */
  readonly authorityName: string;
  readonly rootsPath: string;
}

/** sekisho or a genuine ztunnel for the pods of a node. */
export class NodeProxy {
  readonly wish: NodeWish;
  readonly program: Program;
  private readonly plugin: Program;

  private constructor(wish: NodeWish, program: Program, plugin: Program) {
    this.wish = wish;
    this.program = program;
    this.plugin = plugin;
  }

  /** `times`: that it was started before. */
  static async start(wish: NodeWish, times = 0): Promise<NodeProxy> {
    const { kind, node, address } = wish;
    const socketPath = `/run/${node}-${times}.sock`;
    const plugin = cniPlugin(socketPath, wish.pods);
    await plugin.said(/^listening/);
    const sekisho = [process.execPath, join(repository, 'src/main.ts'), 'proxy', 'ztunnel'];
    const command = kind === 'sekisho' ? sekisho : [findProgram('ztunnel')!, 'proxy', 'ztunnel'];
    const program = new Program('ip', ['netns', 'exec', node, ...command], {
      XDS_ADDRESS: wish.authorityUrl,
      ALT_XDS_HOSTNAME: wish.authorityName,
      XDS_ROOT_CA: wish.rootsPath,
      CA_ADDRESS: wish.authorityUrl,
      ALT_CA_HOSTNAME: wish.authorityName,
      CA_ROOT_CA: wish.rootsPath,
      ...(wish.configPath !== '' && { LOCAL_XDS_PATH: wish.configPath }),
      INPOD_UDS: socketPath,
      NODE_NAME: node,
      CONNECTION_TERMINATION_DEADLINE: '6s',
      ZTUNNEL_WORKER_THREADS: '2',
      IPV6_ENABLED: 'true',
    });
    await Promise.race([plugin.said(/^snapshot 0a00/), program.ended()]);
    await until(`${kind} to be ready`, () =>
      fetch(`http://${address}:15021/healthz/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return new NodeProxy(wish, program, plugin);
  }

  /** Its access log, without what differs each time: times, ports that the system chose. */
  accessLines(): string[] {
    return this.program.lines.filter((line) => line.split('\t')[2]?.startsWith('access') === true);
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://${this.wish.address}:15020/metrics`);
    return response.text();
  }

  /** Asked to go; its status when it has gone. */
  async end(): Promise<number | null> {
    const { child } = this.program;
    const closed = once(child, 'close') as Promise<[number | null]>;
    child.kill('SIGTERM');
    const [status] = await closed;
    return status;
  }

  async kill(): Promise<void> {
    await this.program.kill();
    await this.plugin.kill();
  }
}
