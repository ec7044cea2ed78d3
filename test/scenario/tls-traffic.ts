import { Agent, request, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** One answer and whose certificate it came with. */
export interface TlsAnswer {
  readonly status: number;
  readonly body: string;
  /** Common name of the server's certificate; empty: the session was resumed. */
  readonly commonName: string;
}

/** Asks with node:https. */
export async function ask(port: number, ca: string, options: RequestOptions = {}): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const servername = 'test.example';
    const asked = request({ host: '127.0.0.1', port, ca, servername, agent: false, ...options }, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate();
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode!, body, commonName: String(subject?.CN ?? '') });
      });
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Requests without a pause: some lanes keep their connections, others open one for each. What fails is kept. */
export class TlsTraffic {
  readonly failures: string[];
  /** Common name → answers on connections of their own. */
  readonly fresh: Map<string, number>;
  /** The same of those that are kept. */
  readonly kept: Map<string, number>;
  count: number;
  private readonly port: number;
  private readonly ca: string;
  private readonly agents: Agent[];
  private readonly lanes: Promise<void>[];
  private isStopping: boolean;

  constructor(port: number, ca: string, keptLanes: number, freshLanes: number) {
    this.failures = [];
    this.fresh = new Map();
    this.kept = new Map();
    this.count = 0;
    this.port = port;
    this.ca = ca;
    this.isStopping = false;
    this.agents = Array.from({ length: keptLanes }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    this.lanes = [
      ...this.agents.map((agent) => this.drive(this.kept, { agent })),
      ...Array.from({ length: freshLanes }, () => this.drive(this.fresh, {})),
    ];
    onTestFinished(() => {
      for (const agent of this.agents) agent.destroy();
    });
  }

  /** Waits for a connection with this certificate. */
  async sees(commonName: string): Promise<void> {
    const before = this.fresh.get(commonName) ?? 0;
    await until(`the certificate of ${commonName} (failures: ${this.failures.slice(0, 3).join('; ')})`, () => {
      return (this.fresh.get(commonName) ?? 0) > before;
    });
  }

  async reaches(count: number): Promise<void> {
    while (this.count < count && this.failures.length === 0) {
      const before = this.count;
      await until(`more than ${before} answers`, () => this.count > before || this.failures.length > 0);
    }
  }

  async stop(): Promise<readonly string[]> {
    this.isStopping = true;
    await Promise.all(this.lanes);
    return this.failures;
  }

  private async drive(seen: Map<string, number>, options: RequestOptions): Promise<void> {
    while (!this.isStopping) {
      try {
        const { status, commonName } = await ask(this.port, this.ca, options);
        if (status === 200) seen.set(commonName, (seen.get(commonName) ?? 0) + 1);
        else this.failures.push(String(status));
      } catch (error) {
        this.failures.push(String(error));
      }
      this.count++;
    }
  }
}
