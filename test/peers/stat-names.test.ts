import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from './binaries.ts';
import { freePorts } from './ports.ts';
import { envoy, Proxy, sekisho, type ProxyKind } from './proxy.ts';
import { absentNames, usedOnlyDifferences } from './stat-names.table.ts';

/** Histograms show what they have when it is flushed. */
const flushMs = 100;

const reason = envoy.unavailable() ?? sekisho.unavailable();
if (reason !== null) console.log(`peers ${reason}`);

const tcpListener = {
  name: 'tcp',
  address: { socket_address: { address: '127.0.0.1', port_value: 10099 } },
  filter_chains: [
    {
      filters: [
        {
          name: 'tcp',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
            stat_prefix: 'tcp',
            cluster: 'ratings',
          },
        },
      ],
    },
  ],
};

/** The canary and a TCP listener, every port another. */
async function configuration(): Promise<{ text: string; ports: ReadonlyMap<number, number> }> {
  const canary = load(readFileSync(join(repository, 'config/canary.yaml'), 'utf8')) as {
    static_resources: { listeners: unknown[] };
  };
  canary.static_resources.listeners.push(tcpListener);
  Object.assign(canary, { stats_flush_interval: `${flushMs / 1000}s` });
  const text = dump(canary);
  const configured = [...new Set([...text.matchAll(/port_value: (\d+)/g)].map(([, port]) => Number(port)))];
  const free = await freePorts(configured.length);
  const ports = new Map(configured.map((port, i) => [port, free[i]]));
  return { text: text.replaceAll(/port_value: (\d+)/g, (_, port) => `port_value: ${ports.get(Number(port))}`), ports };
}

/** Names as one proxy lists them, ports as they are configured. */
class Lister {
  private readonly proxy: Proxy;
  private readonly ports: ReadonlyMap<number, number>;
  private readonly directory: string;

  private constructor(proxy: Proxy, ports: ReadonlyMap<number, number>, directory: string) {
    this.proxy = proxy;
    this.ports = ports;
    this.directory = directory;
  }

  static async start(kind: ProxyKind): Promise<Lister> {
    const { text, ports } = await configuration();
    const directory = mkdtempSync(join(tmpdir(), `sekisho-names-${kind.name}-`));
    const file = join(directory, 'envoy.yaml');
    writeFileSync(file, text);
    const proxy = await Proxy.start(kind, file, ports.get(9901)!, []);
    return new Lister(proxy, ports, directory);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Of `/stats`. */
  async names(query = ''): Promise<Set<string>> {
    const { body } = await this.proxy.admin(`/stats${query}`);
    const lines = this.normalised(body).split('\n').filter(Boolean);
    return new Set(lines.map((line) => line.slice(0, line.indexOf(': ') < 0 ? undefined : line.indexOf(': '))));
  }

  /** Of `/stats/prometheus`: names with their labels. */
  async samples(): Promise<Set<string>> {
    const { body } = await this.proxy.admin('/stats/prometheus');
    const lines = this.normalised(body)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')).replace(/\{\}$/, '')));
  }

  /** Everything that the canary's comments name, and a connection over TCP. */
  async use(): Promise<void> {
    const gateway = this.ports.get(10000)!;
    // Both halves of the split, whatever chance says.
    for (let i = 0; i < 40; i++) await get(gateway, '/reviews/0');
    await get(gateway, '/reviews/0', { 'end-user': 'jason' });
    await get(gateway, '/');
    await get(gateway, '/ratings/0');
    await get(gateway, '/ratings/0', { 'x-envoy-fault-delay-request': '10' });
    await get(gateway, '/ratings/0', { 'x-envoy-fault-abort-request': '503' });
    await get(this.ports.get(10099)!, '/');
    await sleep(flushMs * 4);
  }

  private normalised(text: string): string {
    let result = text;
    for (const [configured, actual] of this.ports)
      result = result.replaceAll(new RegExp(`_${actual}\\b`, 'g'), `_${configured}`);
    return result;
  }
}

async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = { port, path, headers: { ...headers, connection: 'close' }, host: '127.0.0.1' };
  ask(options, (response) => response.resume().on('end', resolve))
    .on('error', reject)
    .end();
  await promise;
}

function without(
  names: Iterable<string>,
  others: ReadonlySet<string>,
  known: Readonly<Record<string, RegExp>>,
): string[] {
  const patterns = Object.values(known);
  return [...names].filter((name) => !others.has(name) && !patterns.some((pattern) => pattern.test(name))).sort();
}

describe.skipIf(reason !== null)('names of stats', () => {
  let theirs: Lister;
  let ours: Lister;

  beforeAll(async () => {
    [theirs, ours] = await Promise.all([Lister.start(envoy), Lister.start(sekisho)]);
  });

  afterAll(async () => {
    await Promise.all([theirs?.stop(), ours?.stop()]);
  });

  async function compare(query: string, known: Readonly<Record<string, RegExp>>): Promise<void> {
    const [left, right] = [await theirs.names(query), await ours.names(query)];
    const absent = [...left].filter((name) => !right.has(name));
    console.log(
      `/stats${query}: Envoy ${left.size} names, sekisho ${right.size}; ${absent.length} of features that are refused`,
    );
    expect(without(left, right, known), 'Envoy has them').toEqual([]);
    expect(without(right, left, known), 'Envoy does not have them').toEqual([]);
  }

  test('before anything has happened', async () => {
    await sleep(flushMs * 4);
    await compare('', absentNames);
    await compare('?usedonly', { ...absentNames, ...usedOnlyDifferences });
  });

  test('after use', async () => {
    await Promise.all([theirs.use(), ours.use()]);
    await compare('', absentNames);
    await compare('?usedonly', { ...absentNames, ...usedOnlyDifferences });
  });

  test('with their labels, for Prometheus', async () => {
    const [left, right] = [await theirs.samples(), await ours.samples()];
    const labelled = Object.fromEntries(
      Object.entries(absentNames).map(([feature, { source }]) => [
        feature,
        new RegExp(source.replaceAll(/\\\.|\^(?!\()/g, '_?').replaceAll('$', '(_bucket|_sum|_count)?(\\{|$)')),
      ]),
    );
    expect(without(right, left, {}), 'Envoy does not have them').toEqual([]);
    const missing = without(left, right, labelled);
    const isOfAdmin = (name: string): boolean => /="(admin|async-client)"|_listener_admin_/.test(name);
    expect(
      missing.filter((name) => !isOfAdmin(name)),
      'Envoy has them',
    ).toEqual([]);
  });

  test('every exception is one', async () => {
    const [left, right] = [await theirs.names(), await ours.names()];
    const absent = [...left].filter((name) => !right.has(name));
    const idle = Object.entries(absentNames).filter(([, pattern]) => !absent.some((name) => pattern.test(name)));
    expect(
      idle.map(([feature]) => feature),
      'no name is missing for these',
    ).toEqual([]);
  });
});
