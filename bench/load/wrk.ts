import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from '../../test/peers/binaries.ts';
import { Core, run } from '../process.ts';

/** What wrk is to send. */
export interface WrkLoad {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Size of a POST body; without it the requests are GETs. */
  readonly postBytes?: number;
  /** Lua statements that set `requests`, a list of ready requests to send in turn. */
  readonly requestsLua?: string;
  readonly directory: string;
  /** Over TLS. */
  readonly isSecure?: boolean;
}

export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Saturating load in a closed loop: its latencies say little, its request count and the proxy's CPU time a lot. */
export async function wrk(load: WrkLoad): Promise<WrkResult> {
  const binary = findProgram('wrk');
  if (binary === null) throw new Error(missing('wrk'));
  const script = join(load.directory, 'load.lua');
  writeFileSync(script, luaScript(load));
  const flags = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s', '-s', script];
  const output = await run(Core.Load, [
    binary,
    ...flags,
    `${load.isSecure === true ? 'https' : 'http'}://127.0.0.1:${load.port}${load.path ?? '/'}`,
  ]);
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk said nothing to measure:\n${output}`);
  return JSON.parse(line) as WrkResult;
}

function luaScript(load: WrkLoad): string {
  const lines = Object.entries(load.headers ?? {}).map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`);
  if (load.postBytes !== undefined) {
    lines.push('wrk.method = "POST"', `wrk.body = string.rep("p", ${load.postBytes})`);
  }
  if (load.requestsLua !== undefined) {
    lines.push(
      'local requests = {}',
      `init = function(args)\n  ${load.requestsLua}\nend`,
      'local next = 0',
      'request = function()\n  next = next % #requests + 1\n  return requests[next]\nend',
    );
  }
  return `${lines.join('\n')}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"errors":%d,"p50Ms":%f,"p99Ms":%f}\\n', summary.requests,
    summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
`;
}

function lua(text: string): string {
  return JSON.stringify(text);
}
