import { describe, expect, it } from 'vitest';
import type { ClusterData, UpstreamProtocol } from '../../../../src/cluster/cluster-data.ts';

import { allotBreakerSlots } from '../../../../src/cluster/limit/circuit-breaker.ts';
import { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { ConnectionWaiter } from '../../../../src/cluster/cluster.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { Connection } from '../../../../src/core/connection.ts';
import { ClosedByPeer, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { HttpVersion } from '../../../../src/core/head.ts';
import type { UpstreamTlsData } from '../../../../src/identity/tls-context-data.ts';
import { noTransportOptions, type TransportOptions } from '../../../../src/net/transport.ts';
import { anyHost, breaker, hostData, runtimeOf, World } from '../cluster-fixture.ts';
import { AlpnTransport } from './alpn-transport.ts';
import { http, ok, Waiter } from './http-bench.ts';

const named = (serverName: string): TransportOptions => ({ ...noTransportOptions, key: serverName, serverName });

class Bench {
  readonly world = new World();
  readonly transport = new AlpnTransport(this.world.network);
  cluster: ClusterRuntime;
  readonly host: UpstreamHost;

  constructor(protocol: UpstreamProtocol = 'http1', autoHostSni = false, change: Partial<ClusterData> = {}) {
    const tls = { autoHostSni } as UpstreamTlsData;
    const data = this.world.data({
      http: { ...http, protocol },
      hosts: [hostData('10.0.0.1', { hostname: 'a.test' })],
      transports: [{ name: 'default', match: null, socket: { kind: 'tls', tls } }],
      ...change,
    });
    this.cluster = new ClusterRuntime(data, { ...this.world.environment, buildTls: () => this.transport });
    this.host = this.cluster.pick(anyHost) as UpstreamHost;
  }

  ask(options?: TransportOptions, downstream: HttpVersion = HttpVersion.Http11): Waiter {
    const waiter = new Waiter();
    this.cluster.httpPool(this.host, 0, downstream, options).newStream(waiter);
    return waiter;
  }

  get dials(): number {
    return this.world.network.dials.length;
  }

  get stats(): Record<string, number> {
    return this.world.stats.read('cluster.c.');
  }
}

describe('what is offered by ALPN', () => {
  it.each<[UpstreamProtocol, HttpVersion, string[]]>([
    ['http1', HttpVersion.Http2, ['http/1.1']],
    ['http2', HttpVersion.Http11, ['h2']],
    ['downstream', HttpVersion.Http11, ['http/1.1']],
    ['downstream', HttpVersion.Http2, ['h2']],
    ['auto', HttpVersion.Http11, ['h2', 'http/1.1']],
  ])('%s for %i', (protocol, downstream, offered) => {
    const bench = new Bench(protocol);
    bench.ask(undefined, downstream);
    bench.ask(named('a'), downstream);
    for (const wanted of bench.transport.wanted) expect(wanted.applicationProtocolsFallback).toEqual(offered);
  });
});

describe('a cluster that lets ALPN choose', () => {
  it('speaks HTTP/2 where the server takes it, several streams over one connection', () => {
    const bench = new Bench('auto');
    bench.ask();
    bench.ask();
    expect(bench.dials).toBe(1);
    bench.transport.alpn = 'h2';
    const connection = bench.world.network.dials[0].succeed();
    expect(connection.take()).toMatch(/^PRI \* HTTP\/2/);
    expect(bench.stats).toMatchObject({ upstream_cx_http2_total: 1, upstream_cx_total: 1 });
  });

  it('speaks HTTP/1.1 otherwise, and opens as many connections as that needs', () => {
    const bench = new Bench('auto');
    for (let i = 0; i < 3; i++) bench.ask();
    expect(bench.dials).toBe(1);
    const connection = bench.world.network.dials[0].succeed();
    expect(connection.take()).toMatch(/^GET \/ HTTP\/1\.1/);
    expect(bench.dials).toBe(3);
    expect(bench.stats).toMatchObject({ upstream_cx_http1_total: 1 });
  });
});

describe('pools by what is asked of the transport', () => {
  it('share connections among those who ask alike, and with nobody else', () => {
    const bench = new Bench();
    const first = bench.ask(named('a'));
    bench.world.network.dials[0].succeed().receive(ok);
    expect(first.log).toContain('200');
    bench.ask(named('a'));
    expect(bench.dials).toBe(1);
    bench.ask(named('b'));
    bench.ask();
    expect(bench.dials).toBe(3);
    expect(bench.transport.wanted.map(({ serverName }) => serverName)).toEqual(['a', 'b', '']);
  });

  it('go with their last connection', () => {
    const bench = new Bench();
    bench.ask(named('a'));
    const pool = bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('a'));
    const connection = bench.world.network.dials[0].succeed();
    connection.receive(ok);
    connection.close(ClosedByPeer);
    expect(bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('a'))).not.toBe(pool);
    const failing = bench.ask(named('b'));
    const failed = bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('b'));
    bench.world.network.dials[1].fail(RemoteConnectionFailure);
    expect(failing.log).toEqual(['remote-connection-failure 10.0.0.1:80']);
    expect(bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('b'))).not.toBe(failed);
  });

  it('stay for one who comes back at once', () => {
    const bench = new Bench();
    const waiter = bench.ask(named('a'));
    const pool = bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('a'));
    waiter.onFail = () => pool.newStream(new Waiter());
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    expect(bench.dials).toBe(2);
    expect(bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named('a'))).toBe(pool);
  });

  it('give way, those that nobody uses, when they are too many', () => {
    const bench = new Bench();
    bench.ask(named('busy'));
    const poolOf = (name: string): unknown => bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, named(name));
    const busy = poolOf('busy');
    for (let i = 0; i < 1024; i++) {
      bench.ask(named(`s${i}`));
      bench.world.network.dials.at(-1)!.succeed().receive(ok);
    }
    const before = bench.dials;
    bench.ask(named('s1023'));
    expect(bench.dials).toBe(before);
    expect(poolOf('busy')).toBe(busy);
    bench.ask(named('s0'));
    expect(bench.dials).toBe(before + 1);
  });

  it('drain with the host’s others', () => {
    const bench = new Bench();
    bench.ask(named('a'));
    const connection = bench.world.network.dials[0].succeed();
    connection.receive(ok);
    bench.cluster.drainPools();
    expect(connection.isOpen).toBe(false);
    bench.ask(named('a'));
    expect(bench.dials).toBe(2);
  });

  it('are for plain connections too', () => {
    class Plain implements ConnectionWaiter {
      connection: Connection | null = null;
      onConnected(connection: Connection): void {
        this.connection = connection;
      }
      onConnectFailure(): void {}
    }
    const bench = new Bench();
    const options = named('a');
    const pool = bench.cluster.tcpPool(bench.host, 0, options);
    const waiter = new Plain();
    pool.newConnection(waiter);
    expect(bench.transport.wanted).toEqual([options]);
    expect(bench.cluster.tcpPool(bench.host, 0, options)).toBe(pool);
    const connection = bench.world.network.dials[0].succeed();
    waiter.connection!.attach({ onBytes() {}, onDrain() {}, onEnd() {}, onClosed() {} });
    connection.close(ClosedByPeer);
    expect(bench.cluster.tcpPool(bench.host, 0, options)).not.toBe(pool);
  });
});

describe('a limit of pools', () => {
  const limit = (pools: number | null): Partial<ClusterData> => ({
    hosts: [hostData('10.0.0.1'), hostData('10.0.0.2')],
    breakers: [{ ...breaker, maxConnectionPools: pools }, breaker],
  });

  class Limited extends Bench {
    constructor(pools: number | null) {
      super('http1', false, limit(pools));
      const slots = allotBreakerSlots(this.world.limits, 'c');
      this.cluster = new ClusterRuntime(
        { ...this.cluster.data, breakerSlots: slots },
        { ...this.world.environment, buildTls: () => this.transport },
      );
    }

    /** Of one host after the other. */
    askNext(options?: TransportOptions, priority: 0 | 1 = 0): Waiter {
      const waiter = new Waiter();
      const host = this.cluster.pick(anyHost) as UpstreamHost;
      this.cluster.httpPool(host, priority, HttpVersion.Http11, options).newStream(waiter);
      return waiter;
    }
  }

  it('holds over all hosts, until a pool has lost its last connection', () => {
    const bench = new Limited(1);
    expect(bench.askNext().log).toEqual([]);
    expect(bench.askNext().log).toEqual(['no-healthy-upstream -']);
    expect(bench.stats).toMatchObject({ upstream_cx_pool_overflow: 1, upstream_cx_total: 1 });
    const connection = bench.world.network.dials[0].succeed();
    connection.receive(ok);
    connection.close(ClosedByPeer);
    expect(bench.askNext().log).toEqual([]);
    expect(bench.askNext().log).toEqual(['no-healthy-upstream -']);
  });

  it('is of one priority', () => {
    const bench = new Limited(0);
    expect(bench.askNext().log).toEqual(['no-healthy-upstream -']);
    expect(bench.askNext(undefined, 1).log).toEqual([]);
  });

  it('lets an idle pool of the host go for another', () => {
    const bench = new Limited(1);
    bench.cluster.updateHosts([hostData('10.0.0.1')]);
    const first = bench.askNext();
    expect(bench.askNext(named('a')).log).toEqual(['no-healthy-upstream -']);
    const connection = bench.world.network.dials[0].succeed();
    connection.receive(ok);
    expect(first.log).toContain('200');
    expect(bench.askNext(named('a')).log).toEqual([]);
    expect(connection.isOpen).toBe(false);
    expect(bench.askNext().log).toEqual(['no-healthy-upstream -']);
  });

  it('leaves no pool behind whose only request was given up', () => {
    const bench = new Limited(1);
    bench.cluster.updateHosts([hostData('10.0.0.1')]);
    const waiter = new Waiter();
    const host = bench.cluster.pick(anyHost) as UpstreamHost;
    const pool = bench.cluster.httpPool(host, 0);
    pool.newStream(waiter);
    bench.world.network.dials[0].fail(RemoteConnectionFailure);
    expect(waiter.log).toEqual(['remote-connection-failure 10.0.0.1:80']);
    expect(bench.askNext(named('a')).log).toEqual([]);
  });

  it('comes with the runtime, for pools that were there before too', () => {
    const bench = new Limited(null);
    bench.cluster.updateHosts([hostData('10.0.0.1')]);
    bench.askNext();
    const connection = bench.world.network.dials[0].succeed();
    connection.receive(ok);
    bench.world.runtime.update(runtimeOf({ 'circuit_breakers.c.default.max_connection_pools': '0' }));
    bench.cluster.onRuntimeChanged();
    expect(connection.isOpen).toBe(false);
    expect(bench.askNext().log).toEqual(['no-healthy-upstream -']);
  });
});

describe('transports of a cluster that another has replaced', () => {
  it('are released when nobody uses them any more', () => {
    const bench = new Bench();
    const waiter = bench.ask();
    bench.cluster.drain();
    expect(bench.transport.isReleased).toBe(false);
    const connection = bench.world.network.dials[0].succeed();
    expect(bench.transport.isReleased).toBe(false);
    connection.receive(ok);
    expect(waiter.log).toContain('200');
    expect(bench.transport.isReleased).toBe(true);
  });

  it('at once, where nobody does', () => {
    const bench = new Bench();
    bench.cluster.drain();
    expect(bench.transport.isReleased).toBe(true);
  });
});

describe('a host’s own name', () => {
  it('is the SNI where nobody asks for another', () => {
    const bench = new Bench('http1', true);
    bench.ask();
    bench.ask(named('b'));
    expect(bench.transport.wanted.map(({ serverName }) => serverName)).toEqual(['a.test', 'b']);
  });

  it('is none where it has none', () => {
    const bench = new Bench('http1', true, { hosts: [hostData('10.0.0.1')] });
    bench.ask();
    expect(bench.transport.wanted[0].serverName).toBe('');
  });
});

it('who asks the very same as the one before gets its pool, as long as that is there', () => {
  const bench = new Bench();
  const options = named('a');
  const pool = (): unknown => bench.cluster.httpPool(bench.host, 0, HttpVersion.Http11, options);
  const first = pool();
  expect(pool()).toBe(first);
  expect(bench.cluster.httpPool(bench.host, 1, HttpVersion.Http11, options)).not.toBe(first);
  expect(pool()).toBe(first);
  bench.host.keyedPools!.dropHttp(first as Parameters<NonNullable<UpstreamHost['keyedPools']>['dropHttp']>[0]);
  expect(pool()).not.toBe(first);
});
