import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from '../../test/peers/binaries.ts';
import { Core, run } from '../process.ts';

/** What h2load is to send, over HTTP/2 with prior knowledge. */
export interface H2Load {
  readonly port: number;
  /** Where files of this load go. */
  readonly directory: string;
  readonly connections: number;
  /** At the same time on each connection. */
  readonly streams: number;
  readonly seconds: number;
  readonly path?: string;
  /** `name: value` */
  readonly headers?: readonly string[];
  /** POST of these bytes in place of GET. */
  readonly body?: Uint8Array;
  /** Writes down every request to tell the p99. */
  readonly isTimed?: boolean;
}

export interface H2LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly meanMs: number;
  /** NaN unless timed. */
  readonly p99Ms: number;
}

const units: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000 };

/** Saturating load in a closed loop, by nghttp2's own tool. */
export async function h2load(load: H2Load): Promise<H2LoadResult> {
  const binary = findProgram('h2load');
  if (binary === null) throw new Error(missing('h2load'));
  const flags = ['-t1', `-c${load.connections}`, `-m${load.streams}`, `-D${Math.max(1, Math.round(load.seconds))}`];
  for (const header of load.headers ?? []) flags.push('-H', header);
  if (load.body !== undefined) {
    const file = join(load.directory, 'h2load.body');
    writeFileSync(file, load.body);
    flags.push('-d', file);
  }
  const log = join(load.directory, 'h2load.log');
  rmSync(log, { force: true });
  if (load.isTimed) flags.push(`--log-file=${log}`);
  const url = `http://127.0.0.1:${load.port}${load.path ?? '/'}`;
  const output = await run(Core.Load, [binary, ...flags, url]);
  const seconds = /^finished in ([\d.]+)(us|ms|s)/m.exec(output);
  const requests = /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(output);
  const time = /^time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/m.exec(output);
  if (seconds === null || requests === null) throw new Error(`h2load said nothing to measure:\n${output}`);
  const [succeeded, ...errors] = requests.slice(1).map(Number);
  return {
    requests: succeeded,
    seconds: (Number(seconds[1]) * units[seconds[2]]) / 1000,
    errors: errors.reduce((sum, count) => sum + count, 0),
    meanMs: time === null ? NaN : Number(time[1]) * units[time[2]],
    p99Ms: load.isTimed ? p99Of(log) : NaN,
  };
}

/** Lines of the start, the status, and the time until the end in microseconds. */
function p99Of(log: string): number {
  const times = readFileSync(log, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line.slice(line.lastIndexOf('\t') + 1)));
  const sorted = Float64Array.from(times).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] / 1000;
}
