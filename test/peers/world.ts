import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Exchange } from './answer.ts';
import { Collector, type Collected } from '../collector.ts';
import { perform } from './client.ts';
import { freePorts, giveBack } from './ports.ts';
import { Proxy, type ProxyKind } from './proxy.ts';
import { filled, requestsOf, type Group, type Ports, type Row } from './row.ts';
import { FramesUpstream } from './frames-upstream.ts';
import { TcpUpstream, tcpBehaviours } from './tcp-upstream.ts';
import { certificateValues } from './tls/certificates.ts';
import { PeerSecrets } from './tls/secrets.ts';
import { Script, Upstream, type Seen } from './upstream.ts';

/** Everything that can be observed of one row on one proxy, not yet normalised. */
export interface Observation {
  readonly exchanges: readonly Exchange[];
  readonly seen: readonly Seen[];
  readonly log: readonly string[];
  /** What each counter grew by. */
  stats: ReadonlyMap<string, number>;
  readonly admin: { status: number; body: string } | null;
  /** What the collector got; absent: the group has none. */
  readonly collected?: readonly Collected[];
  /** The last active check of each origin; empty: the row does not ask. */
  readonly checks: ReadonlyMap<string, Seen>;
}

const httpUpstreams = ['one', 'two', 'three'];
/** `dead` refuses connections; `silent` never answers a SYN. */
const otherPorts = ['listen', 'listen2', 'admin', 'dead', 'silent', 'frames', 'sds', 'collector', 'collector_grpc'];

/** The longest wait for the stats that a row awaits. */
const awaitMs = 10_000;

/** The longest wait for a row's log lines, and for those that its end alone brings. */
const linesMs = 1500;
const lateLinesMs = 200;

/** The longest wait for what the collector is to get. */
const collectMs = 3000;

/** Gauges that are zero when nothing of a row is left. */
const lastingStats =
  /^(cluster\.(?!collector).*\.upstream|(http|listener|tcp)\.(?!admin\.).*downstream)_(cx|rq)_active$/;

/** The longest that a proxy may take to see that both sides have hung up. */
const settlingMs = 2000;

interface Inside {
  readonly group: Group;
  readonly script: Script;
  readonly proxy: Proxy;
  readonly secrets: PeerSecrets | null;
  readonly collector: Collector | null;
  readonly closers: (() => void)[];
}

/** One proxy with its own upstreams, ports and log: two of them can perform the same row at the same time. */
export class World {
  readonly kind: ProxyKind;
  readonly ports: Ports;
  readonly directory: string;
  private readonly group: Group;
  private readonly closers: (() => void)[];
  private readonly script: Script;
  private readonly proxy: Proxy;
  private readonly secrets: PeerSecrets | null;
  private readonly collector: Collector | null;
  private readonly logFile: string;
  private statsBefore: ReadonlyMap<string, number> = new Map();
  private logOffset = 0;
  /** Of the running row. Those that it does not log may come when what it leaves is ended. */
  private linesExpected = 0;

  private constructor(parts: Pick<World, 'kind' | 'ports' | 'directory'> & Inside) {
    this.kind = parts.kind;
    this.group = parts.group;
    this.ports = parts.ports;
    this.directory = parts.directory;
    this.script = parts.script;
    this.proxy = parts.proxy;
    this.secrets = parts.secrets;
    this.collector = parts.collector;
    this.closers = parts.closers;
    this.logFile = join(parts.directory, 'access.log');
  }

  static async open(kind: ProxyKind, group: Group): Promise<World> {
    const script = new Script();
    const origins = group.origins ?? {};
    const names = [...otherPorts, ...httpUpstreams, ...Object.keys(tcpBehaviours), ...Object.keys(origins)];
    const numbers = await freePorts(names.length);
    const ports = Object.fromEntries(names.map((name, index) => [name, numbers[index]]));
    const closers: (() => void)[] = [];
    const directory = mkdtempSync(join(tmpdir(), `sekisho-peers-${kind.name}-`));
    closers.push(
      () => rmSync(directory, { recursive: true, force: true }),
      () => giveBack(numbers),
    );
    try {
      await openUpstreams(ports, script, group, closers);
      const secrets = group.secrets === undefined ? null : await PeerSecrets.open(ports.sds, group.secrets);
      closers.push(() => secrets?.close());
      const collector = await openCollector(ports, group, closers);
      const file = join(directory, 'envoy.yaml');
      for (const [name, text] of Object.entries({ ...group.files, 'envoy.yaml': group.config })) {
        const values = { ...ports, ...(await certificateValues(text)), log: join(directory, 'access.log'), directory };
        writeFileSync(join(directory, name), filled(text, values));
      }
      const proxy = await Proxy.start(kind, file, ports.admin, group.flags ?? []);
      return new World({ kind, group, ports, directory, script, proxy, secrets, collector, closers });
    } catch (error) {
      for (const close of closers) close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.proxy.stop();
    for (const close of this.closers) close();
  }

  get pid(): number {
    return this.proxy.pid;
  }

  lastWords(): string {
    return this.proxy.hasEnded ? this.proxy.output().slice(-1500) : '';
  }

  async observe(row: Row): Promise<Observation> {
    this.script.begin(row.upstream ?? []);
    this.statsBefore = await this.settledStats();
    this.logOffset = this.readLog().length;
    if (row.secrets !== undefined) await this.secrets!.bring(row.secrets);
    if (row.health !== undefined) this.script.health = row.health;
    if (row.files !== undefined) this.putFiles(row.files);
    for (const path of row.posts ?? []) await this.proxy.admin(path, 'POST');
    if (row.awaits !== undefined) await this.awaitStats(row.awaits);
    const checks: Observation['checks'] = row.seesChecks === true ? new Map(this.script.checks) : new Map();
    if (row.admin !== undefined) {
      const log = row.logLines === undefined ? [] : await this.logLines(row);
      const admin = await this.proxy.admin(row.admin, row.adminMethod);
      return { exchanges: [], seen: [], log, stats: new Map(), admin, checks };
    }
    const tls = row.tls === undefined ? (this.group.tls ?? null) : row.tls;
    this.collector?.received.splice(0);
    const exchanges = await perform({ ...row, tls }, this.ports);
    const log = await this.logLines(row);
    const collected = await this.gathered(row.collects ?? 0);
    this.script.end();
    return {
      exchanges,
      seen: this.script.seen,
      log,
      stats: await this.statsDelta(),
      admin: null,
      checks,
      ...collected,
    };
  }

  /** What the collector has got, when it is as much as expected or the time is up. */
  private async gathered(expected: number): Promise<Pick<Observation, 'collected'>> {
    const { collector } = this;
    if (collector === null) return {};
    const until = performance.now() + collectMs;
    while (collector.received.length < expected && performance.now() < until) await sleep(5);
    return { collected: [...collector.received] };
  }

  private putFiles(files: NonNullable<Row['files']>): void {
    for (const [name, text] of Object.entries(files)) {
      const fresh = join(this.directory, `${name}.fresh`);
      writeFileSync(fresh, filled(text, { ...this.ports, log: this.logFile, directory: this.directory }));
      renameSync(fresh, join(this.directory, name));
    }
  }

  /** The counters, once the proxy has done with the row before, whose connections are closed on both sides. */
  private async settledStats(): Promise<ReadonlyMap<string, number>> {
    const until = performance.now() + settlingMs;
    const isBusy = ([name, value]: [string, number]) => value > 0 && lastingStats.test(name);
    let stats = await this.proxy.stats();
    while ([...stats].some(isBusy) && performance.now() < until) {
      await sleep(5);
      stats = await this.proxy.stats();
    }
    await this.newLines(this.linesExpected, lateLinesMs);
    this.linesExpected = 0;
    return stats;
  }

  private async awaitStats(wanted: NonNullable<Row['awaits']>): Promise<void> {
    const until = performance.now() + awaitMs;
    const isThere = (stats: ReadonlyMap<string, number>, name: string, value: number | string): boolean => {
      const now = stats.get(name) ?? 0;
      return typeof value === 'number' ? now === value : now - (this.statsBefore.get(name) ?? 0) >= Number(value);
    };
    for (;;) {
      const stats = await this.proxy.stats();
      const missing = Object.entries(wanted).find(([name, value]) => !isThere(stats, name, value));
      if (missing === undefined) return;
      if (performance.now() > until)
        throw new Error(`${this.kind.name}: ${missing.join(' is not ')}, but ${stats.get(missing[0])}`);
      await sleep(5);
    }
  }

  /** What the counters grew by since the row began. */
  async statsDelta(): Promise<ReadonlyMap<string, number>> {
    const delta = new Map<string, number>();
    for (const [name, value] of await this.proxy.stats()) {
      const grown = value - (this.statsBefore.get(name) ?? 0);
      if (grown !== 0) delta.set(name, grown);
    }
    return delta;
  }

  private logLines(row: Row): Promise<string[]> {
    const isRaw = row.raw !== undefined || row.frames !== undefined;
    const requests = isRaw ? (row.answers ?? 1) : requestsOf(row).length;
    const tls = row.tls === undefined ? this.group.tls : row.tls;
    this.linesExpected = (row.logLines ?? requests) + (tls?.resumes === true ? 1 : 0);
    return this.newLines(this.linesExpected, linesMs);
  }

  /** What has been logged since the row began, when it is as much as expected or the time is up. */
  private async newLines(expected: number, waitMs: number): Promise<string[]> {
    const until = performance.now() + waitMs;
    for (;;) {
      const written = this.readLog().slice(this.logOffset);
      // A long line may be there in part only.
      const lines = written
        .slice(0, written.lastIndexOf('\n') + 1)
        .split('\n')
        .filter(Boolean);
      if (lines.length >= expected || performance.now() > until) return lines;
      await sleep(10);
    }
  }

  private readLog(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }
}

async function openCollector(ports: Ports, group: Group, closers: (() => void)[]): Promise<Collector | null> {
  if (!group.config.includes('{{collector')) return null;
  const { collector } = await Collector.open(ports.collector, ports.collector_grpc);
  closers.push(() => collector.close());
  return collector;
}

async function openUpstreams(ports: Ports, script: Script, group: Group, closers: (() => void)[]): Promise<void> {
  for (const name of httpUpstreams) {
    const upstream = new Upstream(name, script);
    await upstream.listen(ports[name]);
    closers.push(() => upstream.close());
  }
  for (const [name, tls] of Object.entries(group.origins ?? {})) {
    const upstream = new Upstream(name, script);
    await upstream.listen(ports[name], tls);
    closers.push(() => upstream.close());
  }
  if (group.config.includes('{{frames}}')) {
    const upstream = new FramesUpstream('frames', script);
    await upstream.listen(ports.frames);
    closers.push(() => upstream.close());
  }
  for (const [name, behaviour] of Object.entries(tcpBehaviours)) {
    if (!group.config.includes(`{{${name}}}`)) continue;
    const upstream = new TcpUpstream(behaviour);
    await upstream.listen(ports[name]);
    closers.push(() => upstream.close());
  }
  if (group.config.includes('{{silent}}')) closers.push(await openSilent(ports.silent));
}

/** Fills the accept queue of a port that never accepts. */
async function openSilent(port: number): Promise<() => void> {
  const worker = new Worker(new URL('silent.worker.ts', import.meta.url), { workerData: { port } });
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.once('message', () => resolve());
  await promise;
  const fillers: Socket[] = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await sleep(100);
  return () => {
    for (const socket of fillers) socket.destroy();
    void worker.terminate();
  };
}
