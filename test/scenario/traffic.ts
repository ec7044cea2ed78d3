import { Pool } from 'undici';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** Requests without a pause until told to stop; every answer that is not the expected one is kept. */
export class Traffic {
  readonly bodies: Map<string, number>;
  readonly failures: string[];
  private readonly pool: Pool;
  private isStopping: boolean;
  private readonly lanes: Promise<void>[];

  constructor(url: string, lanes: number) {
    this.bodies = new Map();
    this.failures = [];
    this.pool = new Pool(url, { connections: lanes, pipelining: 1 });
    this.isStopping = false;
    this.lanes = Array.from({ length: lanes }, () => this.drive());
    onTestFinished(() => this.pool.destroy());
  }

  /** Waits for so many more answers with this body. */
  async sees(body: string, count = 20): Promise<void> {
    const before = this.bodies.get(body) ?? 0;
    await until(`answers '${body}' (failures: ${this.failures.slice(0, 5).join('; ')})`, () => {
      return (this.bodies.get(body) ?? 0) >= before + count;
    });
  }

  async stop(): Promise<readonly string[]> {
    this.isStopping = true;
    await Promise.all(this.lanes);
    return this.failures;
  }

  private async drive(): Promise<void> {
    while (!this.isStopping) {
      try {
        const { statusCode, body } = await this.pool.request({ path: '/', method: 'GET' });
        const text = await body.text();
        if (statusCode === 200) this.bodies.set(text, (this.bodies.get(text) ?? 0) + 1);
        else this.failures.push(`${statusCode} ${text}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}
