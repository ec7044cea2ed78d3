import { describe, expect, it } from 'vitest';
import { HostStat } from '../../../../src/cluster/host/host-counters.ts';
import { ConnectionTimeout, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { anyHost, clusterData, hostData, World } from '../cluster-fixture.ts';
import { shedding } from './shedding.ts';
import { Bench, limited, ok, Waiter } from './http-bench.ts';

describe('one request after the other', () => {
  it('dials for the first and uses the connection again', () => {
    const bench = new Bench();
    const first = bench.ask('/1');
    expect(first.log).toEqual([]);
    const connection = bench.connect();
    expect(connection.take()).toMatch(/^GET \/1 HTTP\/1\.1\r\n/);
    connection.receive(ok);
    expect(first.log).toEqual(['ready', '200', 'ok']);
    const second = bench.ask('/2');
    expect(connection.take()).toMatch(/^GET \/2 /);
    connection.receive(ok);
    expect(second.log).toEqual(['ready', '200', 'ok']);
    expect(bench.dials).toBe(1);
    expect(bench.stats).toMatchObject({
      upstream_cx_total: 1,
      upstream_cx_active: 1,
      upstream_cx_http1_total: 1,
      upstream_rq_total: 2,
      upstream_rq_pending_total: 1,
      upstream_cx_rx_bytes_total: 2 * ok.length,
      upstream_cx_tx_bytes_total: connection.bytesWritten,
    });
    expect(bench.stats).not.toHaveProperty('upstream_rq_active');
    expect(bench.stats).not.toHaveProperty('upstream_rq_pending_active');
    expect(bench.host.activeRequests).toBe(0);
    expect(bench.host.counters[HostStat.RqTotal]).toBe(2);
    expect([bench.limit('cx'), bench.limit('rq'), bench.limit('rq_pending')]).toEqual([1, 0, 0]);
  });

  it('counts while a request is under way', () => {
    const bench = new Bench();
    bench.ask();
    expect(bench.stats).toMatchObject({ upstream_rq_pending_active: 1, upstream_cx_active: 1 });
    expect([bench.limit('cx'), bench.limit('rq'), bench.limit('rq_pending')]).toEqual([1, 0, 1]);
    bench.connect();
    expect(bench.stats).toMatchObject({ upstream_rq_active: 1 });
    expect(bench.host.activeRequests).toBe(1);
    expect([bench.limit('cx'), bench.limit('rq'), bench.limit('rq_pending')]).toEqual([1, 1, 0]);
  });

  it('takes the connection that became free last', () => {
    const bench = new Bench();
    const waiters = [bench.ask(), bench.ask(), bench.ask()];
    const connections = [bench.connect(0), bench.connect(1), bench.connect(2)];
    for (const i of [1, 2, 0]) connections[i].receive(ok);
    expect(waiters.map((waiter) => waiter.log.at(-1))).toEqual(['ok', 'ok', 'ok']);
    for (const connection of connections) connection.take();
    bench.ask('/a');
    bench.ask('/b');
    expect(connections.map((connection) => connection.take().slice(0, 6))).toEqual(['GET /a', '', 'GET /b']);
  });
});

describe('waiting', () => {
  it('serves first who came first, with whichever connection is free first', () => {
    const bench = new Bench(limited({ maxConnections: 1 }));
    const waiters = ['/1', '/2', '/3'].map((path) => bench.ask(path));
    expect(bench.dials).toBe(1);
    const connection = bench.connect();
    for (const waiter of waiters) {
      expect(waiter.log).toEqual(['ready']);
      connection.receive(ok);
    }
    expect(connection.take().match(/GET \/\d/g)).toEqual(['GET /1', 'GET /2', 'GET /3']);
    // Envoy counts every attempt to open another one.
    expect(bench.stats).toMatchObject({ upstream_cx_overflow: 4, upstream_rq_pending_total: 3, upstream_rq_total: 3 });
  });

  it('leaves the line when cancelled, and the connection stays for others', () => {
    const bench = new Bench();
    const gone = bench.ask();
    bench.pool.cancel(gone);
    bench.pool.cancel(gone);
    expect(bench.stats).toMatchObject({ upstream_rq_cancelled: 1 });
    expect(bench.limit('rq_pending')).toBe(0);
    const connection = bench.connect();
    expect(gone.log).toEqual([]);
    expect(bench.ask().log).toEqual(['ready']);
    expect(connection.take()).toContain('GET /');
    expect(bench.dials).toBe(1);
  });

  it('does not use a connection before what follows the response has been seen', () => {
    const bench = new Bench(limited({ maxConnections: 1 }));
    const first = bench.ask('/1');
    const second = bench.ask('/2');
    const connection = bench.connect();
    connection.take();
    connection.receive(`${ok}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`);
    expect(first.log).toEqual(['ready', '200', 'ok']);
    expect(second.log).toEqual([]);
    expect(connection.isOpen).toBe(false);
    expect(connection.take()).toBe('');
    expect(bench.stats).toMatchObject({ upstream_cx_protocol_error: 1, upstream_cx_destroy_local: 1 });
    // Who waits gets another connection.
    bench.connect(1).receive(ok);
    expect(second.log).toEqual(['ready', '200', 'ok']);
  });

  it('opens another connection for a stream asked for from inside a response', () => {
    const bench = new Bench();
    const first = bench.ask('/1');
    let second: Waiter | null = null;
    first.onEnd = () => (second = bench.ask('/2'));
    const connection = bench.connect();
    connection.receive(ok);
    // The first became free just after, and serves.
    expect(second!.log).toEqual(['ready']);
    expect(connection.written).toContain('GET /2');
  });
});

describe('limits', () => {
  it('refuses to let more wait than max_pending_requests', () => {
    const bench = new Bench(limited({ maxPendingRequests: 1 }));
    bench.ask();
    expect(bench.ask().log).toEqual(['overflow -']);
    expect(bench.stats).toMatchObject({ upstream_rq_pending_overflow: 1, upstream_rq_pending_total: 1 });
  });

  it('refuses more requests than max_requests, with a counter of their own', () => {
    const bench = new Bench(limited({ maxRequests: 1 }));
    bench.ask();
    bench.connect();
    const second = bench.ask();
    bench.connect();
    expect(second.log).toEqual([`overflow ${bench.host.addressText}`]);
    expect(bench.stats).toMatchObject({ upstream_rq_active_overflow: 1, upstream_rq_total: 1 });
    expect(bench.stats).not.toHaveProperty('upstream_rq_pending_overflow');
    expect(bench.limit('rq')).toBe(1);
  });

  it('always allows a host one connection', () => {
    const bench = new Bench(limited({ maxConnections: 0 }));
    const waiter = bench.ask();
    bench.connect().receive(ok);
    expect(waiter.log.at(-1)).toBe('ok');
    expect(bench.stats).toMatchObject({ upstream_cx_overflow: 1, upstream_cx_total: 1 });
  });

  it('opens no connection where overload does not let it, and uses those that there are', () => {
    const world = new World();
    let isOn = false;
    const cluster = shedding(world, {}, () => isOn);
    const pool = cluster.httpPool(cluster.pick(anyHost)!, 0);
    const [first, second, third] = [new Waiter(), new Waiter(), new Waiter()];
    pool.newStream(first);
    const connection = world.network.dials[0].succeed();
    isOn = true;
    pool.newStream(second);
    expect(second.log).toEqual(['overflow -']);
    connection.receive(ok);
    pool.newStream(third);
    expect(third.log).toEqual(['ready']);
    expect(world.stats.read()).toMatchObject({ upstream_rq_cancelled: 1, upstream_cx_total: 1 });
    expect(world.stats.read()).not.toHaveProperty('upstream_rq_pending_active');
  });

  it('counts over all workers', () => {
    const bench = new Bench(limited({ maxPendingRequests: 1 }));
    const elsewhere = bench.world.cluster(limited({ maxPendingRequests: 1 }));
    const other = new Waiter();
    elsewhere.httpPool(elsewhere.pick(anyHost)!, 0).newStream(other);
    expect(bench.ask().log).toEqual(['overflow -']);
  });

  it('are apart for the two routing priorities', () => {
    const bench = new Bench(limited({ maxPendingRequests: 0 }));
    expect(bench.ask().log).toEqual(['overflow -']);
    const high = new Waiter();
    bench.cluster.httpPool(bench.host, 1).newStream(high);
    expect(high.log).toEqual([]);
    expect(bench.world.limits.load('cluster/c/high/rq_pending')).toBe(1);
  });
});

describe('connections that fail', () => {
  it('tells all who wait', () => {
    const bench = new Bench();
    const waiters = [bench.ask(), bench.ask()];
    expect(bench.dials).toBe(2);
    bench.world.network.advance(12);
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    for (const waiter of waiters) expect(waiter.log).toEqual([`remote-connection-failure ${bench.host.addressText}`]);
    expect(bench.stats).toMatchObject({
      upstream_rq_pending_failure_eject: 2,
      upstream_cx_connect_fail: 1,
      upstream_cx_destroy: 1,
      upstream_cx_destroy_remote: 1,
      upstream_cx_active: 1,
    });
    expect(bench.host.counters[HostStat.CxConnectFail]).toBe(1);
    expect(bench.world.stats.records('cluster.c.upstream_cx_length_ms')).toEqual([12]);
    expect([bench.limit('cx'), bench.limit('rq_pending')]).toEqual([1, 0]);
  });

  it('counts a timeout as such', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    expect(bench.world.network.dials[0].options).toMatchObject({ connectTimeoutMs: 5000, bufferLimit: 1 << 20 });
    bench.world.network.dials[0].fail(ConnectionTimeout);
    expect(waiter.log).toEqual([`connection-timeout ${bench.host.addressText}`]);
    expect(bench.stats).toMatchObject({
      upstream_cx_connect_timeout: 1,
      upstream_cx_connect_fail: 1,
      upstream_cx_destroy_local: 1,
    });
  });

  it('does not fail who comes back from inside the failure', () => {
    const bench = new Bench();
    const first = bench.ask();
    let again: Waiter | null = null;
    first.onFail = () => (again = bench.ask());
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    expect(again!.log).toEqual([]);
    expect(bench.dials).toBe(2);
    bench.connect().receive(ok);
    expect(again!.log).toEqual(['ready', '200', 'ok']);
  });

  it('lets another leave the line while they are told', () => {
    const bench = new Bench();
    const first = bench.ask();
    const second = bench.ask();
    first.onFail = () => bench.pool.cancel(second);
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    expect(second.log).toEqual([]);
    expect(bench.limit('rq_pending')).toBe(0);
  });
});

describe('draining', () => {
  it('closes idle connections at once and busy ones when they have served', () => {
    const bench = new Bench();
    const busy = bench.ask();
    bench.ask();
    const connections = [bench.connect(0), bench.connect(1)];
    connections[1].receive(ok);
    bench.cluster.updateHosts([hostData('10.0.0.2')]);
    expect(connections.map(({ isOpen }) => isOpen)).toEqual([true, false]);
    connections[0].receive(ok);
    expect(busy.log.at(-1)).toBe('ok');
    expect(connections[0].isOpen).toBe(false);
    expect(bench.world.messages.map(({ kind }) => kind)).toEqual(['opened', 'closed']);
  });

  it('still serves who waits', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    bench.cluster.updateHosts([]);
    const connection = bench.connect();
    connection.receive(ok);
    expect(waiter.log).toEqual(['ready', '200', 'ok']);
    expect(connection.isOpen).toBe(false);
  });

  it('gives up a connection that nobody waits for', () => {
    const bench = new Bench();
    bench.pool.cancel(bench.ask());
    bench.cluster.updateHosts([]);
    expect(bench.world.network.dials[0].isCancelled).toBe(true);
    expect(bench.limit('cx')).toBe(0);
  });

  it('goes on for hosts that stay', () => {
    const bench = new Bench();
    bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    bench.cluster.updateHosts([hostData('10.0.0.1', { weight: 5 }), hostData('10.0.0.2')]);
    expect(connection.isOpen).toBe(true);
    expect(bench.host.weight).toBe(5);
  });

  it('closes all connections on a change of hosts where the configuration says so', () => {
    const bench = new Bench({ lb: { ...clusterData().lb, closeConnectionsOnHostSetChange: true } });
    bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    bench.cluster.updateHosts([hostData('10.0.0.1')]);
    expect(connection.isOpen).toBe(true);
    bench.cluster.updateHosts([hostData('10.0.0.1'), hostData('10.0.0.2')]);
    expect(connection.isOpen).toBe(false);
    const again = new Waiter();
    bench.cluster.httpPool(bench.host, 0).newStream(again);
    bench.connect();
    expect(again.log).toEqual(['ready']);
  });

  it('serves who held on to a host that has left, and keeps no connection', () => {
    const bench = new Bench();
    bench.cluster.updateHosts([]);
    const waiter = new Waiter();
    bench.cluster.httpPool(bench.host, 1).newStream(waiter);
    const connection = bench.connect();
    connection.receive(ok);
    expect(waiter.log.at(-1)).toBe('ok');
    expect(connection.isOpen).toBe(false);
  });
});
