import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Issued } from '../../../certificates.ts';
import { repository } from '../../../peers/binaries.ts';
import { proxyNamed } from '../../../peers/proxy.ts';
import { SdsServer } from '../../../sds-server.ts';
import { RecordedControlPlane } from '../../../xds/recorded-control-plane.ts';
import { Program } from '../programs.ts';
import { until } from '../../wait.ts';
import { sidecarGroup } from './mixed-rules.ts';
import { moved, podAddresses, type PodName } from './moved.ts';
import { playedListeners } from './played-listeners.ts';

export interface IstioProxyWish {
  readonly pod: PodName;
  /** Whose stream of istiod it has, as it was recorded. */
  readonly node: 'ambient/waypoint' | 'ambient/sidecar-hbone';
  /** The recording that has its bootstrap and its arguments. */
  readonly bootstrapOf: string;
  readonly kind: 'sekisho' | 'envoy';
  readonly certificate: Issued;
  readonly rootsPem: string;
}

interface Recording {
  readonly bootstrap: {
    readonly dynamic_resources: { readonly ads_config: Record<string, unknown> };
    bootstrap_extensions: { readonly name: string }[];
  };
  readonly arguments: readonly string[];
}

/** A waypoint or a sidecar in a pod, under the control plane as it was recorded and an agent that has its certificate. */
export class IstioProxy {
  readonly program: Program;
  readonly plane: RecordedControlPlane;
  private readonly agent: SdsServer;

  private constructor(program: Program, plane: RecordedControlPlane, agent: SdsServer) {
    this.program = program;
    this.plane = plane;
    this.agent = agent;
  }

  static async start(wish: IstioProxyWish): Promise<IstioProxy> {
    const folder = join('/run/proxies', wish.pod);
    const inFolder = (path: string): string => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      return join(folder, path);
    };
    const isEnvoy = wish.kind === 'envoy';
    const rewritten = (typeUrl: string, bytes: Uint8Array): Uint8Array =>
      playedListeners(typeUrl, moved(bytes), isEnvoy);
    const xds = `unix:${inFolder('etc/istio/proxy/XDS')}`;
    const plane = await RecordedControlPlane.open(wish.node, xds, rewritten);
    const agent = await SdsServer.start(`unix:${inFolder('var/run/secrets/workload-spiffe-uds/socket')}`);
    giveSecrets(agent, wish);
    const recording = recordingOf(wish);
    writeFileSync(inFolder('etc/istio/proxy/envoy-rev.json'), JSON.stringify(recording.bootstrap));
    const command = proxyNamed(wish.kind).command();
    // A file: /dev/stdout of a socket cannot be opened.
    const shell = `cd ${folder} && exec "$@" > proxy.log`;
    const as = ['setpriv', '--regid', String(sidecarGroup), '--clear-groups'];
    const args = [...as, 'sh', '-c', shell, 'sh', ...command, ...recording.arguments];
    const program = new Program('ip', ['netns', 'exec', wish.pod, ...args]);
    const own = new IstioProxy(program, plane, agent);
    await Promise.race([until(`${wish.pod}'s proxy to be ready`, () => isReady(wish.pod)), program.ended()]);
    return own;
  }

  async kill(): Promise<void> {
    await this.program.kill();
    this.plane.server.stop();
    this.agent.stop();
  }
}

function recordingOf({ bootstrapOf, kind }: IstioProxyWish): Recording {
  const path = join(repository, `test/fixtures/pilot-agent/${bootstrapOf}.json`);
  // Its readiness is asked for from outside; of the agent, which is none here, nothing is.
  const text = readFileSync(path, 'utf8').replaceAll('/healthz/ready', '/ready').replaceAll(':15020}', ':15000}');
  const recording = JSON.parse(text) as Recording;
  recording.bootstrap.dynamic_resources.ads_config['api_type'] = 'DELTA_GRPC';
  if (kind === 'envoy')
    recording.bootstrap.bootstrap_extensions = recording.bootstrap.bootstrap_extensions.filter(
      ({ name }) => name !== 'metadata_discovery',
    );
  return recording;
}

function giveSecrets(agent: SdsServer, { certificate, rootsPem }: IstioProxyWish): void {
  const inline = (text: string): object => ({ inlineString: text });
  agent.set('default', {
    tlsCertificate: { certificateChain: inline(certificate.chainPem), privateKey: inline(certificate.keyPem) },
  });
  agent.set('ROOTCA', { validationContext: { trustedCa: inline(rootsPem) } });
}

async function isReady(pod: PodName): Promise<boolean> {
  const answer = await fetch(`http://${podAddresses[pod]}:15021/ready`).catch(() => null);
  return answer?.ok === true;
}
