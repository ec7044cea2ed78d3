import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { autocannon } from './load/autocannon.ts';
import { h2load, type H2Load } from './load/h2load.ts';
import type { OpenLoopResult } from './load/open-loop.ts';
import { wrk, type WrkLoad } from './load/wrk.ts';
import { Core, pinned, run, type CpuTime } from './process.ts';
import type { Metric, OwnScenario, Running, Sample, Scale, Scenario, SharedScenario } from './scenario.ts';
import { browserHeaders, realistic } from './targets/workload.ts';

export const cpu: Metric = { key: 'cpuUs', title: 'CPU µs/req', digits: 1, hasRatio: true };
export const user: Metric = { key: 'userUs', title: 'user µs', digits: 1 };
export const rate: Metric = { key: 'rate', title: 'req/s', digits: 0, isHigherBetter: true };
const mean: Metric = { key: 'meanMs', title: 'mean ms', digits: 2 };
export const p50: Metric = { key: 'p50Ms', title: 'p50 ms', digits: 2 };
export const p99: Metric = { key: 'p99Ms', title: 'p99 ms', digits: 2 };
const p999: Metric = { key: 'p999Ms', title: 'p99.9 ms', digits: 2 };
export const lag: Metric = { key: 'sendLagP99Ms', title: 'client lag p99', digits: 2 };

interface Counted {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
}

/** Runs a load and divides the proxy's CPU time by the requests it answered. */
export async function perRequest<Result extends Counted>(
  running: Running,
  load: () => Promise<Result>,
): Promise<Sample> {
  const before = cpuOf(running);
  const result = await load();
  const spent = since(before, cpuOf(running));
  if (result.requests === 0 || result.errors > result.requests / 100) {
    throw new Error(`${running.target.name}: ${result.errors} errors in ${result.requests} requests`);
  }
  const { requests, seconds, errors, ...latencies } = result;
  return {
    cpuUs: (spent.userUs + spent.systemUs) / requests,
    userUs: spent.userUs / requests,
    rate: requests / seconds,
    errors,
    ...(latencies as Record<string, number>),
  };
}

/** Of both, where there are two. */
export function cpuOf({ program, behind }: Running): CpuTime {
  const own = program.cpu();
  if (behind === null) return own;
  const other = behind.cpu();
  return { userUs: own.userUs + other.userUs, systemUs: own.systemUs + other.systemUs };
}

export function since(before: CpuTime, after: CpuTime): CpuTime {
  return { userUs: after.userUs - before.userUs, systemUs: after.systemUs - before.systemUs };
}

type WrkSettings = Omit<SharedScenario, 'kind' | 'metrics' | 'measure' | 'shape'> &
  Pick<WrkLoad, 'connections'> &
  Partial<WrkLoad> & { readonly shape?: SharedScenario['shape'] };

/** Three seconds at full load: a proxy that has run for a day has seen as many requests as that. */
const warmUp = ({ place: { listenPort: port, directory } }: Running): Promise<unknown> =>
  wrk({ port, directory, seconds: 3, connections: 64 });

export function wrkScenario(settings: WrkSettings): SharedScenario {
  const { name, summary, goal, isShort, shape, ...load } = settings;
  return {
    kind: 'shared',
    name,
    summary,
    shape: shape ?? 'plain',
    metrics: [cpu, user, rate, p50, p99],
    ...(goal === undefined ? {} : { goal }),
    ...(isShort === undefined ? {} : { isShort }),
    ...(load.connections === 1 ? { warmUp } : {}),
    measure: (running, { seconds }) => {
      const { listenPort: port, directory } = running.place;
      return perRequest(running, () => wrk({ port, directory, seconds, ...load }));
    },
  };
}

type H2Request = Omit<H2Load, 'port' | 'directory' | 'seconds'>;
type H2Settings = Pick<SharedScenario, 'name' | 'summary' | 'shape' | 'goal' | 'isShort'> & H2Request;

function h2Scenario(settings: H2Settings): SharedScenario {
  const { name, summary, shape, goal, isShort, ...requests } = settings;
  const { connections, streams, isTimed } = requests;
  const load = ({ place: { listenPort: port, directory } }: Running, seconds: number, more: Partial<H2Load> = {}) =>
    h2load({ port, directory, seconds, ...requests, ...more });
  return {
    name,
    summary,
    shape,
    kind: 'shared',
    metrics: isTimed ? [{ ...p99, hasRatio: true }, mean, cpu, rate] : [cpu, user, rate, mean],
    ...(goal === undefined ? {} : { goal }),
    ...(isShort === undefined ? {} : { isShort }),
    ...(connections * streams === 1 ? { warmUp: (running) => load(running, 3, { connections: 8, streams: 16 }) } : {}),
    measure: (running, { seconds }) => perRequest(running, () => load(running, seconds)),
  };
}

/** A gRPC message of 20 bytes. */
const grpcMessage = Uint8Array.of(0, 0, 0, 0, 20, ...Array<number>(20).fill(120));

/** Every virtual host and every route of the realistic configuration in turn, as a browser asks. `more`: Lua of each. */
export function realisticRequests(more = ''): string {
  const paths = [...realistic.prefixes.map((prefix) => `${prefix}items?page=2&sort=name`), '/api/other', '/healthz'];
  return `
  local n = 0
  for host = 0, ${realistic.hosts.length - 1} do
    for _, path in ipairs({ ${paths.map((path) => JSON.stringify(path)).join(', ')} }) do
      local headers = {}
      for name, value in pairs(wrk.headers) do headers[name] = value end
      headers["Host"] = "service-" .. host .. ".example.com"
      ${more}
      n = n + 1
      requests[(n * 389) % ${realistic.hosts.length * paths.length} + 1] = wrk.format("GET", path, headers, nil)
    end
  end`;
}

async function openLoop(running: Running, rate: number, seconds: number): Promise<Sample> {
  const load = JSON.stringify({ port: running.place.listenPort, rate, connections: 64, seconds });
  const script = new URL('load/open-loop.ts', import.meta.url).pathname;
  return perRequest(running, async () => {
    return JSON.parse(await run(Core.Load, [process.execPath, script, load])) as OpenLoopResult;
  });
}

const openLoop5000: SharedScenario = {
  kind: 'shared',
  name: 'open-loop-5000',
  summary: 'a constant 5 000 requests a second over 64 connections, latency from the moment each was due',
  shape: 'plain',
  metrics: [cpu, user, rate, p50, { ...p99, hasRatio: true }, p999, lag],
  goal: 0.65,
  warmUp,
  measure: (running, { seconds }) => openLoop(running, 5000, seconds),
};

const openLoopHalf: SharedScenario = {
  kind: 'shared',
  name: 'open-loop-half',
  summary: "a constant rate of half of Envoy's maximum in the small scenario",
  shape: 'plain',
  metrics: [{ ...p99, hasRatio: true }, p50, p999, cpu, rate, lag],
  goal: 1,
  warmUp,
  measure: (running, { seconds, envoyRate }: Scale) =>
    openLoop(running, Math.round((envoyRate ?? 12_000) / 2), seconds),
};

const viaAutocannon: SharedScenario = {
  kind: 'shared',
  name: 'autocannon',
  summary: 'small responses to autocannon with 64 connections',
  shape: 'plain',
  metrics: [cpu, user, rate, p50, p99],
  measure: (running, { seconds }) =>
    perRequest(running, () => autocannon(running.place.listenPort, 64, Math.max(2, seconds))),
};

const idleConnections = 5000;

const idle: OwnScenario = {
  kind: 'own',
  name: 'idle',
  waitsForStart: true,
  summary: `${idleConnections} keep-alive connections, one request each, then nothing`,
  shape: 'plain',
  metrics: [
    { key: 'kibPerConnection', title: 'KiB/connection', digits: 1, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 1 },
  ],
  measure: async (start) => {
    const running = await start(1);
    await wrk({ port: running.place.listenPort, connections: 64, seconds: 2, directory: running.place.directory });
    await sleep(1000);
    const before = running.program.rss();
    const script = new URL('load/idle.ts', import.meta.url).pathname;
    const argv = [process.execPath, script, String(running.place.listenPort), String(idleConnections)];
    const [command, ...args] = pinned(Core.Load, argv);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), closed]);
    await sleep(1500);
    const after = running.program.rss();
    child.stdin.end();
    await closed;
    return { kibPerConnection: (after - before) / idleConnections / 1024, rssMib: after / 2 ** 20 };
  },
};

const h2Connections = 1000;
const h2Streams = 1000;

const h2Memory: OwnScenario = {
  kind: 'own',
  name: 'h2-memory',
  summary: `${h2Connections} idle HTTP/2 connections, then ${h2Streams} streams of one that wait for their answers`,
  shape: 'h2-h2',
  metrics: [
    { key: 'kibPerConnection', title: 'KiB/connection', digits: 1, hasRatio: true },
    { key: 'kibPerStream', title: 'KiB/stream', digits: 1, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 1 },
  ],
  measure: async (start) => {
    const running = await start(1);
    const { listenPort: port, directory } = running.place;
    await h2load({ port, directory, connections: 8, streams: 100, seconds: 2 });
    const growth = async (what: 'connections' | 'streams', count: number): Promise<number> => {
      await sleep(1000);
      const before = running.program.rss();
      return (await held(what, port, count, () => running.program.rss() - before)) / count / 1024;
    };
    const kibPerConnection = await growth('connections', h2Connections);
    const kibPerStream = await growth('streams', h2Streams);
    return { kibPerConnection, kibPerStream, rssMib: running.program.rss() / 2 ** 20 };
  },
};

/** What `measured` says while a client of its own process holds so many. */
async function held(what: string, port: number, count: number, measured: () => number): Promise<number> {
  const script = new URL('load/h2-idle.ts', import.meta.url).pathname;
  const [command, ...args] = pinned(Core.Load, [process.execPath, script, what, String(port), String(count)]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), closed]);
  await sleep(1500);
  const result = measured();
  child.stdin.end();
  await closed;
  return result;
}

const startUp: OwnScenario = {
  kind: 'own',
  name: 'start',
  summary: 'from exec to the first answered request, and the memory then',
  shape: 'plain',
  isShort: true,
  metrics: [
    { key: 'readyMs', title: 'ready ms', digits: 0, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 1, hasRatio: true },
    { key: 'rssPerWorkerMib', title: 'per worker more', digits: 1 },
  ],
  measure: async (start) => {
    const one = await start(1);
    const readyMs = await firstAnswer(one);
    await sleep(500);
    const rss = one.program.rss();
    await one.program.stop();
    const five = await start(5);
    await firstAnswer(five);
    await sleep(500);
    const rssPerWorkerMib = (five.program.rss() - rss) / 4 / 2 ** 20;
    return { readyMs, rssMib: rss / 2 ** 20, rssPerWorkerMib };
  },
};

const largeConfiguration: OwnScenario = {
  kind: 'own',
  name: 'large',
  summary: '2 000 clusters with 5 endpoints each and 10 000 routes: time to ready, memory, request cost',
  shape: 'large',
  metrics: [
    { key: 'readyMs', title: 'ready ms', digits: 0, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 1, hasRatio: true },
    cpu,
    user,
    rate,
  ],
  measure: async (start, { seconds }) => {
    const running = await start(1);
    const { listenPort: port, directory } = running.place;
    const headers = { Host: 'service-1777.example.com' };
    const readyMs = await firstAnswer(running, headers.Host);
    await sleep(500);
    const rssMib = running.program.rss() / 2 ** 20;
    const load = { port, directory, connections: 64, headers, path: '/api/v1/resource-3/items' };
    await wrk({ ...load, seconds: 2 });
    return { readyMs, rssMib, ...(await perRequest(running, () => wrk({ ...load, seconds }))) };
  },
};

/** Milliseconds from exec until a request has been answered with 200. */
export async function firstAnswer(running: Running, host = 'bench.example.com', path = '/'): Promise<number> {
  while (performance.now() - running.program.startedAt < 60_000) {
    if (await answers(running.place.listenPort, host, path)) return performance.now() - running.program.startedAt;
    await sleep(2);
  }
  throw new Error(`${running.target.name} never answered`);
}

function answers(port: number, host: string, path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`));
  socket.once('data', (chunk) => resolve(chunk.toString('latin1').startsWith('HTTP/1.1 200')));
  socket.once('error', () => resolve(false));
  socket.once('close', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

export const scenarios: readonly Scenario[] = [
  wrkScenario({
    name: 'small',
    summary: '100-byte responses, 64 connections',
    connections: 64,
    goal: 0.42,
    isShort: true,
  }),
  wrkScenario({
    name: 'realistic',
    summary: '50 virtual hosts × 20 routes, header changes, JSON access log, request ids, retries, limits',
    shape: 'realistic',
    connections: 64,
    headers: browserHeaders,
    requestsLua: realisticRequests(),
    goal: 0.42,
    isShort: true,
  }),
  wrkScenario({
    name: 'realistic-traffic',
    summary:
      'realistic with traffic management switched on: hashes, subsets, slow start, health checks, outlier detection, ' +
      'retry budgets, fault at 0 %, rate limit, cors, csrf, metadata from headers',
    shape: 'realistic-traffic',
    connections: 64,
    headers: browserHeaders,
    requestsLua: realisticRequests(),
    goal: 0.45,
  }),
  wrkScenario({
    name: 'traced-zipkin',
    summary: 'small with a tracer that samples one request in a hundred: B3',
    shape: 'traced-zipkin',
    connections: 64,
  }),
  wrkScenario({
    name: 'traced-opentelemetry',
    summary: "small with a tracer that samples one request in a hundred: W3C's fields",
    shape: 'traced-opentelemetry',
    connections: 64,
  }),
  wrkScenario({ name: 'connections-512', summary: 'small with 512 connections', connections: 512, goal: 0.42 }),
  wrkScenario({ name: 'connections-1', summary: 'small with 1 connection', connections: 1, goal: 0.65, isShort: true }),
  openLoop5000,
  openLoopHalf,
  wrkScenario({ name: 'response-64k', summary: '64 KiB responses', connections: 64, path: '/64k', goal: 0.65 }),
  wrkScenario({ name: 'response-1m', summary: '1 MiB responses', connections: 16, path: '/1m', goal: 1.1 }),
  wrkScenario({ name: 'post-64k', summary: '64 KiB POST', connections: 64, postBytes: 65536, goal: 0.65 }),
  wrkScenario({
    name: 'churn',
    summary: 'a new connection for every request',
    connections: 64,
    headers: { Connection: 'close' },
    goal: 0.75,
  }),
  h2Scenario({
    name: 'h2c-h1',
    summary: '100-byte responses over HTTP/2, 8 connections with 16 streams, the upstream speaks HTTP/1.1',
    shape: 'h2',
    connections: 8,
    streams: 16,
    goal: 0.42,
    isShort: true,
  }),
  h2Scenario({
    name: 'h2c-h2c',
    summary: '100-byte responses over HTTP/2 on both sides, 8 connections with 16 streams',
    shape: 'h2-h2',
    connections: 8,
    streams: 16,
    goal: 0.36,
    isShort: true,
  }),
  h2Scenario({
    name: 'h2-single',
    summary: 'the same with 1 connection and 1 stream',
    shape: 'h2-h2',
    connections: 1,
    streams: 1,
    goal: 0.75,
  }),
  h2Scenario({
    name: 'h2-100',
    summary: '100-byte responses over HTTP/2 on both sides, 1 connection with 100 streams',
    shape: 'h2-h2',
    connections: 1,
    streams: 100,
    isTimed: true,
    goal: 1,
  }),
  h2Scenario({
    name: 'h2-1m',
    summary: '1 MiB responses over HTTP/2 on both sides, 4 connections with 4 streams',
    shape: 'h2-h2',
    connections: 4,
    streams: 4,
    path: '/1m',
    goal: 1,
  }),
  h2Scenario({
    name: 'grpc-unary',
    summary: 'a gRPC message each way, 8 connections with 16 streams',
    shape: 'h2-h2',
    connections: 8,
    streams: 16,
    path: '/bench.Service/Unary',
    headers: ['content-type: application/grpc', 'te: trailers', 'grpc-accept-encoding: gzip', 'grpc-timeout: 20S'],
    body: grpcMessage,
    goal: 0.4,
    isShort: true,
  }),
  wrkScenario({
    name: 'tcp-bulk',
    summary: 'tcp_proxy, 1 MiB at a time',
    shape: 'tcp',
    connections: 16,
    path: '/1m',
    goal: 1.1,
  }),
  wrkScenario({
    name: 'tcp-ping-pong',
    summary: 'tcp_proxy, small requests and answers on 64 connections',
    shape: 'tcp',
    connections: 64,
    goal: 0.9,
    isShort: true,
  }),
  viaAutocannon,
  idle,
  h2Memory,
  startUp,
  largeConfiguration,
];
