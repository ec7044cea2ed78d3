import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../test/peers/binaries.ts';
import { freePorts } from '../test/peers/ports.ts';
import { Core, pinned } from './process.ts';
import type { HostsShape } from './target.ts';
import { manyEndpoints, manyHosts } from './targets/hosts-config.ts';

/** CPU of an update, in ms. */
export interface UpdateCost {
  readonly mainMs: number;
  readonly workerMs: number;
}

const updates = 12;

/**
 * What another weight of one host costs Envoy: its endpoints come from a file (EDS with `path_config_source`), which is
 * replaced in turn by one that differs in that weight, and the time of the main thread and of the worker is read from
 * `/proc` before and after a dozen updates. Null: there is no Envoy here.
 */
export async function envoyUpdate(shape: HostsShape, directory: string): Promise<UpdateCost | null> {
  const program = findProgram('envoy');
  if (program === null) return null;
  const [adminPort] = await freePorts(1);
  const file = join(directory, 'envoy.json');
  const eds = join(directory, 'eds.json');
  writeFileSync(eds, discovery(false));
  writeFileSync(file, JSON.stringify(bootstrap(shape, adminPort, eds)));
  const argv = pinned(Core.Proxy, [program, '-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'error']);
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    await updated(adminPort, 1);
    await sleep(500);
    const before = threadsOf(child.pid!);
    for (let i = 1; i <= updates; i++) {
      writeFileSync(`${eds}.new`, discovery(i % 2 === 1));
      renameSync(`${eds}.new`, eds);
      await updated(adminPort, i + 1);
    }
    await sleep(500);
    const after = threadsOf(child.pid!);
    const spent = (name: string): number => (after.get(name)! - before.get(name)!) / updates;
    return { mainMs: spent('main'), workerMs: spent('wrk:worker_0') };
  } finally {
    child.kill('SIGKILL');
  }
}

function discovery(isOther: boolean): string {
  const kind = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
  const assignment = { cluster_name: 'backend', endpoints: [{ lb_endpoints: manyEndpoints(1, isOther) }] };
  return JSON.stringify({ version_info: String(isOther), resources: [{ '@type': kind, ...assignment }] });
}

function bootstrap(shape: HostsShape, adminPort: number, path: string): object {
  const source = { path_config_source: { path }, resource_api_version: 'V3' };
  return {
    node: { id: 'bench', cluster: 'bench' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    static_resources: {
      clusters: [{ ...manyHosts(shape), type: 'EDS', eds_cluster_config: { eds_config: source } }],
    },
  };
}

/** Until the cluster has taken so many answers. */
async function updated(adminPort: number, count: number): Promise<void> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    const url = `http://127.0.0.1:${adminPort}/stats?filter=cluster.backend.update_success`;
    const text = await fetch(url).then(
      (answer) => answer.text(),
      () => '',
    );
    if (Number(/update_success: (\d+)/.exec(text)?.[1] ?? 0) >= count) return;
    await sleep(20);
  }
  throw new Error(`no update ${count}`);
}

/** Time on a processor of each thread, in ms; the first one is `main`. Ticks of `stat` are too coarse for short turns. */
function threadsOf(pid: number): Map<string, number> {
  const threads = readdirSync(`/proc/${pid}/task`).map((id) => {
    const folder = `/proc/${pid}/task/${id}`;
    const name = id === String(pid) ? 'main' : readFileSync(`${folder}/comm`, 'utf8').trim();
    return [name, Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e6] as const;
  });
  return new Map(threads);
}
