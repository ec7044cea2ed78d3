/** Validation before serving, reload while serving, log rotation, the end by the admin; with real sockets and clients. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from '../peers/ports.ts';
import { Proxy, sekisho } from '../peers/proxy.ts';

const reason = sekisho.unavailable();
let directory: string;
let file: string;
let listen: number;
let admin: number;
let proxy: Proxy | null;
let origin: Server;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sekisho-lifecycle-'));
  file = join(directory, 'envoy.yaml');
  [listen, admin] = (await freePorts(2)) as [number, number];
  proxy = null;
  origin = createServer((_, outgoing) => outgoing.end('from the origin'));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
});

afterEach(async () => {
  await proxy?.stop();
  origin.close();
  origin.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

function configuration(body: string): string {
  const { port } = origin.address() as AddressInfo;
  return `
admin: { address: { socket_address: { address: 127.0.0.1, port_value: ${admin} } } }
static_resources:
  listeners:
  - name: ingress
    address: { socket_address: { address: 127.0.0.1, port_value: ${listen} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: ${directory}/access.log
              log_format: { text_format_source: { inline_string: "%REQ(:PATH)%\\n" } }
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - name: all
              domains: ['*']
              routes:
              - { match: { path: /version }, direct_response: { status: 200, body: { inline_string: ${body} } } }
              - { match: { prefix: / }, route: { cluster: origin } }
  clusters:
  - name: origin
    connect_timeout: 5s
    load_assignment:
      cluster_name: origin
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } } }] }]
`;
}

async function start(flags: readonly string[] = []): Promise<Proxy> {
  writeFileSync(file, configuration('one'));
  proxy = await Proxy.start(sekisho, file, admin, flags);
  return proxy;
}

async function version(): Promise<string> {
  const response = await request(`http://127.0.0.1:${listen}/version`);
  return response.body.text();
}

async function run(args: readonly string[]): Promise<{ status: number | null; output: string; errors: string }> {
  const [command, ...rest] = [...sekisho.command(), ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: status as number | null, output, errors };
}

describe.skipIf(reason !== null)('before serving', () => {
  test('--mode validate says OK and leaves', async () => {
    writeFileSync(file, configuration('one'));
    const { status, output } = await run(['-c', file, '--mode', 'validate']);
    expect(output).toBe(`configuration '${file}' OK\n`);
    expect(status).toBe(0);
  });

  test('a broken file is refused with all of its problems, each with its place', async () => {
    const broken = configuration('one')
      .replace('stat_prefix: ingress', 'stat_prefx: ingress')
      .replace('cluster: origin }', 'cluster: orign }')
      .replace('connect_timeout: 5s', 'connect_timeout: 100ms');
    writeFileSync(file, broken);
    const { status, output, errors } = await run(['-c', file]);
    expect(status).toBe(1);
    const said = output + errors;
    for (const [field, word] of [
      ['stat_prefx: ingress', 'stat_prefix'],
      ['cluster: orign', 'orign'],
      ['connect_timeout: 100ms', '100ms'],
    ] as const) {
      const line = broken.split('\n').findIndex((text) => text.includes(field)) + 1;
      expect(said).toContain(`${file}:${line}:`);
      expect(said).toContain(word);
    }
  });

  test('check prints the same as JSON', async () => {
    writeFileSync(file, configuration('one').replace('stat_prefix', 'stat_prefx'));
    const { status, output } = await run(['check', '--format', 'json', file]);
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ files: [{ file, isRefused: true }] });
  });

  test('--version and --help', async () => {
    expect(await run(['--version'])).toMatchObject({ status: 0 });
    expect((await run(['--help'])).output).toContain('--drain-time-s');
  });
});

/** Requests without a pause over kept connections until it is stopped; counts what was not answered with 200. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  private isOver = false;
  private readonly agent = new Agent({ connections: 8 });
  private readonly workers: Promise<void>[];

  constructor() {
    this.workers = Array.from({ length: 8 }, () => this.work());
  }

  private async work(): Promise<void> {
    while (!this.isOver) {
      try {
        const response = await request(`http://127.0.0.1:${listen}/x`, { dispatcher: this.agent });
        const body = await response.body.text();
        if (response.statusCode === 200) this.answered++;
        else this.failures.push(`${response.statusCode} ${body}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.workers);
    await this.agent.destroy();
  }
}

describe.skipIf(reason !== null)('reload', () => {
  test('SIGHUP applies a changed file without a failed request', async () => {
    const running = await start();
    const load = new Load();
    for (const name of ['two', 'three', 'four']) {
      await sleep(200);
      writeFileSync(file, configuration(name));
      process.kill(running.pid, 'SIGHUP');
      await expect.poll(version, { timeout: 40_000 }).toBe(name);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(100);
  });

  test('a broken file leaves the old one serving', async () => {
    const running = await start();
    writeFileSync(file, configuration('two').replace('stat_prefix', 'stat_prefx'));
    process.kill(running.pid, 'SIGHUP');
    await expect.poll(() => running.output(), { timeout: 40_000 }).toContain('stat_prefx');
    expect(await version()).toBe('one');
    writeFileSync(file, configuration('three'));
    process.kill(running.pid, 'SIGHUP');
    await expect.poll(version, { timeout: 40_000 }).toBe('three');
  });

  test('--watch sees the file change', async () => {
    await start(['--watch']);
    writeFileSync(file, configuration('two'));
    await expect.poll(version, { timeout: 40_000 }).toBe('two');
  });
});

describe.skipIf(reason !== null)('the end', () => {
  test('/quitquitquit leaves', async () => {
    const running = await start();
    expect(await running.admin('/quitquitquit', 'POST')).toMatchObject({ status: 200, body: 'OK\n' });
    await expect.poll(() => running.hasEnded, { timeout: 40_000 }).toBe(true);
  });
});

describe.skipIf(reason !== null)('access log', () => {
  test('is opened anew on SIGUSR1', async () => {
    const running = await start();
    const log = join(directory, 'access.log');
    await version();
    await expect.poll(() => readFileSync(log, 'utf8')).toBe('/version\n');
    renameSync(log, `${log}.1`);
    process.kill(running.pid, 'SIGUSR1');
    await expect
      .poll(async () => {
        await version();
        return readFileSync(log, 'utf8');
      })
      .toContain('/version\n');
  });
});
