/** A pod of a mesh, as far as its proxy sees it: folders, variables, and sekisho as its agent and proxy. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from '../peers/binaries.ts';
import { freePorts } from '../peers/ports.ts';
import type { Istiod } from '../istiod.ts';
import type { AtEnd } from './scope.ts';

export const node = join(repository, 'node_modules/.bin/node');
export const main = join(repository, 'src/main.ts');

export interface PodWish {
  readonly istiod: Istiod;
  readonly variables?: Readonly<Record<string, string>>;
  /** Of the ProxyConfig. */
  readonly proxyConfig?: object;
  /** In front of the command: who it runs as, and where. */
  readonly runner?: readonly string[];
  /** Of the control plane; else 127.0.0.1. */
  readonly istiodAddress?: string;
  /** By their path, relative to the pod's root. */
  readonly files?: Readonly<Record<string, string>>;
}

export class AgentPod {
  readonly folder: string;
  readonly adminPort: number;
  readonly statusPort: number;
  readonly readyPort: number;
  readonly metricsPort: number;
  /** Free, for whatever a test wants. */
  readonly otherPorts: readonly number[];
  output: string;
  private readonly wish: PodWish;
  private child: ChildProcess | null;

  private constructor(folder: string, wish: PodWish, ports: readonly number[]) {
    this.folder = folder;
    this.wish = wish;
    [this.adminPort, this.statusPort, this.readyPort, this.metricsPort, ...this.otherPorts] = ports;
    this.output = '';
    this.child = null;
  }

  static async make(wish: PodWish, atEnd: AtEnd): Promise<AgentPod> {
    const folder = mkdtempSync(join(tmpdir(), 'pod-'));
    const pod = new AgentPod(folder, wish, await freePorts(7));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    pod.write('var/run/secrets/istio/root-cert.pem', wish.istiod.authority.rootPem);
    pod.write('var/run/secrets/tokens/istio-token', 'the-token\n');
    pod.write('etc/istio/pod/labels', 'app="reviews"\nversion="v1"\n');
    for (const [path, text] of Object.entries(wish.files ?? {})) pod.write(path, text);
    return pod;
  }

  write(path: string, text: string): void {
    const whole = join(this.folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
  }

  start(atEnd: AtEnd, args: readonly string[] = ['agent', 'proxy', 'sidecar', '--concurrency', '1']): void {
    const { istiod, istiodAddress = '127.0.0.1', proxyConfig, runner = [], variables } = this.wish;
    const [program, ...words] = [...runner, node, main, ...args, '--log_output_level=default:debug'];
    const config = {
      discoveryAddress: `${istiodAddress}:${istiod.port}`,
      proxyAdminPort: this.adminPort,
      statusPort: this.statusPort,
      terminationDrainDuration: '1s',
      ...proxyConfig,
    };
    this.child = spawn(program, words, {
      cwd: this.folder,
      env: {
        POD_NAME: 'reviews-v1-abc',
        POD_NAMESPACE: 'default',
        SERVICE_ACCOUNT: 'bookinfo-reviews',
        INSTANCE_IP: '127.0.0.1',
        ISTIOD_SAN: 'istiod.istio-system.svc',
        ISTIO_META_CLUSTER_ID: 'Kubernetes',
        ECC_SIGNATURE_ALGORITHM: 'ECDSA',
        PROXY_CONFIG: JSON.stringify(config),
        ENVOY_STATUS_PORT: String(this.readyPort),
        ENVOY_PROMETHEUS_PORT: String(this.metricsPort),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk: Buffer): void => void (this.output += chunk.toString());
    this.child.stdout!.on('data', take);
    this.child.stderr!.on('data', take);
    atEnd(() => this.child?.kill('SIGKILL'));
  }

  signal(signal: NodeJS.Signals): void {
    this.child!.kill(signal);
  }

  /** @returns its exit status */
  async ended(): Promise<number | null> {
    if (this.child!.exitCode === null) await once(this.child!, 'exit');
    return this.child!.exitCode;
  }

  get hasEnded(): boolean {
    return this.child!.exitCode !== null;
  }
}
