import { load } from 'js-yaml';
import { setTimeout as sleep } from 'node:timers/promises';
import { SdsServer } from '../../sds-server.ts';
import { filled, type Secrets } from '../row.ts';
import { certificateValues } from './certificates.ts';

/** Until every thread of a proxy has heard of what its main thread has taken. */
const spreadMs = 30;

/** The control plane of one proxy's world. */
export class PeerSecrets {
  private readonly server: SdsServer;

  private constructor(server: SdsServer) {
    this.server = server;
  }

  static async open(port: number, secrets: Secrets): Promise<PeerSecrets> {
    const opened = new PeerSecrets(await SdsServer.start(`127.0.0.1:${port}`));
    for (const [name, yaml] of Object.entries(secrets)) await opened.set(name, yaml);
    return opened;
  }

  /** Returns when the proxy has taken or refused them. */
  async bring(secrets: Secrets): Promise<void> {
    for (const [name, yaml] of Object.entries(secrets)) {
      await this.set(name, yaml);
      await this.server.answered(name);
    }
    await sleep(spreadMs);
  }

  close(): void {
    this.server.stop();
  }

  private async set(name: string, yaml: string): Promise<void> {
    this.server.set(name, load(filled(yaml, await certificateValues(yaml))) as object);
  }
}
