import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HostData } from '../../../../src/cluster/cluster-data.ts';
import { ClusterChecker } from '../../../../src/cluster/health/checker.ts';
import { EventLines } from '../../../../src/cluster/health/event-lines.ts';
import type { HealthCheckData, ProbeData } from '../../../../src/cluster/health/health-check-data.ts';
import { HealthCell, HealthMemory } from '../../../../src/cluster/health/health-memory.ts';
import { HealthSlots } from '../../../../src/cluster/health/health-slots.ts';
import { WatchedHost } from '../../../../src/cluster/health/watched-host.ts';
import { healthFlagNames } from '../../../../src/cluster/host/host-health.ts';
import { hostKeys } from '../../../../src/cluster/host/host-key.ts';
import { RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { RawTransport } from '../../../../src/net/raw-transport.ts';
import { AccessLogFiles } from '../../../../src/observe/access-log/access-log-files.ts';
import { RuntimeValues } from '../../../../src/control/runtime-view.ts';
import { clusterData, hostData, runtimeOf } from '../cluster-fixture.ts';
import { MemoryNetwork, type MemoryConnection } from '../memory-network.ts';
import { RecordingStats } from '../recording-stats.ts';
import { checkData, httpProbe } from './health-fixture.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const unavailable = 'HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n';

class Subject {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly runtime = new RuntimeValues();
  readonly memory = new HealthMemory();
  readonly slots = new HealthSlots(this.memory);
  readonly folder = mkdtempSync(join(tmpdir(), 'sekisho-health-'));
  readonly files = new AccessLogFiles(3_600_000);
  readonly changes: string[] = [];
  readonly checker: ClusterChecker;
  isUsed = true;
  random = 0;
  private readonly cluster;
  private hosts: readonly HostData[] = [];

  constructor(check: Partial<HealthCheckData> = {}, list: readonly HostData[] = [hostData('10.0.0.1')]) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    const { network, stats, runtime } = this;
    const { clock, timers } = network;
    const healthCheck = checkData(check);
    this.cluster = clusterData({ healthCheck });
    this.checker = new ClusterChecker(this.cluster, healthCheck, {
      clock,
      timers,
      random: () => this.random,
      runtime,
      scope: stats.scope('cluster').scope('c'),
      lines: new EventLines([this.files.open(join(this.folder, 'events'))], clock),
      words: {
        headers: () => (head) => head.headers.add('x-added', '1'),
        string: (wanted) => (text) => text === wanted,
      },
      transports: [new RawTransport(network)],
      isUsed: () => this.isUsed,
      onResult: () => {},
    });
    this.update(list);
  }

  update(list: readonly HostData[]): void {
    this.hosts = this.slots.place(this.cluster, list);
    const keys = hostKeys(this.hosts);
    const changed = (name: string): void => void this.changes.push(name);
    this.checker.update(this.hosts.map((host, i) => new WatchedHost('c', keys[i], host, this.memory, changed)));
  }

  /** Of the host with this index. */
  flags(index = 0): string[] {
    return healthFlagNames(this.memory.load(this.hosts[index].healthSlot!, HealthCell.Flags));
  }

  /** The last dial succeeds. */
  connect(): MemoryConnection {
    return this.network.dials.at(-1)!.succeed();
  }

  get counts(): Readonly<Record<string, number>> {
    const none = { failure: 0, network_failure: 0, healthy: 0, degraded: 0 };
    return { ...none, ...this.stats.read('cluster.c.health_check.') };
  }

  async events(): Promise<Record<string, unknown>[]> {
    await this.files.close();
    const lines = readFileSync(join(this.folder, 'events'), 'utf8').trim().split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

describe('a check over HTTP', () => {
  it('asks at once, and the first success is enough', async () => {
    const subject = new Subject({ healthyThreshold: 5 });
    expect(subject.flags()).toEqual(['failed_active_hc']);
    let isWarm = false;
    void subject.checker.whenWarm().then(() => (isWarm = true));
    const connection = subject.connect();
    expect(connection.take()).toBe('GET /healthz HTTP/1.1\r\nhost: c\r\nuser-agent: Envoy/HC\r\nx-added: 1\r\n\r\n');
    await Promise.resolve();
    expect(isWarm).toBe(false);
    connection.receive(ok);
    await Promise.resolve();
    expect(isWarm).toBe(true);
    expect(subject.flags()).toEqual([]);
    expect(subject.changes).toEqual(['c']);
    expect(subject.counts).toMatchObject({ attempt: 1, success: 1, failure: 0, healthy: 1 });
    expect(await subject.events()).toMatchObject([
      { health_checker_type: 'HTTP', cluster_name: 'c', add_healthy_event: { first_check: true } },
    ]);
  });

  it('asks again over the same connection, and fails at once by status', async () => {
    const subject = new Subject();
    const connection = subject.connect();
    connection.receive(ok);
    connection.take();
    subject.network.advance(1000);
    expect(connection.take()).toContain('GET /healthz');
    connection.receive(unavailable);
    expect(subject.flags()).toEqual(['failed_active_hc']);
    expect(subject.counts).toMatchObject({ attempt: 2, failure: 1, network_failure: 0, healthy: 0 });
    expect(await subject.events()).toMatchObject([
      {},
      { eject_unhealthy_event: { failure_type: 'ACTIVE', http_status_code: 503 } },
    ]);
  });

  it('needs as many successes to come back as it is told', () => {
    const subject = new Subject({ healthyThreshold: 2 });
    const connection = subject.connect();
    connection.receive(unavailable);
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual(['failed_active_hc']);
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual([]);
  });

  it('fails by the network only as often as it is told', () => {
    const subject = new Subject({ unhealthyThreshold: 2 });
    subject.connect().receive(ok);
    subject.network.advance(1000);
    subject.network.advance(500);
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    subject.network.dials.at(-1)!.fail(RemoteConnectionFailure);
    expect(subject.flags()).toEqual(['failed_active_hc']);
    subject.network.advance(1000);
    subject.connect();
    subject.network.advance(500);
    expect(subject.flags()).toEqual(['failed_active_hc', 'active_hc_timeout']);
    expect(subject.counts).toMatchObject({ failure: 3, network_failure: 3 });
  });

  it('takes a status that may be tried again as often', () => {
    const subject = new Subject({
      unhealthyThreshold: 2,
      probe: { ...httpProbe, retriable: [{ start: 503, end: 504 }] },
    });
    const connection = subject.connect();
    connection.receive(ok);
    subject.network.advance(1000);
    connection.receive(unavailable);
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    connection.receive(unavailable);
    expect(subject.flags()).toEqual(['failed_active_hc']);
  });

  it('hears that a host is degraded, and that it wants to be left out', async () => {
    const subject = new Subject();
    const connection = subject.connect();
    connection.receive('HTTP/1.1 200 OK\r\nx-envoy-degraded: 1\r\ncontent-length: 0\r\n\r\n');
    expect(subject.flags()).toEqual(['degraded_active_hc']);
    expect(subject.counts).toMatchObject({ healthy: 1, degraded: 1 });
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    connection.receive('HTTP/1.1 503 No\r\nx-envoy-immediate-health-check-fail: 1\r\ncontent-length: 0\r\n\r\n');
    expect(subject.flags()).toEqual(['failed_active_hc', 'excluded_via_immediate_hc_fail']);
    const names = (await subject.events()).map((event) => Object.keys(event).find((name) => /_event|_host/.test(name)));
    expect(names).toEqual([
      'add_healthy_event',
      'degraded_healthy_host',
      'no_longer_degraded_host',
      'eject_unhealthy_event',
    ]);
  });

  it('looks into as much of the body as it is told', () => {
    const probe: ProbeData = { ...httpProbe, receive: [Buffer.from('o'), Buffer.from('k')], responseBytesMax: 2 };
    const subject = new Subject({ probe });
    const connection = subject.connect();
    connection.receive(ok);
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    connection.receive('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnok');
    expect(subject.flags()).toEqual(['failed_active_hc']);
  });

  it('asks who answers, unless the runtime says that it need not', () => {
    const subject = new Subject({ probe: { ...httpProbe, serviceName: 'a' } });
    const connection = subject.connect();
    connection.receive('HTTP/1.1 200 OK\r\nx-envoy-upstream-healthchecked-cluster: a\r\ncontent-length: 0\r\n\r\n');
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual(['failed_active_hc']);
    expect(subject.counts['verify_cluster']).toBe(2);
    subject.runtime.update(runtimeOf({ 'health_check.verify_cluster': '0' }));
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual([]);
  });

  it('opens another connection where none is kept', () => {
    const subject = new Subject({ reusesConnection: false });
    const connection = subject.connect();
    connection.receive(ok);
    expect(connection.isOpen).toBe(false);
    subject.network.advance(1000);
    expect(subject.network.dials).toHaveLength(2);
  });

  it('fails by what somebody else was answered, until the next success', () => {
    const subject = new Subject();
    const connection = subject.connect();
    connection.receive(ok);
    subject.checker.failPassively('10.0.0.1:80');
    subject.checker.failPassively('none');
    expect(subject.flags()).toEqual(['failed_active_hc', 'excluded_via_immediate_hc_fail']);
    expect(subject.counts).toMatchObject({ passive_failure: 1, failure: 1 });
    subject.network.advance(1000);
    connection.receive(ok);
    expect(subject.flags()).toEqual([]);
  });
});

describe('a check over TCP', () => {
  const tcp: ProbeData = { kind: 'tcp', send: null, receive: [], proxyProtocol: null };

  it('is a connection, where nothing is expected', () => {
    const subject = new Subject({ probe: tcp });
    const connection = subject.connect();
    expect(connection.isOpen).toBe(false);
    expect(subject.flags()).toEqual([]);
  });

  it('says something and waits for something', () => {
    const send = Buffer.from('ping');
    const subject = new Subject({ probe: { ...tcp, send, receive: [Buffer.from('pong')], proxyProtocol: 1 } });
    const connection = subject.connect();
    expect(connection.take()).toBe('PROXY TCP4 127.0.0.1 10.0.0.1 1 80\r\nping');
    connection.receive('po');
    expect(subject.flags()).toEqual(['failed_active_hc']);
    connection.receive('ng');
    expect(subject.flags()).toEqual([]);
    subject.network.advance(1000);
    expect(connection.take()).toContain('ping');
    connection.close(RemoteConnectionFailure);
    expect(subject.flags()).toEqual(['failed_active_hc']);
  });
});

describe('intervals', () => {
  const delays = { intervalMs: 10, healthyEdgeMs: 20, unhealthyMs: 30, unhealthyEdgeMs: 40, noTrafficMs: 50 };

  it.each([
    [true, true, 0, 10],
    [true, true, 1, 20],
    [true, false, 0, 30],
    [true, false, 1, 40],
    [false, true, 0, 60],
    [false, true, 1, 50],
    [false, false, 2, 50],
  ] as const)('used %s, healthy %s, transition %i: %i ms', (isUsed, isHealthy, transition, delayMs) => {
    const subject = new Subject({ ...delays, noTrafficHealthyMs: 60 });
    subject.isUsed = isUsed;
    expect(subject.checker.interval(isHealthy, transition)).toBe(delayMs);
  });

  it('have jitter, and limits from the runtime', () => {
    const subject = new Subject({ intervalMs: 100, intervalJitterPercent: 50, intervalJitterMs: 10 });
    subject.random = 0.5;
    expect(subject.checker.interval(true, 0)).toBe(130);
    subject.runtime.update(runtimeOf({ 'health_check.max_interval': '120', 'health_check.min_interval': '90' }));
    expect(subject.checker.interval(true, 0)).toBe(120);
    subject.runtime.update(runtimeOf({ 'health_check.min_interval': '200' }));
    expect(subject.checker.interval(true, 0)).toBe(200);
  });

  it('begin later where they are told to', () => {
    const subject = new Subject({ initialJitterMs: 1 });
    expect(subject.network.dials).toEqual([]);
    subject.network.advance(1);
    expect(subject.network.dials).toHaveLength(1);
  });
});

describe('hosts', () => {
  it('are checked where they say, or not at all', () => {
    const address = { kind: 'ip', host: '10.0.0.9', port: 8080 } as const;
    const subject = new Subject({}, [
      hostData('10.0.0.1', { healthCheck: { address, hostname: 'checks.test', isDisabled: false } }),
      hostData('10.0.0.2', { healthCheck: { address: null, hostname: '', isDisabled: true } }),
    ]);
    expect(subject.flags(1)).toEqual([]);
    expect(subject.network.dials.map((dial) => dial.address)).toEqual([address]);
    expect(subject.connect().take()).toContain('host: checks.test');
  });

  it('that have gone are asked no more, and nobody waits for them', async () => {
    const subject = new Subject();
    const warm = subject.checker.whenWarm();
    const connection = subject.connect();
    subject.update([]);
    await warm;
    expect(connection.isOpen).toBe(false);
    expect(subject.counts).toMatchObject({ healthy: 0 });
    subject.network.advance(10_000);
    expect(subject.network.dials).toHaveLength(1);
  });
});
