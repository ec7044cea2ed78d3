/**
 * A cluster of 10 000 hosts: what a pick costs, and what another weight of one of them costs, beside Envoy's.
 * `node bench/balancing.ts [least-request,ring-hash …]`.
 *
 * Ours: ns of a pick, best of several rounds; of an update, ms of the main thread (the endpoints read from text, decoded
 * and cloned for a worker) and of the worker (until the new balancer serves), with the longest time for which the worker
 * did nothing else. Envoy's update: see envoy-eds.ts. Its pick cannot be had alone; what a whole request costs either
 * proxy with so many hosts is in the scenarios `hosts-…` of run.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterRuntime } from '../src/cluster/cluster-runtime.ts';
import type { ClusterData } from '../src/cluster/cluster-data.ts';
import type { PickContext } from '../src/cluster/cluster.ts';
import { loadConfiguration } from '../src/control/configuration.ts';
import { ExtensionTable } from '../src/control/extension-table.ts';
import type { Hash64 } from '../src/core/hash64.ts';
import { MetadataCriteria } from '../src/core/metadata-criteria.ts';
import { extensionEntries } from '../src/extensions.ts';
import { seededRandom, World } from '../test/unit/cluster/cluster-fixture.ts';
import { envoyUpdate } from './envoy-eds.ts';
import { hostsShapes, type HostsShape } from './target.ts';
import { manyEndpoints, manyHosts } from './targets/hosts-config.ts';
import { hosts } from './targets/workload.ts';

const rounds = 7;
const picks = 400_000;
const updates = 24;

class Context implements PickContext {
  readonly random = 0;
  readonly hash: Hash64 | null;
  readonly metadataMatch: MetadataCriteria | null;
  readonly hostSelectionAttempts = 0;

  constructor(hash: Hash64 | null, metadataMatch: MetadataCriteria | null) {
    this.hash = hash;
    this.metadataMatch = metadataMatch;
  }

  rejects(): boolean {
    return false;
  }
}

/** What requests ask for: more hashes than a cache holds, and every subset. */
function contexts(shape: HostsShape): PickContext[] {
  const random = seededRandom(1);
  const half = (): number => Math.floor(random() * 2 ** 32);
  const criteria = Array.from({ length: hosts.subsets }, (_, i) => new MetadataCriteria({ version: `v${i}` }));
  return Array.from({ length: 65_536 }, (_, i) => {
    if (shape === 'hosts-subsets') return new Context(null, criteria[i % criteria.length]);
    return new Context({ high: half(), low: half() }, null);
  });
}

async function decoded(shape: HostsShape, isOther: boolean): Promise<ClusterData> {
  const loadAssignment = { cluster_name: 'backend', endpoints: [{ lb_endpoints: manyEndpoints(1, isOther) }] };
  const cluster = { ...manyHosts(shape), type: 'STATIC', load_assignment: loadAssignment };
  const text = JSON.stringify({ static_resources: { clusters: [cluster] } });
  const none = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
  const configuration = await loadConfiguration(
    { text, path: 'bench.json', allowUnknown: false, ...none },
    new ExtensionTable(extensionEntries),
  );
  if (configuration.isRefused) throw new Error(JSON.stringify(configuration.problems));
  return structuredClone(configuration.data.clusters[0]);
}

function pickCost(cluster: ClusterRuntime, asked: readonly PickContext[]): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    for (let i = 0; i < picks; i++) if (cluster.pick(asked[i & 0xffff]) === null) throw new Error('nobody');
    best = Math.min(best, (performance.now() - begin) / picks);
  }
  return best * 1e6;
}

interface WorkerCost {
  readonly totalMs: number;
  readonly longestMs: number;
}

/** Of the later half, when everything has been compiled. */
function updateCost(
  world: World,
  cluster: ClusterRuntime,
  lists: readonly ClusterData[],
  ask: PickContext,
): WorkerCost {
  const { timers, clock } = world.network;
  const totals: number[] = [];
  let longestMs = 0;
  for (let i = 1; i <= updates; i++) {
    let total = 0;
    let longest = 0;
    const timed = (work: () => unknown): void => {
      const begin = performance.now();
      work();
      const took = performance.now() - begin;
      total += took;
      longest = Math.max(longest, took);
    };
    timed(() => cluster.updateHosts(lists[i % 2].hosts));
    while (timers.nextKey <= clock.now) timed(() => timers.run(clock.now));
    // What is made when it is first asked for.
    timed(() => cluster.pick(ask));
    if (i <= updates / 2) continue;
    totals.push(total);
    longestMs = Math.max(longestMs, longest);
  }
  return { totalMs: totals.toSorted((a, b) => a - b)[totals.length >> 1], longestMs };
}

async function mainCost(shape: HostsShape): Promise<number> {
  const costs: number[] = [];
  for (let i = 0; i < 6; i++) {
    const begin = performance.now();
    await decoded(shape, i % 2 === 1);
    costs.push(performance.now() - begin);
  }
  return costs.toSorted((a, b) => a - b)[2];
}

async function measure(shape: HostsShape, directory: string): Promise<void> {
  const lists = [await decoded(shape, false), await decoded(shape, true)];
  const world = new World();
  const cluster = world.cluster(lists[0]);
  const asked = contexts(shape);
  const pickNs = pickCost(cluster, asked);
  const worker = updateCost(world, cluster, lists, asked[0]);
  const mainMs = await mainCost(shape);
  const theirs = await envoyUpdate(shape, directory);
  const envoy =
    theirs === null
      ? 'no Envoy here'
      : `Envoy: main ${theirs.mainMs.toFixed(1)} ms, worker ${theirs.workerMs.toFixed(1)} ms`;
  console.log(
    `${shape.slice('hosts-'.length).padEnd(14)} pick ${pickNs.toFixed(0).padStart(4)} ns; update: main ` +
      `${mainMs.toFixed(1)} ms, worker ${worker.totalMs.toFixed(1)} ms, at most ${worker.longestMs.toFixed(1)} ms at a ` +
      `stretch; ${envoy}`,
  );
}

const wanted = process.argv[2]?.split(',').map((name) => `hosts-${name}`) ?? hostsShapes;
const directory = mkdtempSync(join(tmpdir(), 'sekisho-balancing-'));
try {
  for (const shape of hostsShapes) if (wanted.includes(shape)) await measure(shape, directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
