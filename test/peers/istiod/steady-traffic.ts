import { Agent, fetch } from 'undici';

/** One request after the other on a few connections, until the end; remembers what was answered and what failed. */
export class SteadyTraffic {
  private readonly url: string;
  private readonly agent: Agent;
  private readonly bodies: string[];
  private readonly failures: string[];
  private readonly loops: Promise<void>[];
  private isEnding: boolean;

  constructor(url: string, connections = 4) {
    this.url = url;
    this.agent = new Agent({ connections });
    this.bodies = [];
    this.failures = [];
    this.isEnding = false;
    this.loops = Array.from({ length: connections }, () => this.ask());
  }

  /** Fewer than `count` while there are no more: then `['']`, which is no answer. */
  lastOnes(count: number): readonly string[] {
    return this.bodies.length < count ? [''] : this.bodies.slice(-count);
  }

  /** Of every request that was not answered with 200: why. */
  async end(): Promise<readonly string[]> {
    this.isEnding = true;
    await Promise.all(this.loops);
    await this.agent.close();
    return this.failures;
  }

  private async ask(): Promise<void> {
    while (!this.isEnding) {
      try {
        const response = await fetch(this.url, { dispatcher: this.agent });
        const body = await response.text();
        if (response.status === 200) this.bodies.push(body);
        else this.failures.push(`${response.status} ${body}`);
      } catch (error) {
        const { cause, message } = error as Error;
        this.failures.push(cause instanceof Error ? cause.message : message);
      }
    }
  }
}
