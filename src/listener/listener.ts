import { isDeepStrictEqual } from 'node:util';
import type { Timed } from '../core/clock.ts';
import type { Connection, ConnectionOwner } from '../core/connection.ts';
import { DownstreamLocalClose } from '../core/failures.ts';
import type { Address } from '../core/peer.ts';
import type { AcceptHandler, ListenOptions, ListeningSocket, Network } from '../net/network.ts';
import type { AccessLog } from '../observe/access-log.ts';
import { ResponseFlag } from '../core/failure.ts';
import { Outcome } from '../observe/outcome.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../observe/stats.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { FilterChainMatcher, type Candidate } from './filter-chain-matcher.ts';
import type { ListenerData } from './listener-data.ts';
import type { ConnectionHandler } from './network-filter.ts';

/** A filter chain with its terminal filter built. */
export interface FilterChain {
  readonly name: string;
  readonly handler: ConnectionHandler;
}

/** What a listener has around it in its worker. */
export interface ListenerSurroundings {
  readonly network: Network;
  /** `listener.<address>`. */
  readonly scope: StatsScope;
  readonly workerName: string;
  /** `server.total_connections`. */
  readonly processActive: Gauge;
  readonly limit: ConnectionLimit;
}

/** One configured listener in one worker: its sockets, and which filter chain gets a connection. */
export class Listener implements AcceptHandler, ConnectionOwner, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly data: ListenerData;
  private readonly network: Network;
  private readonly matcher: FilterChainMatcher<FilterChain>;
  private readonly chains: readonly FilterChain[];
  private readonly defaultChain: FilterChain | null;
  private readonly accessLogs: readonly AccessLog[];
  private readonly scope: StatsScope;
  private readonly cxTotal: Counter;
  private readonly cxDestroy: Counter;
  private readonly cxActive: Gauge;
  private readonly workerCxTotal: Counter;
  private readonly workerCxActive: Gauge;
  private readonly cxLengthMs: Histogram;
  /** Of all listeners together. */
  private readonly processActive: Gauge;
  private readonly limit: ConnectionLimit;
  /** Parallel to `data.addresses`; null: handed over. */
  private sockets: (ListeningSocket | null)[];
  private active: number;
  private whenEmpty: (() => void) | null;

  constructor(
    data: ListenerData,
    candidates: readonly Candidate<FilterChain>[],
    defaultChain: FilterChain | null,
    accessLogs: readonly AccessLog[],
    { network, scope, workerName, processActive, limit }: ListenerSurroundings,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.data = data;
    this.network = network;
    this.matcher = new FilterChainMatcher(candidates);
    this.chains = candidates.map((candidate) => candidate.chain);
    this.defaultChain = defaultChain;
    this.accessLogs = accessLogs;
    this.scope = scope;
    this.cxTotal = scope.counter('downstream_cx_total');
    this.cxDestroy = scope.counter('downstream_cx_destroy');
    this.cxActive = scope.gauge('downstream_cx_active');
    this.workerCxTotal = scope.counter(`${workerName}.downstream_cx_total`);
    this.workerCxActive = scope.gauge(`${workerName}.downstream_cx_active`);
    this.cxLengthMs = scope.histogram('downstream_cx_length_ms');
    for (const name of ['downstream_cx_overflow', 'no_filter_chain_match']) scope.counter(name);
    this.processActive = processActive;
    processActive.add(0);
    this.limit = limit;
    this.sockets = [];
    this.active = 0;
    this.whenEmpty = null;
  }

  get activeConnections(): number {
    return this.active;
  }

  /**
   * Takes over the sockets of the listener that it replaces, where the address is the same, so that no connection in
   * their queues is lost; binds the others. `ports` are those that the first worker got where port 0 was asked for.
   */
  async open(ports: readonly number[] | null, before: Listener | null): Promise<readonly Address[]> {
    const options = this.listenOptions();
    for (const [i, configured] of this.data.addresses.entries()) {
      const port = configured.port === 0 ? (ports?.[i] ?? 0) : configured.port;
      const taken = before?.give(configured, options) ?? null;
      if (taken !== null) taken.handler = this;
      this.sockets.push(taken ?? (await this.network.listen({ ...configured, port }, options, this)));
    }
    return this.sockets.map((socket) => socket!.address);
  }

  /** Hands the socket of `address` over to the listener that takes this one's place; null: there is none like it. */
  private give(address: Address, options: ListenOptions): ListeningSocket | null {
    const index = this.data.addresses.findIndex((own) => isDeepStrictEqual(own, address));
    const isSame = isDeepStrictEqual(options, this.listenOptions());
    if (index < 0 || !isSame) return null;
    const socket = this.sockets[index] ?? null;
    this.sockets[index] = null;
    return socket;
  }

  private listenOptions(): ListenOptions {
    const { reusePort, backlog, ipv6Only, pipeMode, bufferLimit, keepAliveSeconds } = this.data;
    return { reusePort, backlog, ipv6Only, pipeMode, bufferLimit, keepAliveSeconds };
  }

  /** Stops accepting. */
  close(): void {
    for (const socket of this.sockets) socket?.close();
    this.sockets = [];
  }

  /** The process ends: stops accepting and closes what is idle; `done` when the last connection has gone. */
  end(done: () => void): void {
    this.close();
    for (const handler of this.handlers()) handler.end();
    this.waitUntilEmpty(done);
  }

  /**
   * Another listener takes its place, or none: stops accepting, and the open connections go with their next answer.
   * Those that are left when the drain time is over are closed, as in Envoy. `done` when the last has gone.
   */
  retire(drainTimeMs: number, done: () => void): void {
    this.close();
    // Who stayed would be served by a configuration that is no longer in force.
    for (const handler of this.handlers()) handler.drain(true);
    this.waitUntilEmpty(done);
    if (this.active > 0) this.network.timers.schedule(this, this.network.clock.now + drainTimeMs);
  }

  /** The drain time is over. */
  tick(): void {
    for (const handler of this.handlers()) handler.closeAll();
  }

  /** Answers ask their clients to go; new connections are still accepted. */
  askToFinish(): void {
    for (const handler of this.handlers()) handler.drain(false);
  }

  private handlers(): readonly ConnectionHandler[] {
    const handlers = this.chains.map((chain) => chain.handler);
    if (this.defaultChain !== null) handlers.push(this.defaultChain.handler);
    return handlers;
  }

  private waitUntilEmpty(done: () => void): void {
    if (this.active === 0) done();
    else this.whenEmpty = done;
  }

  onAccepted(connection: Connection): void {
    if (this.limit.isReached) {
      this.scope.counter('downstream_cx_overflow').inc();
      connection.destroy(DownstreamLocalClose);
      return;
    }
    this.limit.opened();
    this.cxTotal.inc();
    this.cxActive.inc();
    this.workerCxTotal.inc();
    this.workerCxActive.inc();
    this.processActive.inc();
    this.active++;
    connection.owner = this;
    const chain =
      this.matcher.find({ peer: connection.peer, applicationProtocols: connection.peer.applicationProtocols }) ??
      this.defaultChain;
    if (chain === null) this.refuse(connection);
    else chain.handler.handle(connection, chain.name);
  }

  onAcceptFailure(): void {
    this.scope.counter('downstream_cx_overflow').inc();
  }

  onConnectionClosed(connection: Connection): void {
    this.cxDestroy.inc();
    this.limit.closed();
    this.cxActive.dec();
    this.workerCxActive.dec();
    this.processActive.dec();
    this.cxLengthMs.record(this.network.clock.now - connection.openedMs);
    this.active--;
    if (this.active > 0 || this.whenEmpty === null) return;
    const done = this.whenEmpty;
    this.whenEmpty = null;
    this.network.timers.cancel(this);
    done();
  }

  /** No filter chain wants it: Envoy closes it, and the listener's own access log says why. */
  private refuse(connection: Connection): void {
    this.scope.counter('no_filter_chain_match').inc();
    if (this.accessLogs.length > 0) {
      const { clock } = this.network;
      const outcome = new Outcome();
      outcome.startMs = connection.openedMs;
      outcome.startEpochMs = clock.epochMs;
      outcome.endMs = clock.now;
      outcome.peer = connection.peer;
      outcome.connectionId = connection.id;
      outcome.flags = ResponseFlag.NoRouteFound;
      outcome.details = 'filter_chain_not_found';
      for (const log of this.accessLogs) log.log(outcome);
    }
    connection.destroy(DownstreamLocalClose.with('filter_chain_not_found'));
  }
}
