import { describe, expect, it } from 'vitest';
import type { ConnectionWaiter } from '../../../../src/cluster/cluster.ts';
import { HealthFlag } from '../../../../src/cluster/host/host-health.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ClosedByPeer, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { anyHost, World } from '../cluster-fixture.ts';
import { Bench, http, ok } from './http-bench.ts';

const preconnect = { ratio: 2, tcpIdleMs: 1000 };

describe('HTTP connections ahead of need', () => {
  it('are opened with the first, and for what is served', () => {
    const bench = new Bench({ preconnect });
    bench.ask();
    expect(bench.dials).toBe(2);
    bench.connect(0);
    const other = bench.connect(1);
    expect(bench.dials).toBe(2);
    const second = bench.ask('/2');
    expect(other.take()).toMatch(/^GET \/2 /);
    expect(bench.dials).toBe(4);
    other.receive(ok);
    expect(second.log).toEqual(['ready', '200', 'ok']);
    bench.ask();
    expect(bench.dials).toBe(4);
  });

  it('are at most three at a time', () => {
    const bench = new Bench({ preconnect: { ...preconnect, ratio: 3 } });
    bench.ask();
    bench.ask();
    expect(bench.dials).toBe(6);
  });

  it('are not opened for streams that an HTTP/2 connection can carry', () => {
    const maxConcurrentStreams = 4;
    const bench = new Bench({
      preconnect,
      http: { ...http, protocol: 'http2', http2: { ...http.http2, maxConcurrentStreams } },
    });
    bench.ask();
    bench.ask();
    expect(bench.dials).toBe(1);
    bench.ask();
    expect(bench.dials).toBe(2);
  });

  it('are not opened again as long as nobody asks', () => {
    const bench = new Bench({ preconnect });
    bench.ask();
    bench.connect(0);
    bench.world.network.dials[1].fail(RemoteConnectionFailure);
    expect(bench.dials).toBe(2);
  });

  it('are not opened to a host that is not healthy', () => {
    const bench = new Bench({ preconnect });
    bench.host.healthFlags = HealthFlag.FailedActiveCheck;
    bench.ask();
    expect(bench.dials).toBe(1);
  });
});

class User implements ConnectionWaiter, ConnectionSink {
  readonly log: string[] = [];

  onConnected(connection: Connection): void {
    this.log.push('connected');
    connection.attach(this);
  }

  onConnectFailure(failure: Failure): void {
    this.log.push(failure.kind.name);
  }

  onBytes(chunk: Uint8Array): void {
    this.log.push(Buffer.from(chunk).toString());
  }

  onDrain(): void {}

  onEnd(): void {}

  onClosed(failure: Failure): void {
    this.log.push(failure.kind.name);
  }
}

describe('connections without HTTP ahead of need', () => {
  function bench() {
    const world = new World();
    const cluster = world.cluster({ preconnect });
    const pool = cluster.tcpPool(cluster.pick(anyHost) as UpstreamHost, 0);
    const ask = (): User => {
      const user = new User();
      pool.newConnection(user);
      return user;
    };
    return { world, cluster, pool, ask, dials: world.network.dials, stats: () => world.stats.read() };
  }

  it('wait for their user, and are read only then', () => {
    const { ask, dials, stats } = bench();
    const first = ask();
    expect(dials).toHaveLength(2);
    dials[0].succeed();
    const ahead = dials[1].succeed();
    expect([first.log, ahead.pauses]).toEqual([['connected'], 1]);
    expect(stats()).toMatchObject({ upstream_cx_active: 2, upstream_rq_active: 1 });
    const second = ask();
    expect([second.log, ahead.pauses]).toEqual([['connected'], 0]);
    expect(dials).toHaveLength(4);
    expect(stats()).toMatchObject({ upstream_rq_active: 2, upstream_rq_pending_total: 1 });
  });

  it('go away when their peer or the time says so', () => {
    const { ask, dials, stats, world } = bench();
    ask();
    dials[0].succeed();
    const ahead = dials[1].succeed();
    ahead.close(ClosedByPeer);
    expect(stats()).toMatchObject({ upstream_cx_active: 1, upstream_cx_destroy_remote: 1 });
    expect(stats()).not.toHaveProperty('upstream_cx_destroy_with_active_rq');
    ask();
    expect(dials).toHaveLength(5);
    dials[2].succeed();
    dials[3].succeed();
    expect(stats()).toMatchObject({ upstream_cx_active: 4 });
    world.network.advance(1000);
    expect(stats()).toMatchObject({ upstream_cx_idle_timeout: 1, upstream_cx_active: 3, upstream_cx_destroy_local: 1 });
  });

  it('are closed with their pool', () => {
    const { ask, dials, cluster, stats } = bench();
    ask();
    dials[0].succeed();
    dials[1].succeed();
    cluster.drainPools();
    expect(stats()).toMatchObject({ upstream_cx_active: 1 });
  });

  it('are kept while they are needed by those who stay', () => {
    const { ask, dials, pool } = bench();
    ask();
    const second = ask();
    expect(dials).toHaveLength(4);
    pool.cancel(second);
    expect(dials.filter(({ isCancelled }) => isCancelled)).toHaveLength(1);
  });
});
