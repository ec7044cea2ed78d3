import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { ClosedByPeer, LocalReset } from '../../../../src/core/failures.ts';
import { HttpVersion } from '../../../../src/core/head.ts';
import type { MemoryConnection } from '../memory-network.ts';
import { Bench, http, limited, Waiter } from './http-bench.ts';
import {
  data,
  Frame,
  frame,
  framesIn,
  goAway,
  maxConcurrentStreams,
  ok,
  pingAck,
  preface,
  resetStream,
} from './h2-wire.ts';

type Http = typeof http;
type Http2 = Http['http2'];

/** A cluster that speaks HTTP/2. */
function bench2(http2: Partial<Http2> = {}, more: Partial<Http> = {}, change: Partial<ClusterData> = {}): Bench {
  return new Bench({ ...change, http: { ...http, protocol: 'http2', http2: { ...http.http2, ...http2 }, ...more } });
}

/** The upstream accepts, and sends its (empty) settings. */
function connect(bench: Bench, index = bench.dials - 1): MemoryConnection {
  const connection = bench.connect(index);
  connection.receive(frame(Frame.Settings, 0, 0));
  return connection;
}

describe('streams', () => {
  it('share a connection, and wait for it together', () => {
    const bench = bench2();
    const waiters = [bench.ask('/1'), bench.ask('/2'), bench.ask('/3')];
    expect(bench.dials).toBe(1);
    expect(bench.stats).toMatchObject({ upstream_rq_pending_active: 3, upstream_rq_pending_total: 3 });
    const connection = connect(bench);
    const written = connection.take();
    expect(written.startsWith(preface)).toBe(true);
    expect(framesIn(written)).toEqual(['HEADERS 1', 'HEADERS 3', 'HEADERS 5']);
    connection.receive(ok(3) + ok(1, false) + data(1, 'body'));
    expect(waiters.map(({ log }) => log)).toEqual([['ready', '200', 'body'], ['ready', '200'], ['ready']]);
    expect(bench.stats).toMatchObject({
      upstream_cx_total: 1,
      upstream_cx_http2_total: 1,
      upstream_rq_total: 3,
      upstream_rq_active: 1,
      'http2.streams_active': 1,
    });
    bench.ask('/4');
    expect(framesIn(connection.take())).toEqual(['HEADERS 7']);
    expect(bench.dials).toBe(1);
  });

  it('open another connection where the first is full', () => {
    const bench = bench2({ maxConcurrentStreams: 2 });
    const waiters = Array.from({ length: 5 }, () => bench.ask());
    expect(bench.dials).toBe(3);
    const first = connect(bench, 0);
    expect(framesIn(first.take())).toEqual(['HEADERS 1', 'HEADERS 3']);
    expect(waiters[2].log).toEqual([]);
    first.receive(ok(1));
    expect(waiters[2].log).toEqual(['ready']);
    expect(framesIn(first.take())).toEqual(['HEADERS 5']);
  });

  it('keep to what the upstream allows, and learn when it allows more', () => {
    const bench = bench2();
    bench.ask();
    const connection = connect(bench);
    connection.receive(maxConcurrentStreams(1));
    const second = bench.ask();
    expect(second.log).toEqual([]);
    expect(bench.dials).toBe(2);
    connection.receive(maxConcurrentStreams(2));
    expect(second.log).toEqual(['ready']);
  });

  it('are at most max_requests_per_connection', () => {
    const bench = bench2({}, { maxRequestsPerConnection: 2 });
    const waiters = [bench.ask(), bench.ask(), bench.ask()];
    expect(bench.dials).toBe(2);
    const connection = connect(bench, 0);
    expect(waiters.map(({ log }) => log.length)).toEqual([1, 1, 0]);
    expect(bench.stats).toMatchObject({ upstream_cx_max_requests: 1 });
    connection.receive(ok(1));
    expect(connection.isOpen).toBe(true);
    connection.receive(ok(3));
    expect(connection.isOpen).toBe(false);
  });

  it('count one by one against max_requests', () => {
    const bench = bench2({}, {}, limited({ maxRequests: 2 }));
    const waiters = [bench.ask(), bench.ask(), bench.ask()];
    connect(bench);
    expect(waiters.map(({ log }) => log)).toEqual([['ready'], ['ready'], ['overflow 10.0.0.1:80']]);
    expect(bench.stats).toMatchObject({ upstream_rq_active_overflow: 1 });
    expect(bench.limit('rq')).toBe(2);
  });

  it('wait within max_pending_requests', () => {
    const bench = bench2({}, {}, limited({ maxPendingRequests: 1 }));
    bench.ask();
    expect(bench.ask().log).toEqual(['overflow -']);
    expect(bench.stats).toMatchObject({ upstream_rq_pending_overflow: 1 });
  });

  it('open no connection beyond max_connections', () => {
    const bench = bench2({ maxConcurrentStreams: 1 }, {}, limited({ maxConnections: 1 }));
    bench.ask();
    const connection = connect(bench);
    const second = bench.ask();
    expect(bench.dials).toBe(1);
    expect(bench.stats).toMatchObject({ upstream_cx_overflow: 1 });
    connection.receive(ok(1));
    expect(second.log).toEqual(['ready']);
  });
});

describe('streams that break off', () => {
  it.each([
    [0, 'h2-upstream-remote-reset', { upstream_rq_rx_reset: 1 }],
    [1, 'upstream-protocol-error', { upstream_rq_tx_reset: 1 }],
    [2, 'h2-upstream-remote-reset', { upstream_rq_rx_reset: 1 }],
    [7, 'h2-upstream-refused-stream', {}],
    [8, 'h2-upstream-remote-reset', { upstream_rq_rx_reset: 1 }],
    [10, 'h2-upstream-connect-error', {}],
  ])('by RST_STREAM %i leave the others', (code, heard, counts) => {
    const bench = bench2();
    const [first, second] = [bench.ask(), bench.ask()];
    const connection = connect(bench);
    connection.receive(resetStream(1, code) + ok(3));
    expect(first.log).toEqual(['ready', heard]);
    expect(second.log).toEqual(['ready', '200']);
    expect(bench.stats).toMatchObject({ ...counts, 'http2.rx_reset': 1 });
    const resets = Object.keys(bench.stats).filter((name) => /^upstream_rq_.x_reset$/.test(name));
    expect(resets).toEqual(Object.keys(counts));
    expect(connection.isOpen).toBe(true);
    expect(bench.limit('rq')).toBe(0);
  });

  it('because nobody wants them leave the connection', () => {
    const bench = bench2();
    const waiter = bench.ask();
    const connection = connect(bench);
    connection.take();
    waiter.stream!.reset(LocalReset);
    expect(framesIn(connection.take())).toEqual(['RST_STREAM 1 2']);
    expect(connection.isOpen).toBe(true);
    expect(bench.stats).toMatchObject({ upstream_rq_tx_reset: 1, 'http2.tx_reset': 1 });
    expect(bench.stats).not.toHaveProperty('upstream_rq_active');
  });

  it.each(['FIN', 'RST'])('with their connection all hear of its end by %s', (how) => {
    const bench = bench2();
    const waiters = [bench.ask(), bench.ask()];
    const connection = connect(bench);
    if (how === 'FIN') connection.peerEnded();
    else connection.close(ClosedByPeer.with('read ECONNRESET'));
    for (const { log } of waiters) expect(log).toEqual(['ready', 'connection-termination']);
    expect(bench.stats).toMatchObject({
      upstream_rq_pending_failure_eject: 2,
      upstream_cx_destroy: 1,
      upstream_cx_destroy_remote: 1,
      upstream_cx_destroy_with_active_rq: 1,
      upstream_cx_destroy_remote_with_active_rq: 1,
    });
    expect(bench.stats).not.toHaveProperty('upstream_rq_active');
    expect(bench.stats).not.toHaveProperty(['http2.streams_active']);
  });

  it('with a connection that breaks the protocol are protocol errors', () => {
    const bench = bench2();
    const waiters = [bench.ask(), bench.ask()];
    const connection = connect(bench);
    connection.receive('HTTP/1.1 400 Bad Request\r\n\r\n');
    for (const { log } of waiters) expect(log).toEqual(['ready', 'upstream-protocol-error']);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_protocol_error: 1, upstream_cx_destroy_local: 1 });
  });

  it('may ask anew at once, and get another connection', () => {
    const bench = bench2();
    const first = bench.ask();
    const connection = connect(bench);
    let again: Waiter | null = null;
    first.reset = () => {
      again = bench.ask('/again');
    };
    connection.receive('not HTTP/2 at all, whatever it is');
    expect(again!.log).toEqual([]);
    expect(bench.dials).toBe(2);
    connect(bench, 1);
    expect(again!.log).toEqual(['ready']);
  });
});

describe('GOAWAY', () => {
  it('lets streams that were taken finish, and refuses the others', () => {
    const bench = bench2();
    const [first, second] = [bench.ask(), bench.ask()];
    const connection = connect(bench);
    connection.receive(goAway(1));
    expect(second.log).toEqual(['ready', 'h2-upstream-refused-stream']);
    expect(bench.stats).toMatchObject({ upstream_cx_close_notify: 1 });
    bench.ask();
    expect(bench.dials).toBe(2);
    expect(connection.isOpen).toBe(true);
    connection.receive(ok(1));
    expect(first.log).toEqual(['ready', '200']);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).not.toHaveProperty('upstream_cx_protocol_error');
  });

  it('closes an idle connection', () => {
    const bench = bench2();
    bench.ask();
    const connection = connect(bench);
    connection.receive(ok(1));
    connection.receive(goAway(1));
    expect(connection.isOpen).toBe(false);
    bench.ask();
    expect(bench.dials).toBe(2);
  });

  it('holds within the bytes that bring it', () => {
    const bench = bench2();
    const first = bench.ask();
    bench.ask();
    const connection = connect(bench);
    let next: Waiter | null = null;
    first.onEnd = () => {
      next = bench.ask('/next');
    };
    connection.receive(goAway(3) + ok(1));
    expect(next!.log).toEqual([]);
    expect(bench.dials).toBe(2);
  });
});

describe('time', () => {
  it('closes a connection without streams, not one with some', () => {
    const bench = bench2({}, { idleTimeoutMs: 1000 });
    const network = bench.world.network;
    bench.ask();
    bench.ask();
    const connection = connect(bench);
    connection.receive(ok(1));
    network.advance(5000);
    expect(connection.isOpen).toBe(true);
    connection.receive(ok(3));
    network.advance(999);
    expect(connection.isOpen).toBe(true);
    network.advance(1);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_idle_timeout: 1 });
    expect(network.timers.size).toBe(0);
  });

  it('lets an old connection finish what it carries', () => {
    const bench = bench2({}, { maxConnectionDurationMs: 1000 });
    const network = bench.world.network;
    const waiters = [bench.ask(), bench.ask()];
    const connection = connect(bench);
    connection.receive(ok(1));
    network.advance(1000);
    expect(bench.stats).toMatchObject({ upstream_cx_max_duration_reached: 1 });
    network.advance(10_000);
    expect(bench.stats).toMatchObject({ upstream_cx_max_duration_reached: 1 });
    bench.ask();
    expect(bench.dials).toBe(2);
    connection.receive(ok(3));
    expect(waiters[1].log).toEqual(['ready', '200']);
    expect(connection.isOpen).toBe(false);
  });

  it('asks whether the upstream is there, and gives up without an answer', () => {
    const keepAlive = { intervalMs: 1000, timeoutMs: 300, jitter: 0, idleIntervalMs: 0 };
    const bench = bench2({ keepAlive });
    const network = bench.world.network;
    const waiter = bench.ask();
    const connection = connect(bench);
    connection.take();
    network.advance(1000);
    expect(framesIn(connection.take())).toEqual(['PING keepaliv']);
    connection.receive(pingAck('keepaliv'));
    network.advance(999);
    expect(framesIn(connection.take())).toEqual([]);
    network.advance(1);
    expect(framesIn(connection.take())).toEqual(['PING keepaliv']);
    network.advance(300);
    expect(waiter.log).toEqual(['ready', 'connection-termination']);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({
      'http2.keepalive_timeout': 1,
      upstream_cx_destroy_local_with_active_rq: 1,
    });
    expect(bench.stats).not.toHaveProperty('upstream_cx_protocol_error');
    expect(network.timers.size).toBe(0);
  });
});

describe('draining', () => {
  it('finishes streams, and resets of the last one close too', () => {
    const bench = bench2();
    const waiter = bench.ask();
    const connection = connect(bench);
    bench.host.leave(() => {});
    expect(connection.isOpen).toBe(true);
    waiter.stream!.reset(LocalReset);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).not.toHaveProperty('upstream_cx_active');
  });

  it('closes what carries nothing', () => {
    const bench = bench2();
    bench.ask();
    const connection = connect(bench);
    connection.receive(ok(1));
    bench.cluster.drainPools();
    expect(connection.isOpen).toBe(false);
  });
});

describe('flow control', () => {
  it('tells every stream of a connection that is full', () => {
    const bench = bench2();
    const first = bench.ask();
    const connection = connect(bench);
    connection.accepts = false;
    const second = bench.ask();
    expect([first.log.at(-1), second.log.at(-1)]).toEqual(['above', 'above']);
    connection.drained();
    expect([first.log.at(-1), second.log.at(-1)]).toEqual(['below', 'below']);
  });
});

describe('a cluster that follows the client', () => {
  it('has a pool for each protocol', () => {
    const bench = new Bench({ http: { ...http, protocol: 'downstream' } });
    const { cluster, host } = bench;
    const two = cluster.httpPool(host, 0, HttpVersion.Http2);
    expect(two).not.toBe(cluster.httpPool(host, 0, HttpVersion.Http11));
    expect(cluster.httpPool(host, 0, HttpVersion.Http10)).toBe(cluster.httpPool(host, 0));
    expect(cluster.httpPool(host, 0, HttpVersion.Http2)).toBe(two);
    two.newStream(new Waiter());
    cluster.httpPool(host, 0).newStream(new Waiter());
    expect(connect(bench, 0).take().startsWith(preface)).toBe(true);
    expect(bench.connect(1).take()).toContain('GET / HTTP/1.1');
    expect(bench.stats).toMatchObject({ upstream_cx_http1_total: 1, upstream_cx_http2_total: 1 });
  });
});
