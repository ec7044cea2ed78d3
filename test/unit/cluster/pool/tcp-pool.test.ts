import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import type { ConnectionWaiter, Host } from '../../../../src/cluster/cluster.ts';
import { HostStat } from '../../../../src/cluster/host/host-counters.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ClosedByPeer, ClosedLocally, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { HealthCell } from '../../../../src/cluster/health/health-memory.ts';
import { HealthFlag } from '../../../../src/cluster/host/host-health.ts';
import { anyHost, breaker, hostData, World } from '../cluster-fixture.ts';
import { shedding } from './shedding.ts';

class Waiter implements ConnectionWaiter, ConnectionSink {
  readonly log: string[] = [];
  connection: Connection | null = null;

  onConnected(connection: Connection): void {
    this.log.push('connected');
    this.connection = connection;
    connection.attach(this);
  }

  onConnectFailure(failure: Failure, host: Host | null): void {
    this.log.push(`${failure.kind.name} ${host === null ? '-' : host.addressText}`);
  }

  onBytes(chunk: Uint8Array): void {
    this.log.push(Buffer.from(chunk).toString());
  }

  onDrain(): void {
    this.log.push('drain');
  }

  onEnd(): void {
    this.log.push('end');
  }

  onClosed(failure: Failure): void {
    this.log.push(failure.kind.name);
  }
}

class Bench {
  readonly world = new World();
  readonly cluster;
  readonly host: UpstreamHost;
  readonly pool;

  /** `sheds`: the load shed point of new connections turns all away. */
  constructor(change: Partial<ClusterData> = {}, sheds = false) {
    this.cluster = sheds ? shedding(this.world, change) : this.world.cluster(change);
    this.host = this.cluster.pick(anyHost) as UpstreamHost;
    this.pool = this.cluster.tcpPool(this.host, 0);
  }

  ask(): Waiter {
    const waiter = new Waiter();
    this.pool.newConnection(waiter);
    return waiter;
  }

  get stats(): Record<string, number> {
    return this.world.stats.read();
  }
}

describe('TcpConnectionPool', () => {
  it('hands every user a connection of its own, and counts what passes', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    bench.world.network.advance(3);
    const connection = bench.world.network.dials[0].succeed();
    expect(waiter.log).toEqual(['connected']);
    connection.receive('pong');
    waiter.connection!.write(Buffer.from('ping!'));
    expect(connection.take()).toBe('ping!');
    expect(bench.stats).toMatchObject({
      upstream_cx_total: 1,
      upstream_cx_active: 1,
      upstream_rq_total: 1,
      upstream_rq_active: 1,
      upstream_rq_pending_total: 1,
      upstream_cx_rx_bytes_total: 4,
      upstream_cx_tx_bytes_total: 5,
    });
    expect(bench.stats).not.toHaveProperty('upstream_cx_http1_total');
    expect(bench.host.activeRequests).toBe(1);
    expect(bench.world.stats.records('cluster.c.upstream_cx_connect_ms')).toEqual([3]);
    connection.close(ClosedByPeer);
    expect(waiter.log).toEqual(['connected', 'pong', 'closed-by-peer']);
    expect(bench.stats).toMatchObject({ upstream_cx_destroy: 1, upstream_cx_destroy_remote: 1 });
    expect(bench.stats).not.toHaveProperty('upstream_cx_active');
    expect(bench.host.counters[HostStat.CxActive]).toBe(0);
    expect(bench.host.activeRequests).toBe(0);
  });

  it('knows who closed', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    bench.world.network.dials[0].succeed();
    waiter.connection!.destroy(ClosedLocally);
    expect(bench.stats).toMatchObject({ upstream_cx_destroy_local: 1, upstream_cx_destroy_local_with_active_rq: 1 });
  });

  it('passes the rest through', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const inner = bench.world.network.dials[0].succeed();
    const connection = waiter.connection!;
    connection.pause();
    expect(inner.pauses).toBe(1);
    connection.resume();
    connection.end();
    expect([inner.pauses, inner.hasEnded]).toEqual([0, true]);
    inner.peerEnded();
    inner.drained();
    expect(waiter.log).toEqual(['connected', 'end', 'drain']);
    expect([connection.id, connection.peer]).toEqual([inner.id, inner.peer]);
  });

  it('tells all who wait of a failure', () => {
    const bench = new Bench();
    const waiters = [bench.ask(), bench.ask()];
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    for (const waiter of waiters) expect(waiter.log).toEqual([`remote-connection-failure ${bench.host.addressText}`]);
    expect(bench.stats).toMatchObject({ upstream_cx_connect_fail: 1, upstream_rq_pending_failure_eject: 2 });
  });

  it('gives up the attempt that nobody waits for', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    bench.pool.cancel(waiter);
    expect(bench.world.network.dials[0].isCancelled).toBe(true);
    expect(bench.world.network.dials[0].succeed().isOpen).toBe(false);
    expect(waiter.log).toEqual([]);
    expect(bench.stats).toMatchObject({ upstream_rq_cancelled: 1, upstream_cx_destroy_local: 1 });
    expect(bench.stats).not.toHaveProperty('upstream_cx_active');
  });

  it('keeps max_connections, but for the first, and lets the next in when one ends', () => {
    const bench = new Bench({ breakers: [{ ...breaker, maxConnections: 1 }, breaker] });
    const first = bench.ask();
    const connection = bench.world.network.dials[0].succeed();
    const second = bench.ask();
    expect(bench.world.network.dials).toHaveLength(1);
    expect(bench.stats).toMatchObject({ upstream_cx_overflow: 1, upstream_rq_pending_active: 1 });
    connection.close(ClosedByPeer);
    expect(first.log.at(-1)).toBe('closed-by-peer');
    bench.world.network.dials[1].succeed();
    expect(second.log).toEqual(['connected']);
  });

  it('refuses to let more wait than max_pending_requests', () => {
    const bench = new Bench({ breakers: [{ ...breaker, maxPendingRequests: 0 }, breaker] });
    expect(bench.ask().log).toEqual(['overflow -']);
  });

  it('counts its users as requests, and does not limit them as such', () => {
    const bench = new Bench({ breakers: [{ ...breaker, maxRequests: 0 }, breaker] });
    const waiter = bench.ask();
    bench.world.network.dials[0].succeed();
    expect(waiter.log).toEqual(['connected']);
    expect(bench.stats).toMatchObject({ upstream_rq_total: 1 });
  });

  it('opens no connection where overload does not let it', () => {
    const bench = new Bench({}, true);
    expect(bench.ask().log).toEqual(['overflow -']);
    expect(bench.world.network.dials).toHaveLength(0);
    expect(bench.stats).toEqual({ upstream_rq_cancelled: 1, upstream_rq_pending_total: 1 });
  });

  it('leaves open connections to their users when the host goes', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.world.network.dials[0].succeed();
    bench.cluster.updateHosts([]);
    expect(connection.isOpen).toBe(true);
    connection.receive('more');
    expect(waiter.log.at(-1)).toBe('more');
    expect(bench.world.messages.map(({ kind }) => kind)).toEqual(['opened']);
    connection.close(ClosedByPeer);
    expect(bench.world.messages.map(({ kind }) => kind)).toEqual(['opened', 'closed']);
  });

  it.each([true, false])('of an unfit host closes at once where the cluster says so: %s', (isAtOnce) => {
    const hosts = [hostData('10.0.0.1', { healthSlot: 1 })];
    const bench = new Bench({ hosts, closesConnectionsOfUnfit: isAtOnce });
    const waiter = bench.ask();
    bench.world.network.dials[0].succeed();
    bench.world.health.store(1, HealthCell.Flags, HealthFlag.FailedActiveCheck);
    bench.cluster.onHealthChanged();
    expect(waiter.log).toEqual(isAtOnce ? ['connected', 'closed-locally'] : ['connected']);
  });
});
