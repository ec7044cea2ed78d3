import { describe, expect, it } from 'vitest';
import type { HttpPool } from '../../src/cluster/cluster.ts';
import { ClosedByPeer, LocalReset, RemoteConnectionFailure } from '../../src/core/failures.ts';
import type { CodecStream } from '../../src/core/message-sink.ts';
import type { RequestHead } from '../../src/core/head.ts';
import { Bench, http, limited, Waiter } from '../unit/cluster/pool/http-bench.ts';
import {
  data,
  Frame,
  frame,
  framesIn,
  goAway,
  maxConcurrentStreams,
  ok,
  resetStream,
} from '../unit/cluster/pool/h2-wire.ts';
import type { MemoryConnection } from '../unit/cluster/memory-network.ts';
import * as fc from './chance.ts';

/** Knows when it is over, and that it is over once. */
class Asker extends Waiter {
  readonly pool: HttpPool;
  isWaiting = true;
  endings = 0;

  constructor(pool: HttpPool) {
    super();
    this.pool = pool;
  }

  override onPoolReady(stream: CodecStream<RequestHead>): void {
    this.isWaiting = false;
    super.onPoolReady(stream);
  }

  override onPoolFailure(): void {
    this.isWaiting = false;
    this.endings++;
  }

  override head(_head: unknown, end: boolean): void {
    if (end) this.endings++;
  }

  override data(_chunk: Uint8Array, end: boolean): void {
    if (end) this.endings++;
  }

  override reset(): void {
    this.endings++;
  }
}

/** The upstream's end of a connection: which streams it has not answered. */
class Server {
  readonly connection: MemoryConnection;
  readonly open = new Set<number>();
  private last = 0;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
    connection.receive(frame(Frame.Settings, 0, 0));
  }

  look(): void {
    for (const line of framesIn(this.connection.take())) {
      const [name, id] = line.split(' ');
      if (name === 'HEADERS') this.open.add((this.last = Number(id)));
      if (name === 'RST_STREAM') this.open.delete(Number(id));
    }
  }

  /** Says something of one of the open streams. */
  say(pick: number, words: (id: number) => string): void {
    this.look();
    const ids = [...this.open];
    if (ids.length === 0 || !this.connection.isOpen) return;
    const id = ids[pick % ids.length];
    this.open.delete(id);
    this.connection.receive(words(id));
  }

  goAway(taken: boolean): void {
    this.look();
    if (!this.connection.isOpen) return;
    const last = taken ? this.last : 0;
    for (const id of this.open) if (id > last) this.open.delete(id);
    this.connection.receive(goAway(last));
  }
}

const actions = [
  'ask',
  'ask',
  'ask',
  'connect',
  'refuse',
  'answer',
  'answer',
  'answer in two',
  'reset',
  'refuse stream',
  'give up',
  'GOAWAY',
  'GOAWAY for all',
  'settings',
  'FIN',
  'RST',
  'nonsense',
  'full',
  'room',
  'time',
  'drain',
] as const;

/** A pool, its askers and its upstream, in any order of events. */
class Walk {
  readonly bench: Bench;
  readonly askers: Asker[] = [];
  private readonly servers: Server[] = [];
  private dialled = 0;

  constructor(streams: number, requests: number) {
    this.bench = new Bench({
      ...limited({ maxConnections: 4, maxRequests: 20, maxPendingRequests: 8 }),
      http: {
        ...http,
        protocol: 'http2',
        idleTimeoutMs: 5000,
        maxConnectionDurationMs: 20_000,
        maxRequestsPerConnection: requests,
        http2: { ...http.http2, maxConcurrentStreams: streams },
      },
    });
  }

  do(action: (typeof actions)[number], pick: number): void {
    const server = this.servers.length === 0 ? null : this.servers[pick % this.servers.length];
    const isOpen = server !== null && server.connection.isOpen;
    if (action === 'ask') this.ask();
    else if (action === 'connect') this.dial((index) => this.servers.push(new Server(this.bench.connect(index))));
    else if (action === 'refuse')
      this.dial((index) => this.bench.world.network.dials[index].fail(RemoteConnectionFailure));
    else if (action === 'give up') this.giveUp(pick);
    else if (action === 'time') this.bench.world.network.advance(pick * 10);
    else if (action === 'drain') this.bench.cluster.drainPools();
    else if (isOpen) this.serve(server, action, pick);
  }

  private serve(server: Server, action: (typeof actions)[number], pick: number): void {
    const { connection } = server;
    if (action === 'answer') server.say(pick, (id) => ok(id));
    else if (action === 'answer in two') server.say(pick, (id) => ok(id, false) + data(id, 'x'));
    else if (action === 'reset') server.say(pick, (id) => resetStream(id, 2));
    else if (action === 'refuse stream') server.say(pick, (id) => resetStream(id, 7));
    else if (action === 'GOAWAY') server.goAway(true);
    else if (action === 'GOAWAY for all') server.goAway(false);
    else if (action === 'settings') connection.receive(maxConcurrentStreams(pick % 4));
    else if (action === 'FIN') connection.peerEnded();
    else if (action === 'RST') connection.close(ClosedByPeer.with('read ECONNRESET'));
    else if (action === 'nonsense') connection.receive('what is this, and why so long?');
    else if (action === 'full') connection.accepts = false;
    else if (action === 'room') connection.drained();
  }

  /** Everybody goes; nothing may be left. */
  end(): void {
    for (let i = 0; i < this.askers.length; i++) this.giveUp(0);
    this.bench.host.leave(() => {});
    while (this.dialled < this.bench.dials) this.do('refuse', 0);
    for (const { connection } of this.servers) connection.close(ClosedByPeer);
  }

  private ask(): void {
    const asker = new Asker(this.bench.cluster.httpPool(this.bench.host, 0));
    this.askers.push(asker);
    asker.pool.newStream(asker);
  }

  private dial(decide: (index: number) => void): void {
    const { dials } = this.bench.world.network;
    while (this.dialled < dials.length && dials[this.dialled].isCancelled) this.dialled++;
    if (this.dialled < dials.length) decide(this.dialled++);
  }

  private giveUp(pick: number): void {
    const open = this.askers.filter(({ endings }) => endings === 0);
    if (open.length === 0) return;
    const asker = open[pick % open.length];
    asker.endings++;
    if (asker.isWaiting) asker.pool.cancel(asker);
    else asker.stream!.reset(LocalReset);
  }
}

describe('an HTTP/2 pool', () => {
  it('ends every stream once and leaves nothing behind, whatever happens', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...actions), fc.nat(1000)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 6 }), (walk, streams, requests) => {
        const world = new Walk(streams, requests);
        for (const [action, pick] of walk) world.do(action, pick);
        const limits = [world.bench.limit('cx'), world.bench.limit('rq'), world.bench.limit('rq_pending')];
        // A pool without a connection may always have one, and a drain makes way for another pool.
        const pools = new Set(world.askers.map(({ pool }) => pool));
        expect(limits[0]).toBeLessThanOrEqual(4 + pools.size);
        expect(limits[1]).toBeLessThanOrEqual(20);
        world.end();
        expect(world.askers.filter(({ endings }) => endings !== 1)).toEqual([]);
        expect(['cx', 'rq', 'rq_pending'].map((name) => world.bench.limit(name))).toEqual([0, 0, 0]);
        expect(Object.keys(world.bench.stats).filter((name) => name.endsWith('active'))).toEqual([]);
        expect(world.bench.world.network.timers.size).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});
