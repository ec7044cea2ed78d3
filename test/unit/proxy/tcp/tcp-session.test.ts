import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { ClosedByPeer, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { ConnectionNotes } from '../../../../src/observe/connection-notes.ts';
import type { Outcome } from '../../../../src/observe/outcome.ts';
import type { TcpProxyData } from '../../../../src/proxy/tcp/tcp-proxy-data.ts';
import { TcpProxy } from '../../../../src/proxy/tcp/tcp-proxy.ts';
import { breaker, World } from '../../cluster/cluster-fixture.ts';
import { MemoryConnection } from '../../cluster/memory-network.ts';

const proxyData: TcpProxyData = {
  statPrefix: 't',
  clusters: [{ name: 'c', weight: 1, metadataMatch: null }],
  totalWeight: 1,
  idleMs: 3_600_000,
  connectAttemptsMax: 1,
  backOffBaseMs: 0,
  backOffMaxMs: 0,
  connectionDurationMaxMs: 0,
  accessLogs: [],
  accessLogFlushMs: 0,
  logOnConnected: false,
  logOnStart: false,
  connectsOnData: false,
  earlyBytesMax: null,
  closesOnDrain: false,
  durationJitterPercent: 0,
  tlvs: null,
  tunneling: null,
  hashPolicy: null,
};

class Bench {
  readonly world = new World();
  readonly logged: { type: string; outcome: Outcome }[] = [];
  readonly downstream = new MemoryConnection(1, { kind: 'ip', host: '192.0.2.1', port: 5 });
  readonly proxy: TcpProxy;

  constructor(change: Partial<TcpProxyData> = {}, cluster: Partial<ClusterData> = {}) {
    const { network, stats } = this.world;
    const only = this.world.cluster({ name: 'c', ...cluster });
    this.proxy = new TcpProxy({
      data: { ...proxyData, ...change },
      clusters: { get: (name) => (name === 'c' ? only : undefined) },
      accessLogs: [{ log: (outcome) => this.logged.push({ type: outcome.accessLogType, outcome }) }],
      scope: stats.scope('tcp.t'),
      clock: network.clock,
      timers: network.timers,
    });
    this.proxy.handle(this.downstream, '');
  }

  connect(): MemoryConnection {
    return this.world.network.dials.at(-1)!.succeed();
  }

  get outcome(): Outcome {
    return this.logged.at(-1)!.outcome;
  }
}

describe('a TCP session behind other filters', () => {
  it('goes to the cluster that they choose, and its log has what they left', () => {
    const bench = new Bench();
    const notes = new ConnectionNotes();
    notes.filterState.set('envoy.tcp_proxy.cluster', 'unknown');
    notes.terminationDetails = 'why';
    const client = new MemoryConnection(2, { kind: 'ip', host: '192.0.2.1', port: 6 });
    bench.proxy.handle(client, 'chain', notes);
    expect(bench.outcome.flags).toBe(ResponseFlag.NoClusterFound);
    expect(bench.outcome.connectionTerminationDetails).toBe('why');
    expect(bench.outcome.filterState!.get('envoy.tcp_proxy.cluster')).toBe('unknown');
  });

  it('is counted and logged where they refuse it', () => {
    const bench = new Bench();
    const notes = new ConnectionNotes();
    notes.flags = ResponseFlag.UnauthorizedExternalService;
    bench.proxy.refused(new MemoryConnection(2, { kind: 'ip', host: '192.0.2.1', port: 6 }), 'chain', notes);
    expect(bench.outcome).toMatchObject({ flags: notes.flags, filterChainName: 'chain' });
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({ downstream_cx_total: 2 });
  });
});

describe('a TCP session that hears its client before there is an upstream', () => {
  it('calls the upstream when the client has said something, and tells it all of that', () => {
    const bench = new Bench({ connectsOnData: true, earlyBytesMax: 6 });
    expect([bench.world.network.dials.length, bench.downstream.pauses]).toEqual([0, 0]);
    bench.downstream.receive('hello');
    expect([bench.world.network.dials.length, bench.downstream.pauses]).toEqual([1, 0]);
    bench.downstream.receive(' world');
    expect(bench.downstream.pauses).toBe(1);
    const upstream = bench.connect();
    expect([upstream.take(), bench.downstream.pauses]).toEqual(['hello world', 0]);
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({ early_data_received_count_total: 2 });
  });

  it('passes an end on that came early, and goes when there is nothing but an end', () => {
    const bench = new Bench({ earlyBytesMax: 100 });
    bench.downstream.receive('bye');
    bench.downstream.peerEnded();
    const upstream = bench.connect();
    expect([upstream.take(), upstream.hasEnded]).toEqual(['bye', true]);
    const silent = new Bench({ connectsOnData: true, earlyBytesMax: 100 });
    silent.downstream.peerEnded();
    expect(silent.logged).toHaveLength(1);
  });
});

describe('a TCP session', () => {
  it('closes when bytes pass while its listener ends, if it is told to', () => {
    const bench = new Bench({ closesOnDrain: true, logOnStart: true });
    bench.connect();
    bench.downstream.receive('a');
    bench.proxy.drain(true);
    expect(bench.logged.map(({ type }) => type)).toEqual(['TcpConnectionStart']);
    bench.downstream.receive('b');
    expect(bench.outcome.downstreamLocalCloseReason).toBe('tcp_proxy_drain_close');
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({ downstream_cx_drain_close: 1 });
  });

  it('has the idle timeout that a filter in front has set', () => {
    const bench = new Bench();
    const notes = new ConnectionNotes();
    notes.filterState.set('envoy.tcp_proxy.per_connection_idle_timeout_ms', '50');
    expect([bench.proxy.idleMsOf(notes), bench.proxy.idleMsOf(null)]).toEqual([50, 3_600_000]);
  });

  it('reads nothing before it is connected, and passes bytes both ways then', () => {
    const bench = new Bench();
    expect(bench.downstream.pauses).toBe(1);
    const upstream = bench.connect();
    expect(bench.downstream.pauses).toBe(0);
    bench.downstream.receive('ping');
    upstream.receive('pong!');
    expect([upstream.take(), bench.downstream.take()]).toEqual(['ping', 'pong!']);
    upstream.close(ClosedByPeer);
    expect(bench.outcome).toMatchObject({ bytesReceived: 4, bytesSent: 5, upstreamCluster: 'c' });
    expect(bench.logged.map(({ type }) => type)).toEqual(['TcpConnectionEnd']);
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({
      downstream_cx_total: 1,
      downstream_cx_rx_bytes_total: 4,
      downstream_cx_tx_bytes_total: 5,
    });
  });

  it('stops reading from one side while the other is full', () => {
    const bench = new Bench();
    const upstream = bench.connect();
    upstream.accepts = false;
    bench.downstream.receive('much');
    expect(bench.downstream.pauses).toBe(1);
    upstream.drained();
    expect(bench.downstream.pauses).toBe(0);
    bench.downstream.accepts = false;
    upstream.receive('much');
    expect(upstream.pauses).toBe(1);
    bench.downstream.drained();
    expect(upstream.pauses).toBe(0);
  });

  it('passes half-closes on', () => {
    const bench = new Bench();
    const upstream = bench.connect();
    bench.downstream.peerEnded();
    expect([upstream.hasEnded, bench.downstream.hasEnded]).toEqual([true, false]);
    upstream.receive('the answer');
    upstream.peerEnded();
    expect(bench.downstream.take()).toBe('the answer');
    expect(bench.downstream.hasEnded).toBe(true);
  });

  it('has the upstream take what a client that has gone had sent', () => {
    const bench = new Bench();
    const upstream = bench.connect();
    bench.downstream.receive('much');
    upstream.unsent = 4;
    bench.downstream.close(ClosedByPeer);
    upstream.receive('an answer that nobody hears');
    expect([upstream.isOpen, upstream.take()]).toEqual([true, 'much']);
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({ upstream_flush_total: 1, upstream_flush_active: 1 });
    upstream.flush();
    expect(upstream.isOpen).toBe(false);
    expect(bench.world.stats.counter('tcp.t.upstream_flush_active').value).toBe(0);
    expect(bench.logged.length).toBe(1);
  });

  it('does not wait for an upstream that has taken everything', () => {
    const bench = new Bench();
    const upstream = bench.connect();
    bench.downstream.close(ClosedByPeer);
    expect(upstream.isOpen).toBe(false);
    expect(bench.world.stats.counter('tcp.t.upstream_flush_total').value).toBe(0);
  });

  it('ends when there is no such cluster', () => {
    const bench = new Bench({ clusters: [{ name: 'other', weight: 1, metadataMatch: null }] });
    expect(bench.downstream.isOpen).toBe(false);
    expect(bench.outcome.flags & ResponseFlag.NoClusterFound).not.toBe(0);
    expect(bench.world.stats.read('tcp.t.')).toMatchObject({ downstream_cx_no_route: 1 });
  });

  it('ends when the cluster has no host', () => {
    const bench = new Bench({}, { hosts: [] });
    expect(bench.outcome.flags & ResponseFlag.NoHealthyUpstream).not.toBe(0);
  });

  it('ends where there may be no more connections, and a pool without a place is one that does not connect', () => {
    const limit = (change: object) => ({ breakers: [{ ...breaker, ...change }, breaker] }) as Partial<ClusterData>;
    const full = new Bench({}, limit({ maxConnections: 0 }));
    expect(full.outcome.flags).toBe(ResponseFlag.UpstreamOverflow);
    expect(full.world.stats.read()).toMatchObject({ upstream_cx_overflow: 1 });
    expect(full.world.network.dials).toHaveLength(0);
    const queued = new Bench({}, limit({ maxPendingRequests: 0 }));
    expect(queued.outcome.flags).toBe(ResponseFlag.UpstreamRetryLimitExceeded);
    expect(queued.world.stats.read()).toMatchObject({ upstream_cx_connect_attempts_exceeded: 1 });
  });

  it('tries again as often as it may', () => {
    const bench = new Bench({ connectAttemptsMax: 2 });
    const failure = RemoteConnectionFailure.with('delayed connect error: Connection refused');
    bench.world.network.dials[0].fail(failure);
    expect(bench.downstream.isOpen).toBe(true);
    bench.world.network.advance(1);
    bench.world.network.dials[1].fail(failure);
    expect(bench.downstream.isOpen).toBe(false);
    expect(bench.outcome.attemptCount).toBe(2);
    const flags = ResponseFlag.UpstreamConnectionFailure | ResponseFlag.UpstreamRetryLimitExceeded;
    expect(bench.outcome.flags & flags).toBe(flags);
  });

  it('gives up its dial when the client goes first', () => {
    const bench = new Bench();
    bench.downstream.close(ClosedByPeer);
    expect(bench.world.network.dials[0].isCancelled).toBe(true);
  });

  it('ends when nothing moves for the idle time, and when its time is over', () => {
    const idle = new Bench({ idleMs: 100 });
    const upstream = idle.connect();
    idle.world.network.advance(90);
    upstream.receive('still here');
    idle.world.network.advance(90);
    expect(idle.downstream.isOpen).toBe(true);
    idle.world.network.advance(10);
    expect(idle.downstream.isOpen).toBe(false);
    expect(idle.world.stats.read('tcp.t.')).toMatchObject({ idle_timeout: 1 });

    const long = new Bench({ connectionDurationMaxMs: 100 });
    long.connect();
    long.world.network.advance(100);
    expect(long.downstream.isOpen).toBe(false);
    expect(long.outcome.flags & ResponseFlag.DurationTimeout).not.toBe(0);
  });

  it('logs when it is connected and from time to time, if asked to', () => {
    const bench = new Bench({ logOnConnected: true, accessLogFlushMs: 50 });
    bench.connect();
    bench.world.network.advance(50);
    bench.world.network.advance(50);
    bench.downstream.close(ClosedByPeer);
    const types = ['TcpUpstreamConnected', 'TcpPeriodic', 'TcpPeriodic', 'TcpConnectionEnd'];
    expect(bench.logged.map(({ type }) => type)).toEqual(types);
  });
});
