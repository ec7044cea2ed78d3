import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StormResult } from './load/handshakes.ts';
import type { OpenLoopResult } from './load/open-loop.ts';
import { wrk } from './load/wrk.ts';
import { Core, pinned, run } from './process.ts';
import { cpu, lag, p50, p99, perRequest, rate, wrkScenario } from './scenarios.ts';
import type { OwnScenario, Running, Sample, Scenario, SharedScenario } from './scenario.ts';

const idleConnections = 2000;

const idle: OwnScenario = {
  kind: 'own',
  name: 'tls-idle',
  waitsForStart: true,
  summary: `${idleConnections} keep-alive connections over TLS, one request each, then nothing`,
  shape: 'tls',
  metrics: [
    { key: 'kibPerConnection', title: 'KiB/connection', digits: 1, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 1 },
  ],
  measure: async (start) => {
    const { program, place } = await start(1);
    const { listenPort: port, directory } = place;
    await wrk({ port, directory, connections: 64, seconds: 2, isSecure: true });
    await sleep(1000);
    const before = program.rss();
    const script = new URL('load/tls-idle.ts', import.meta.url).pathname;
    const argv = pinned(Core.Load, [process.execPath, script, String(port), String(idleConnections)]);
    const child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), closed]);
    await sleep(1500);
    const after = program.rss();
    child.stdin.end();
    await closed;
    return { kibPerConnection: (after - before) / idleConnections / 1024, rssMib: after / 2 ** 20 };
  },
};

/** 40 handshakes at once, ten times a second: about half of what the client's core can. */
const storm = { burst: 40, everyMs: 100 };
const steadyRate = 1000;

function script<Result>(name: string, load: object): Promise<Result> {
  const file = new URL(`load/${name}.ts`, import.meta.url).pathname;
  return run(Core.Load, [process.execPath, file, JSON.stringify(load)]).then((text) => JSON.parse(text) as Result);
}

async function besideStorm(running: Running, seconds: number): Promise<Sample> {
  const { listenPort: port } = running.place;
  let handshakes = 0;
  const sample = await perRequest(running, async () => {
    const steady = { port, rate: steadyRate, connections: 32, seconds, isSecure: true };
    const [result, stormy] = await Promise.all([
      script<OpenLoopResult>('open-loop', steady),
      script<StormResult>('handshakes', { port, seconds, ...storm }),
    ]);
    if (stormy.failures > 0) throw new Error(`${stormy.failures} of ${stormy.handshakes} handshakes failed`);
    handshakes = stormy.handshakes;
    return result;
  });
  return { ...sample, handshakeRate: handshakes / seconds };
}

const beside: SharedScenario = {
  kind: 'shared',
  name: 'tls-storm',
  summary: `${storm.burst} handshakes at once every ${storm.everyMs} ms beside ${steadyRate} requests a second`,
  shape: 'tls',
  metrics: [
    { ...p99, hasRatio: true },
    p50,
    { key: 'p999Ms', title: 'p99.9 ms', digits: 2 },
    cpu,
    { key: 'handshakeRate', title: 'handshakes/s', digits: 0 },
    lag,
    rate,
  ],
  goal: 1,
  warmUp: ({ place: { listenPort: port, directory } }) =>
    wrk({ port, directory, seconds: 3, connections: 64, isSecure: true }),
  measure: (running, { seconds }) => besideStorm(running, seconds),
};

/** TLS of P-256; TLS 1.3 with everybody. */
export const tlsScenarios: readonly Scenario[] = [
  wrkScenario({
    name: 'tls-h1',
    summary: '100-byte responses over TLS 1.3, 64 connections',
    shape: 'tls',
    connections: 64,
    isSecure: true,
    goal: 0.6,
    isShort: true,
  }),
  wrkScenario({
    name: 'mtls-pair-h1',
    summary: 'two sidecars that speak HTTP/1.1 with mTLS, CPU of both; 64 connections',
    shape: 'mtls-h1',
    connections: 64,
    goal: 0.5,
  }),
  wrkScenario({
    name: 'mtls-pair-h2',
    summary: 'two sidecars that speak HTTP/2 with mTLS, CPU of both; 64 connections',
    shape: 'mtls-h2',
    connections: 64,
    goal: 0.42,
    isShort: true,
  }),
  wrkScenario({
    name: 'tls-64k',
    summary: '64 KiB responses over TLS 1.3',
    shape: 'tls',
    connections: 64,
    path: '/64k',
    isSecure: true,
    goal: 0.9,
  }),
  wrkScenario({
    name: 'tls-churn',
    summary: 'a full handshake for every request',
    shape: 'tls',
    connections: 64,
    headers: { Connection: 'close' },
    isSecure: true,
    goal: 1.5,
  }),
  beside,
  idle,
];
