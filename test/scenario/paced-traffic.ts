import { Agent } from 'node:https';
import { setInterval as every } from 'node:timers/promises';
import { Pool, request } from 'undici';
import { ask } from './tls-traffic.ts';

/** Milliseconds between two requests: it is to be there all the time, and to leave the machine to others. */
const paceMs = 10;
const keptConnections = 4;

export interface PacedTargets {
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly ca: string;
}

/** One request after the other, by HTTP and HTTPS in turn, on connections that are kept and on new ones. What fails is kept. */
export class PacedTraffic {
  readonly failures: string[];
  /** Every kind of request. */
  readonly counts: Record<string, number>;
  private readonly targets: PacedTargets;
  private readonly pool: Pool;
  private readonly agent: Agent;
  private readonly driven: Promise<void>;
  private isStopping: boolean;

  constructor(targets: PacedTargets) {
    this.failures = [];
    this.counts = {};
    this.targets = targets;
    this.pool = new Pool(`http://127.0.0.1:${targets.plainPort}`, { connections: keptConnections });
    this.agent = new Agent({ keepAlive: true, maxSockets: keptConnections });
    this.isStopping = false;
    this.driven = this.drive();
  }

  async stop(): Promise<readonly string[]> {
    this.isStopping = true;
    await this.driven;
    await this.pool.close();
    this.agent.destroy();
    return this.failures;
  }

  private async drive(): Promise<void> {
    const kinds = Object.entries(this.kinds());
    const asked: Promise<void>[] = [];
    for await (const _ of every(paceMs)) {
      if (this.isStopping) break;
      const [name, act] = kinds[asked.length % kinds.length];
      asked.push(this.count(name, act));
    }
    await Promise.all(asked);
  }

  private kinds(): Record<string, () => Promise<number>> {
    const { plainPort, tlsPort, ca } = this.targets;
    const url = `http://127.0.0.1:${plainPort}`;
    const answered = async (asked: ReturnType<typeof request>): Promise<number> => {
      const { statusCode, body } = await asked;
      await body.dump();
      return statusCode;
    };
    return {
      kept: () => answered(this.pool.request({ path: '/', method: 'GET' })),
      fresh: () => answered(request(url, { reset: true })),
      'kept TLS': async () => (await ask(tlsPort, ca, { agent: this.agent })).status,
      'fresh TLS': async () => (await ask(tlsPort, ca)).status,
    };
  }

  private async count(kind: string, act: () => Promise<number>): Promise<void> {
    try {
      const status = await act();
      if (status !== 200) this.failures.push(`${kind}: ${status}`);
    } catch (error) {
      this.failures.push(`${kind}: ${String(error)}`);
    }
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }
}
