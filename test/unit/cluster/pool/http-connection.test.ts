import { describe, expect, it } from 'vitest';
import { ClosedByPeer, LocalReset } from '../../../../src/core/failures.ts';
import { Bench, http, ok } from './http-bench.ts';

describe('connections that end', () => {
  it('resets what they carry', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    bench.world.network.advance(100);
    connection.close(ClosedByPeer);
    expect(waiter.log).toEqual(['ready', 'connection-termination']);
    expect(bench.stats).toMatchObject({
      upstream_cx_destroy: 1,
      upstream_cx_destroy_remote: 1,
      upstream_cx_destroy_with_active_rq: 1,
      upstream_cx_destroy_remote_with_active_rq: 1,
    });
    expect(bench.stats).not.toHaveProperty('upstream_cx_active');
    expect(bench.stats).not.toHaveProperty('upstream_rq_active');
    expect([bench.limit('cx'), bench.limit('rq')]).toEqual([0, 0]);
    expect(bench.world.stats.records('cluster.c.upstream_cx_length_ms')).toEqual([100]);
    expect(bench.world.stats.records('cluster.c.upstream_rq_per_cx')).toEqual([1]);
  });

  it('are not used when the upstream half-closed them', () => {
    const bench = new Bench();
    bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    connection.peerEnded();
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_destroy_remote: 1 });
    bench.ask();
    expect(bench.dials).toBe(2);
  });

  it('end a response that has no length', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    connection.receive('HTTP/1.1 200 OK\r\n\r\nall');
    connection.peerEnded();
    expect(waiter.log).toEqual(['ready', '200', 'all', '']);
    expect(bench.stats).not.toHaveProperty('upstream_cx_destroy_with_active_rq');
  });

  it('close after a response that says so', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    connection.receive('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
    expect(waiter.log.at(-1)).toBe('ok');
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_destroy_local: 1 });
  });

  it('close when their request is given up', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    waiter.stream!.reset(LocalReset);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).not.toHaveProperty('upstream_rq_active');
    expect(bench.limit('rq')).toBe(0);
  });

  it('close on what is not HTTP', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    connection.receive('SSH-2.0-OpenSSH\r\n\r\n');
    expect(waiter.log).toEqual(['ready', 'upstream-protocol-error']);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_protocol_error: 1 });
  });

  it('close on bytes that nobody asked for, unless it is a 408', () => {
    for (const [bytes, errors] of [
      ['HTTP/1.1 200 OK\r\n\r\n', 1],
      ['HTTP/1.1 408 Request Timeout\r\n\r\n', undefined],
    ] as const) {
      const bench = new Bench();
      bench.ask();
      const connection = bench.connect();
      connection.receive(ok);
      connection.receive(bytes);
      expect(connection.isOpen).toBe(false);
      expect(bench.stats['upstream_cx_protocol_error']).toBe(errors);
    }
  });
});

describe('age', () => {
  it('closes connections that idle', () => {
    const bench = new Bench({ http: { ...http, idleTimeoutMs: 1000 } });
    bench.ask();
    const connection = bench.connect();
    bench.world.network.advance(5000);
    expect(connection.isOpen).toBe(true);
    connection.receive(ok);
    bench.world.network.advance(999);
    bench.ask();
    connection.receive(ok);
    bench.world.network.advance(999);
    expect(connection.isOpen).toBe(true);
    bench.world.network.advance(1);
    expect(connection.isOpen).toBe(false);
    expect(bench.stats).toMatchObject({ upstream_cx_idle_timeout: 1, upstream_cx_destroy_local: 1 });
    expect(bench.world.network.timers.size).toBe(0);
  });

  it('never does with an idle timeout of 0', () => {
    const bench = new Bench({ http: { ...http, idleTimeoutMs: 0 } });
    bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    bench.world.network.advance(1e9);
    expect(connection.isOpen).toBe(true);
  });

  it('closes after max_requests_per_connection', () => {
    const bench = new Bench({ http: { ...http, maxRequestsPerConnection: 2 } });
    bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    bench.ask();
    expect(bench.stats).toMatchObject({ upstream_cx_max_requests: 1 });
    connection.receive(ok);
    expect(connection.isOpen).toBe(false);
    expect(bench.world.stats.records('cluster.c.upstream_rq_per_cx')).toEqual([2]);
  });

  it('drains after max_connection_duration', () => {
    const bench = new Bench({ http: { ...http, maxConnectionDurationMs: 1000 } });
    const waiter = bench.ask();
    bench.world.network.advance(500);
    const connection = bench.connect();
    bench.world.network.advance(1000);
    expect(bench.stats).toMatchObject({ upstream_cx_max_duration_reached: 1 });
    expect(connection.isOpen).toBe(true);
    connection.receive(ok);
    expect(waiter.log.at(-1)).toBe('ok');
    expect(connection.isOpen).toBe(false);
  });
});

describe('flow control', () => {
  it('tells the user once when the connection is full, and when it is not any more', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    const connection = bench.connect();
    connection.receive(ok);
    connection.accepts = false;
    const second = bench.ask();
    expect(second.log).toContain('above');
    connection.drained();
    expect(second.log).toContain('below');
    expect(waiter.log).not.toContain('below');
  });
});
