import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { findProgram, missing, repository } from '../../test/peers/binaries.ts';
import { authorityPort, clientAddress, otherAddresses, serverAddress } from '../hbone/namespaces.ts';
import { isHbone, type Place, type Shape, type Target } from '../target.ts';

/** A node proxy of the ambient mesh, dedicated to one workload: both sides know the mesh from a file. */
class Ztunnel implements Target {
  readonly name: string;
  private readonly command: () => readonly string[] | null;

  constructor(name: string, command: () => readonly string[] | null) {
    this.name = name;
    this.command = command;
  }

  unavailable(): string | null {
    return this.command() === null ? missing('ztunnel') : null;
  }

  supports(shape: Shape): boolean {
    return isHbone(shape);
  }

  prepare(shape: Shape, place: Place, workers: number): readonly string[] {
    const file = join(place.directory, 'mesh.yaml');
    writeFileSync(file, dump(mesh(shape)));
    const name = place.side === 'out' ? 'client' : 'server';
    const variables = {
      PROXY_MODE: 'dedicated',
      PROXY_WORKLOAD_INFO: `default/${name}/${name}`,
      LOCAL_XDS_PATH: file,
      XDS_ADDRESS: '',
      CA_ADDRESS: `https://${serverAddress}:${authorityPort}`,
      CA_ROOT_CA: place.authorityRoot,
      ALT_CA_HOSTNAME: 'istiod.istio-system.svc',
      AUTH_TOKEN: 'token-of-the-bench',
      IPV6_ENABLED: 'false',
      ENABLE_ORIG_SRC: 'false',
      ISTIO_META_DNS_CAPTURE: 'false',
      ZTUNNEL_WORKER_THREADS: String(workers),
    };
    return ['env', ...Object.entries(variables).map(([key, value]) => `${key}=${value}`), ...(this.command() ?? [])];
  }
}

/** The server has every address; those besides the first are named where they are dialled. */
function mesh(shape: Shape): object {
  const workload = (name: string, workloadIps: readonly string[]): object => ({
    uid: `Kubernetes//v1/Pod/default/${name}`,
    name,
    namespace: 'default',
    serviceAccount: name,
    trustDomain: 'cluster.local',
    workloadIps,
    protocol: 'HBONE',
    network: '',
    services: {},
  });
  const more = shape === 'hbone-handshakes' ? otherAddresses : [];
  return {
    workloads: [workload('client', [clientAddress]), workload('server', [serverAddress, ...more])],
    policies: [],
    services: [],
  };
}

/** A genuine one, as it comes. */
export const ztunnel: Target = new Ztunnel('ztunnel', () => {
  const found = findProgram('ztunnel');
  return found === null ? null : [found, 'proxy', 'ztunnel'];
});

/** `sekisho-ztunnel` is this checkout's, `sekisho-ztunnel@/another/checkout` that one's. */
export function sekishoZtunnel(name: string): Target {
  const checkout = name.includes('@') ? name.slice(name.indexOf('@') + 1) : repository;
  const node = process.env.NODE_BIN ?? join(repository, 'node_modules/.bin/node');
  const flags = (process.env.SEKISHO_NODE_FLAGS ?? '').split(' ').filter(Boolean);
  return new Ztunnel(name, () => [node, ...flags, join(checkout, 'src/main.ts'), 'ztunnel']);
}
