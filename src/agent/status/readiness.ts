import type { ProxyAdmin } from './proxy-admin.ts';

const updates = 'usedonly&filter=^(cluster_manager\\.cds|listener_manager\\.lds)\\.(update_success|update_rejected)$';
const serverStates = ['LIVE', 'DRAINING', 'PRE_INITIALIZING', 'INITIALIZING'];
const server = 'usedonly&filter=^(server\\.state|listener_manager\\.workers_started)';

/** Whether the proxy can be sent traffic: it has its first configuration, and its workers have begun. */
export class Readiness {
  private readonly admin: ProxyAdmin;
  /** Another reason not to be ready, empty: none. */
  private readonly others: () => string;
  private hasConfiguration: boolean;
  private wasReady: boolean;

  constructor(admin: ProxyAdmin, others: () => string) {
    this.admin = admin;
    this.others = others;
    this.hasConfiguration = false;
    this.wasReady = false;
  }

  /** @returns why it is not ready; empty: it is */
  async check(): Promise<string> {
    try {
      return (await this.configuration()) || (await this.workers()) || this.others();
    } catch (error) {
      return `the proxy does not answer: ${(error as Error).message}`;
    }
  }

  private async configuration(): Promise<string> {
    if (this.hasConfiguration) return '';
    const stats = await this.admin.stats(updates);
    const count = (name: string): number => Number(stats.get(name) ?? 0);
    const clusters = count('cluster_manager.cds.update_success');
    const listeners = count('listener_manager.lds.update_success');
    const refusedClusters = count('cluster_manager.cds.update_rejected');
    const refusedListeners = count('listener_manager.lds.update_rejected');
    this.hasConfiguration = clusters > 0 && listeners > 0;
    if (this.hasConfiguration) return '';
    const counts = `cds updates: ${clusters} successful, ${refusedClusters} rejected; lds updates: ${listeners} successful, ${refusedListeners} rejected`;
    if (clusters === 0 && listeners === 0) return `config not received from XDS server (is Istiod running?): ${counts}`;
    if (refusedClusters + refusedListeners > 0) return `config received from XDS server, but was rejected: ${counts}`;
    return `config not fully received from XDS server: ${counts}`;
  }

  /** What has begun does not end before the process does: asked until it is so. */
  private async workers(): Promise<string> {
    if (this.wasReady) return '';
    const stats = await this.admin.stats(server);
    const state = Number(stats.get('server.state') ?? 0);
    if (state !== 0) return `server is not live, current state is: ${serverStates[state] ?? 'UNKNOWN'}`;
    if (stats.get('listener_manager.workers_started') !== '1') return 'workers have not yet started';
    this.wasReady = true;
    return '';
  }
}
