import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AtEnd } from '../../scenario/scope.ts';
import { until } from '../../scenario/wait.ts';
import { findProgram, missing } from '../binaries.ts';
import { freePorts } from '../ports.ts';
import { proxyNamed, sekisho } from '../proxy.ts';
import type { Istiod } from './istiod.ts';

/** Istio's own, which its images have there; the agent makes the bootstrap of it. */
const bootstrapTemplate = process.env.ISTIO_BOOTSTRAP_TEMPLATE ?? '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json';

/** User and group of Istio's sidecars. */
const sidecarId = 1337;

const args = [
  'proxy',
  'sidecar',
  '--domain=default.svc.cluster.local',
  '--proxyLogLevel=warning',
  '--proxyComponentLogLevel=misc:error',
  '--log_output_level=default:info',
];

/** Why no genuine agent can be started here; null: one can. */
export function whyNoAgent(): string | null {
  if (findProgram('pilot-agent') === null) return missing('pilot-agent');
  return existsSync(bootstrapTemplate) ? null : `skipped: no ${bootstrapTemplate} here (set ISTIO_BOOTSTRAP_TEMPLATE)`;
}

/** A pod as its sidecar's agent sees it. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly account: string;
  /** Of 127.0.0.0/8: all pods are on this machine. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Who makes a sidecar of a proxy. */
export interface AgentKind {
  readonly name: string;
  /** Program and first arguments, before `proxy sidecar`. */
  readonly command: readonly string[];
  readonly flags: readonly string[];
  /** What it starts in Envoy's place; null: it is the proxy itself. */
  readonly proxy: string | null;
}

/** The genuine one, which starts `proxy`. PILOT_AGENT_BIN names the program. */
export function pilotAgent(proxy: string): AgentKind {
  const flags = [`--templateFile=${bootstrapTemplate}`];
  return { name: 'pilot-agent', command: [findProgram('pilot-agent') ?? 'pilot-agent'], flags, proxy };
}

/** Ours, in one process with the proxy. */
export const sekishoAgent: AgentKind = {
  name: 'sekisho agent',
  command: [...sekisho.command(), 'agent'],
  flags: [],
  proxy: null,
};

/** A sidecar with its agent. */
export class Agent {
  private readonly child: ChildProcess;
  private readonly logFile: string;
  private readonly adminPort: number;

  private constructor(child: ChildProcess, logFile: string, adminPort: number) {
    this.child = child;
    this.logFile = logFile;
    this.adminPort = adminPort;
  }

  /** `directory`: empty, the agent's working folder, where it finds tokens and roots and puts what it makes. */
  static async start(kind: AgentKind, directory: string, pod: Pod, istiod: Istiod, atEnd: AtEnd): Promise<Agent> {
    const [adminPort, statusPort, readyPort, metricsPort] = await freePorts(4);
    writeFiles(directory, pod, istiod);
    const config = {
      ...(kind.proxy !== null && { binaryPath: writeLauncher(directory, kind.proxy) }),
      discoveryAddress: `127.0.0.1:${istiod.securePort}`,
      proxyAdminPort: adminPort,
      statusPort,
      concurrency: 1,
    };
    const logFile = join(directory, 'agent.log');
    const log = openSync(logFile, 'a');
    const asRoot = process.getuid?.() === 0;
    if (asRoot) giveTo(directory, sidecarId);
    const [program, ...first] = kind.command;
    const child = spawn(program, [...first, ...args, ...kind.flags], {
      cwd: directory,
      env: environment(pod, JSON.stringify(config), readyPort, metricsPort),
      stdio: ['ignore', log, log],
      ...(asRoot && { uid: sidecarId, gid: sidecarId }),
    });
    closeSync(log);
    const agent = new Agent(child, logFile, adminPort);
    atEnd(() => agent.stop());
    await until(`${pod.name} to be ready`, () => agent.isReady());
    return agent;
  }

  output(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  async admin(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`);
    return response.text();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  private async isReady(): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error(`the agent ended:\n${this.output().slice(-4000)}`);
    const answer = await this.admin('/ready').catch(() => '');
    return answer === 'LIVE\n';
  }
}

function environment(pod: Pod, config: string, readyPort: number, metricsPort: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    POD_NAME: pod.name,
    POD_NAMESPACE: pod.namespace,
    INSTANCE_IP: pod.address,
    SERVICE_ACCOUNT: pod.account,
    HOST_IP: '127.0.0.1',
    CLOUD_PLATFORM: 'none',
    PILOT_CERT_PROVIDER: 'istiod',
    ISTIOD_SAN: 'istiod.istio-system.svc',
    PROXY_CONFIG: config,
    TRUST_DOMAIN: 'cluster.local',
    ISTIO_META_CLUSTER_ID: 'Kubernetes',
    ISTIO_META_NODE_NAME: 'node-1',
    ISTIO_META_WORKLOAD_NAME: pod.name,
    ISTIO_META_OWNER: `kubernetes://apis/apps/v1/namespaces/${pod.namespace}/deployments/${pod.name}`,
    ISTIO_META_MESH_ID: 'cluster.local',
    ISTIO_META_INTERCEPTION_MODE: 'NONE',
    ENVOY_STATUS_PORT: String(readyPort),
    ENVOY_PROMETHEUS_PORT: String(metricsPort),
  };
}

function writeLauncher(directory: string, proxy: string): string {
  const launcher = join(directory, 'proxy.sh');
  const command = proxyNamed(proxy).command();
  writeFileSync(launcher, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  chmodSync(launcher, 0o755);
  return launcher;
}

function writeFiles(directory: string, pod: Pod, istiod: Istiod): void {
  const write = (path: string, text: string): void => {
    const file = join(directory, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  };
  const labels = Object.entries(pod.labels).map(([name, value]) => `${name}="${value}"\n`);
  write('etc/istio/pod/labels', labels.join(''));
  write('etc/istio/pod/annotations', '');
  write('var/run/secrets/istio/root-cert.pem', istiod.authority.rootPem);
  write('var/run/secrets/tokens/istio-token', istiod.token(pod.namespace, pod.account));
}

function giveTo(directory: string, id: number): void {
  chownSync(directory, id, id);
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    chownSync(join(entry.parentPath, entry.name), id, id);
}
