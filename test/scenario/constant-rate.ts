import { Pool } from 'undici';
import { setInterval as every } from 'node:timers/promises';

export interface RateResult {
  readonly requests: number;
  /** Statuses other than 200, and errors, by what they were. */
  readonly failures: ReadonlyMap<string, number>;
  readonly failed: number;
  /** Milliseconds from when the request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many requests a second, whether or not the answers before have come; `seconds` of it. */
export async function atConstantRate(url: string, rate: number, seconds: number): Promise<RateResult> {
  const pool = new Pool(url, { connections: 256, pipelining: 1 });
  const latencies: number[] = [];
  const failures = new Map<string, number>();
  const ask = async (dueAt: number): Promise<void> => {
    const outcome = await outcomeOf(pool);
    latencies.push(performance.now() - dueAt);
    if (outcome !== '200') failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
  };
  const startedAt = performance.now();
  const asked: Promise<void>[] = [];
  const total = rate * seconds;
  for await (const _ of every(5)) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * rate) / 1000));
    while (asked.length < due) asked.push(ask(startedAt + (asked.length * 1000) / rate));
    if (asked.length === total) break;
  }
  await Promise.all(asked);
  await pool.close();
  latencies.sort((a, b) => a - b);
  const percentile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))];
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  return { requests: total, failures, failed, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}

async function outcomeOf(pool: Pool): Promise<string> {
  try {
    const { statusCode, body } = await pool.request({ path: '/', method: 'GET' });
    await body.dump();
    return String(statusCode);
  } catch (error) {
    return String(error);
  }
}
