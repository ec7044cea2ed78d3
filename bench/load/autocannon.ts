import { join } from 'node:path';
import { repository } from '../../test/peers/binaries.ts';
import { Core, run } from '../process.ts';

export interface AutocannonResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The load generator that Node users know. It costs more than the proxy, so read the CPU column and not the rate. */
export async function autocannon(port: number, connections: number, seconds: number): Promise<AutocannonResult> {
  const script = join(repository, 'node_modules/autocannon/autocannon.js');
  const flags = ['-c', String(connections), '-d', String(seconds), '--json', '--no-progress'];
  const output = await run(Core.Load, [process.execPath, script, ...flags, `http://127.0.0.1:${port}/`]);
  const result = JSON.parse(output) as {
    requests: { total: number };
    latency: { p50: number; p99: number };
    duration: number;
    errors: number;
    non2xx: number;
  };
  return {
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result.non2xx,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}
