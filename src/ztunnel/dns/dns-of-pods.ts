import { closeSync, openSync } from 'node:fs';
import type { SocketPlace } from '../../net/network.ts';
import type { PodProxies } from '../cni/node-pods.ts';
import type { Mesh, WorkloadInfo } from '../state/mesh.ts';
import { MeshNames } from './mesh-names.ts';
import { PodDns, type OtherNames } from './pod-dns.ts';

export interface DnsOfPodsOptions {
  readonly mesh: Mesh;
  readonly others: OtherNames;
  readonly network: string;
  readonly clusterDomain: string;
  readonly mark: number;
  readonly port: number;
  /** At ::1 as well, in pods that have it. */
  readonly hasIpv6: boolean;
}

/** Proxies of pods, each with its DNS. */
export class DnsOfPods implements PodProxies {
  private readonly proxies: PodProxies;
  private readonly options: DnsOfPodsOptions;
  private readonly servers: Map<string, { readonly dns: PodDns; readonly namespaceFd: number }>;

  constructor(proxies: PodProxies, options: DnsOfPodsOptions) {
    this.proxies = proxies;
    this.options = options;
    this.servers = new Map();
  }

  addProxy(uid: string, info: WorkloadInfo, namespaceFd: number, tell: (problem: string) => void): void {
    // Of our own: the given one may be closed before the last of ours is.
    const own = openSync(`/proc/self/fd/${namespaceFd}`, 'r');
    this.proxies.addProxy(uid, info, namespaceFd, (problem) => {
      if (problem === '') void this.serve(uid, info, own, tell);
      else {
        closeSync(own);
        tell(problem);
      }
    });
  }

  removeProxy(uid: string): void {
    this.stop(uid);
    this.proxies.removeProxy(uid);
  }

  private async serve(
    uid: string,
    { namespace }: WorkloadInfo,
    namespaceFd: number,
    tell: (problem: string) => void,
  ): Promise<void> {
    const { mesh, others, network, clusterDomain, mark, port, hasIpv6 } = this.options;
    this.stop(uid);
    const dns = new PodDns(new MeshNames(mesh, { namespace, clusterDomain, network }), others);
    this.servers.set(uid, { dns, namespaceFd });
    try {
      await dns.listen('127.0.0.1', port, { namespaceFd, mark });
      // Its descriptor is closed with it.
      if (this.servers.get(uid)?.dns !== dns) throw new Error('the workload is gone');
      if (hasIpv6) await listenWhereItIs(dns, '::1', port, { namespaceFd, mark });
      tell('');
    } catch (error) {
      if (this.servers.get(uid)?.dns === dns) this.stop(uid);
      tell((error as Error).message);
    }
  }

  private stop(uid: string): void {
    const server = this.servers.get(uid);
    if (server === undefined) return;
    this.servers.delete(uid);
    server.dns.close();
    closeSync(server.namespaceFd);
  }
}

/** Without a word where the namespace has no such address. */
async function listenWhereItIs(dns: PodDns, host: string, port: number, place: SocketPlace): Promise<void> {
  try {
    await dns.listen(host, port, place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error;
  }
}
