import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TunnelLoad, TunnelResult } from '../load/tunnel.ts';
import { Core, pinned, run } from '../process.ts';
import { cpu, cpuOf, perRequest, since, user } from '../scenarios.ts';
import type { Metric, OwnScenario, Running, Sample, Scenario, SharedScenario } from '../scenario.ts';
import { otherAddresses, serverAddress, serverPort, type Namespaces } from './namespaces.ts';

const script = new URL('../load/tunnel.ts', import.meta.url).pathname;

function argvOf(spaces: Namespaces, load: Partial<TunnelLoad>): readonly string[] {
  const whole = { addresses: [serverAddress], port: serverPort, connections: 1, seconds: 1, ...load };
  return [...spaces.enter('out'), process.execPath, script, JSON.stringify(whole)];
}

/** Runs a load where the pair's client is. */
export async function tunnelLoad(spaces: Namespaces, load: Partial<TunnelLoad>): Promise<TunnelResult> {
  return JSON.parse(await run(Core.Load, argvOf(spaces, load))) as TunnelResult;
}

const spacesOf = ({ spaces, target }: Running): Namespaces => {
  if (spaces === null) throw new Error(`${target.name} has no namespaces`);
  return spaces;
};

/** Wall-clock time of each, all connections together. */
const elapsed = (title: string): Metric => ({ key: 'elapsedUs', title, digits: 1, hasRatio: true });

async function timed(running: Running, load: Partial<TunnelLoad>): Promise<Sample> {
  const sample = await perRequest(running, () => tunnelLoad(spacesOf(running), load));
  return { ...sample, elapsedUs: 1e6 / sample.rate };
}

/** Compiled code and open tunnels, before the few round trips of one connection are measured. */
const warmUp = (running: Running): Promise<unknown> =>
  tunnelLoad(spacesOf(running), { kind: 'ping-pong', connections: 64, seconds: 3 });

function pingPong(connections: number): SharedScenario {
  return {
    kind: 'shared',
    name: `hbone-ping-pong-${connections}`,
    summary: `100 bytes there and back through a tunnel, CPU of both proxies; ${connections} connections`,
    shape: 'hbone',
    metrics: [elapsed('µs/ping-pong'), { ...cpu, title: 'CPU µs' }, user],
    goal: 1.2,
    warmUp,
    measure: (running, { seconds }) => timed(running, { kind: 'ping-pong', connections, seconds }),
  };
}

const gib = 2 ** 30;

/** Gbit/s, and CPU seconds of both proxies for a GiB. */
async function bulkOneWay(running: Running, load: Partial<TunnelLoad>, way: 'up' | 'down'): Promise<Sample> {
  const before = cpuOf(running);
  const { requests: bytes, seconds, errors } = await tunnelLoad(spacesOf(running), { kind: way, ...load });
  const { userUs, systemUs } = since(before, cpuOf(running));
  if (errors > 0 || bytes === 0) throw new Error(`${running.target.name}: ${errors} errors in ${bytes} bytes`);
  return {
    [`${way}Gbit`]: (bytes * 8) / seconds / 1e9,
    [`${way}CpuPerGib`]: ((userUs + systemUs) / 1e6 / bytes) * gib,
    [`${way}UserPerGib`]: (userUs / 1e6 / bytes) * gib,
  };
}

function bulk(connections: number): SharedScenario {
  const way = (key: 'up' | 'down', name: string): Metric[] => [
    { key: `${key}CpuPerGib`, title: `${name} CPU s/GiB`, digits: 2, hasRatio: true },
    { key: `${key}UserPerGib`, title: 'user', digits: 2 },
    { key: `${key}Gbit`, title: 'Gbit/s', digits: 2, isHigherBetter: true },
  ];
  return {
    kind: 'shared',
    name: `hbone-bulk-${connections}`,
    summary: `as much as there is room for, to the server and from it, CPU of both proxies; ${connections} connections`,
    shape: 'hbone',
    metrics: [...way('up', 'to'), ...way('down', 'from')],
    measure: async (running, { seconds }) => ({
      ...(await bulkOneWay(running, { connections, seconds }, 'up')),
      ...(await bulkOneWay(running, { connections, seconds }, 'down')),
    }),
  };
}

const connections: SharedScenario = {
  kind: 'shared',
  name: 'hbone-connections',
  summary: 'new connections that carry one byte both ways through tunnels that stand, 16 at a time',
  shape: 'hbone',
  metrics: [
    { ...cpu, title: 'CPU µs/connection' },
    { ...user },
    { key: 'rate', title: 'connections/s', digits: 0, isHigherBetter: true },
  ],
  measure: (running, { seconds }) => timed(running, { kind: 'open', connections: 16, seconds }),
};

const handshakesPerRound = 200;

const handshakes: OwnScenario = {
  kind: 'own',
  name: 'hbone-handshakes',
  summary: `${handshakesPerRound} connections of which each needs a new tunnel, 8 at a time, after as many to warm up`,
  shape: 'hbone-handshakes',
  waitsForStart: true,
  metrics: [
    { ...cpu, title: 'CPU µs/handshake' },
    { ...user },
    { key: 'rate', title: 'handshakes/s', digits: 0, isHigherBetter: true },
  ],
  measure: async (start) => {
    const running = await start(1);
    const part = (from: number) => ({
      kind: 'each' as const,
      connections: 8,
      addresses: otherAddresses.slice(from * handshakesPerRound, (from + 1) * handshakesPerRound),
    });
    for (const from of [0, 1, 2]) await tunnelLoad(spacesOf(running), part(from));
    return timed(running, part(3));
  },
};

const heldTunnels = 2000;

const memory: OwnScenario = {
  kind: 'own',
  name: 'hbone-memory',
  summary: `both proxies after a second of load, and what ${heldTunnels} open tunnels that carried a byte take in each`,
  shape: 'hbone',
  waitsForStart: true,
  metrics: [
    { key: 'kibPerTunnel', title: 'KiB/tunnel and process', digits: 1, hasRatio: true },
    { key: 'idleMib', title: 'MiB/process', digits: 1 },
  ],
  measure: async (start) => {
    const running = await start(1);
    const spaces = spacesOf(running);
    await tunnelLoad(spaces, { kind: 'ready', seconds: 10 });
    await sleep(500);
    const rss = (): number => (running.program.rss() + running.behind!.rss()) / 2;
    const idleMib = rss() / 2 ** 20;
    await tunnelLoad(spaces, { kind: 'open', connections: 64, seconds: 2 });
    await sleep(1500);
    const before = rss();
    const [command, ...args] = pinned(Core.Load, argvOf(spaces, { kind: 'held', connections: heldTunnels }));
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), closed]);
    await sleep(1500);
    const after = rss();
    child.stdin.end();
    await closed;
    return { kibPerTunnel: (after - before) / heldTunnels / 1024, idleMib };
  },
};

/** Pairs that speak HBONE: Envoy and sekisho with the same configuration, and node proxies of the ambient mesh. */
export const hboneScenarios: readonly Scenario[] = [
  pingPong(1),
  pingPong(64),
  bulk(1),
  bulk(8),
  connections,
  handshakes,
  memory,
];
