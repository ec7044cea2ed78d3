import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { Timed } from '../core/clock.ts';
import type { AcceptedConnection, Connection, ConnectionOwner } from '../core/connection.ts';
import { DownstreamLocalClose } from '../core/failures.ts';
import type { Address, Peer } from '../core/peer.ts';
import type { AcceptHandler, ListenOptions, ListeningSocket, Network } from '../net/network.ts';
import type { DownstreamTransport } from '../net/transport.ts';
import type { AccessLog } from '../observe/access-log/access-log.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../observe/stats/stats.ts';
import type { Admission } from './admission.ts';
import { ConnectionLog } from './connection-log.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { InspectedPeer } from './filters/inspected-peer.ts';
import { Inspection, type ConfiguredFilter, type InspectionUser } from './filters/inspection.ts';
import type { ListenerData } from './listener-data.ts';
import type { ListenerChoice } from './listeners-by-address.ts';
import type { ConnectionHandler } from './network-filter.ts';

/** A filter chain with its terminal filter built. */
export interface FilterChain {
  readonly name: string;
  readonly handler: ConnectionHandler;
  /** Null: the connection itself, plain text. */
  readonly transport: DownstreamTransport | null;
  /** How long its handshake may take; 0: as long as it likes. */
  readonly handshakeTimeoutMs: number;
}

/** Which filter chain a connection gets; null: none wants it. */
export interface FilterChainChoice {
  find(peer: Peer): FilterChain | null;
}

/** A listener's configured parts, built. */
export interface ListenerParts {
  readonly filters: readonly ConfiguredFilter[];
  /** All of them, the default one too. */
  readonly chains: readonly FilterChain[];
  readonly choice: FilterChainChoice;
  readonly accessLogs: readonly AccessLog[];
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
  /** Absent: everybody is let in. */
  readonly admission?: Admission | undefined;
  /** For listeners that hand over; absent: there are no others. */
  readonly others?: ListenerChoice | undefined;
}

/** Shown from the start, as in Envoy. */
const rareCounterNames = [
  'downstream_cx_overflow',
  'downstream_cx_overload_reject',
  'downstream_global_cx_overflow',
  'downstream_cx_transport_socket_connect_timeout',
  'no_filter_chain_match',
];

function releaseAll(chains: readonly FilterChain[]): void {
  for (const { transport, handler } of chains) {
    transport?.release?.();
    handler.release?.();
  }
}

/** Filter chains that their listener has no more, until the drain time is over. */
class LeavingChains implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly chains: readonly FilterChain[];
  private readonly done: () => void;

  constructor(chains: readonly FilterChain[], done: () => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.chains = chains;
    this.done = done;
    for (const { handler } of chains) handler.drain(true);
  }

  tick(): void {
    for (const { handler } of this.chains) handler.closeAll();
    releaseAll(this.chains);
    this.done();
  }
}

/** One configured listener in one worker: its sockets, and which filter chain gets a connection. */
export class Listener implements AcceptHandler, ConnectionOwner, InspectionUser, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  data: ListenerData;
  private readonly network: Network;
  private choice: FilterChainChoice;
  /** The default one last. */
  chains: readonly FilterChain[];
  /** Chains that it had, and whose connections may still be there. */
  private readonly leaving: Set<LeavingChains>;
  /** Null: no filter looks at connections. */
  private readonly inspection: Inspection | null;
  /** Null: nobody wants to know. */
  private readonly log: ConnectionLog | null;
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
  /** Null: everybody is let in. */
  private readonly admission: Admission | null;
  /** Null: what it accepts is its own. */
  private readonly others: ListenerChoice | null;
  /** Parallel to `data.addresses`; null: handed over. */
  private sockets: (ListeningSocket | null)[];
  private active: number;
  /** Of connections that no filter chain has: they are in no other count. */
  private readonly uncounted: ConnectionOwner;
  private whenEmpty: (() => void) | null;

  constructor(
    data: ListenerData,
    { filters, chains, choice, accessLogs }: ListenerParts,
    { network, scope, workerName, processActive, limit, admission, others }: ListenerSurroundings,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.data = data;
    this.network = network;
    this.choice = choice;
    this.chains = chains;
    this.leaving = new Set();
    const { clock, timers } = network;
    // Its stats are listed from the start.
    const inspection = new Inspection(this, {
      filters,
      scope,
      clock,
      timers,
      timeoutMs: data.listenerFiltersTimeoutMs,
      continuesOnTimeout: data.continueOnListenerFiltersTimeout,
    });
    this.inspection = filters.length === 0 ? null : inspection;
    this.log = accessLogs.length === 0 ? null : new ConnectionLog(accessLogs, clock, data.metadata);
    this.scope = scope;
    this.cxTotal = scope.counter('downstream_cx_total');
    this.cxDestroy = scope.counter('downstream_cx_destroy');
    this.cxActive = scope.gauge('downstream_cx_active');
    this.workerCxTotal = scope.counter(`${workerName}.downstream_cx_total`);
    this.workerCxActive = scope.gauge(`${workerName}.downstream_cx_active`);
    this.cxLengthMs = scope.histogram('downstream_cx_length_ms');
    for (const name of rareCounterNames) scope.counter(name);
    this.processActive = processActive;
    processActive.add(0);
    this.limit = limit;
    this.admission = admission ?? null;
    this.others = data.handsOver === true ? (others ?? null) : null;
    this.sockets = [];
    this.active = 0;
    this.uncounted = { onConnectionClosed: () => this.left() };
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
    if (!this.data.bindToPort) return this.data.addresses;
    for (const [i, configured] of this.data.addresses.entries()) {
      const options = this.listenOptions(i);
      const port = configured.port === 0 ? (ports?.[i] ?? 0) : configured.port;
      const taken = before?.give(configured, options) ?? null;
      if (taken !== null) taken.handler = this;
      this.sockets.push(taken ?? (await this.network.listen({ ...configured, port }, options, this)));
    }
    return this.sockets.map((socket) => socket!.address);
  }

  /** Hands the socket of `address` over to the listener that takes this one's place; null: there is none like it. */
  private give(address: Address, options: ListenOptions): ListeningSocket | null {
    // Whoever asked for any port may ask for the one that it got.
    const index = this.data.addresses.findIndex(
      (own, i) => isDeepStrictEqual(own, address) || isDeepStrictEqual(this.sockets[i]?.address, address),
    );
    // How much is buffered is no matter of the socket: whoever takes it over says so anew.
    const { bufferLimit } = options;
    const isSame = isDeepStrictEqual(options, { ...this.listenOptions(index), bufferLimit });
    if (index < 0 || !isSame) return null;
    const socket = this.sockets[index] ?? null;
    this.sockets[index] = null;
    return socket;
  }

  /** Of the socket at that place among the addresses. */
  private listenOptions(index: number): ListenOptions {
    const { reusePort, backlog, ipv6Only, pipeMode, bufferLimit, keepAliveSeconds, internalBufferBytes } = this.data;
    const { isTransparent, isFree, ownSocketOptions } = this.data;
    const socketOptions = ownSocketOptions?.[index] ?? this.data.socketOptions;
    const more = {
      ...(isTransparent && { isTransparent }),
      ...(isFree && { isFree }),
      ...(socketOptions && { socketOptions }),
    };
    const options = { reusePort, backlog, ipv6Only, pipeMode, bufferLimit, keepAliveSeconds, ...more };
    return internalBufferBytes === undefined ? options : { ...options, pairBufferBytes: internalBufferBytes };
  }

  /**
   * The same listener with other filter chains: connections of those that it has already stay, those of the others go
   * with their next answer, or when the drain time is over. `done` when the last has gone.
   */
  replaceChains(
    data: ListenerData,
    { chains, choice }: Pick<ListenerParts, 'chains' | 'choice'>,
    drainTimeMs: number,
    done: () => void,
  ): void {
    const gone = this.chains.filter((chain) => !chains.includes(chain));
    this.data = data;
    this.chains = chains;
    this.choice = choice;
    if (gone.length === 0) {
      done();
      return;
    }
    const leaving = new LeavingChains(gone, () => {
      this.leaving.delete(leaving);
      done();
    });
    this.leaving.add(leaving);
    this.network.timers.schedule(leaving, this.network.clock.now + drainTimeMs);
  }

  /** Whatever serves its connections. */
  private *handlers(): Iterable<ConnectionHandler> {
    for (const { handler } of this.chains) yield handler;
    for (const { chains } of this.leaving) for (const { handler } of chains) yield handler;
  }

  /** Stops accepting. */
  close(): void {
    for (const socket of this.sockets) socket?.close();
    this.sockets = [];
    this.admission?.close();
  }

  /** The process ends: stops accepting and closes what is idle; `done` when the last connection has gone. */
  end(done: () => void): void {
    this.close();
    this.inspection?.end();
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
    this.inspection?.end();
    for (const handler of this.handlers()) handler.drain(true);
    this.waitUntilEmpty(done);
    if (this.active > 0) this.network.timers.schedule(this, this.network.clock.now + drainTimeMs);
  }

  /** The drain time is over. */
  tick(): void {
    this.inspection?.closeAll();
    for (const handler of this.handlers()) handler.closeAll();
  }

  /** Answers ask their clients to go; new connections are still accepted. */
  askToFinish(): void {
    for (const handler of this.handlers()) handler.drain(false);
  }

  private waitUntilEmpty(done: () => void): void {
    const gone = (): void => {
      this.inspection?.release();
      releaseAll(this.chains);
      for (const leaving of this.leaving) {
        this.network.timers.cancel(leaving);
        leaving.tick();
      }
      done();
    };
    if (this.active === 0) gone();
    else this.whenEmpty = gone;
  }

  /** The overload manager says otherwise than before, of what is under way too. */
  overloadChanged(): void {
    for (let next = this.admission?.next() ?? null; next !== null; next = this.admission!.next()) this.onAccepted(next);
    for (const handler of this.handlers()) handler.overloadChanged?.();
  }

  onAccepted(connection: AcceptedConnection): void {
    if (this.admission !== null && !this.admission.admits(connection)) return;
    if (this.limit.isReached) {
      this.admission?.left();
      this.scope.counter('downstream_cx_overflow').inc();
      connection.destroy(DownstreamLocalClose);
      return;
    }
    this.receive(connection, false);
  }

  onAcceptFailure(): void {
    this.scope.counter('downstream_cx_overflow').inc();
  }

  /** `isHandedOver`: another listener has accepted it, and its first bytes are heard again. */
  private receive(connection: AcceptedConnection, isHandedOver: boolean): void {
    if (isHandedOver) this.admission?.adopted();
    this.limit.opened();
    this.active++;
    this.log?.accepted(connection);
    connection.owner = this.uncounted;
    if (this.data.internalBufferBytes === undefined) connection.bufferLimit = this.data.bufferLimit;
    if (this.inspection === null) this.onInspected(connection, false, isHandedOver);
    else this.inspection.begin(connection, isHandedOver);
  }

  onInspected(raw: AcceptedConnection, hasUnread: boolean, isHandedOver: boolean): void {
    const { others } = this;
    if (others !== null && !isHandedOver && raw.peer.local !== raw.peer.directLocal) {
      const other = others.find(raw.peer.local);
      if (other !== null) {
        other.receive(raw, true);
        this.left();
        return;
      }
    }
    const chain = this.choice.find(raw.peer);
    if (chain === null) {
      this.refuse(raw, hasUnread);
      return;
    }
    this.cxTotal.inc();
    this.cxActive.inc();
    this.workerCxTotal.inc();
    this.workerCxActive.inc();
    this.processActive.inc();
    const { handler, name, transport, handshakeTimeoutMs } = chain;
    // From here on it is what it is taken for: TLS that nobody ends is bytes.
    if (transport === null && raw.peer instanceof InspectedPeer) raw.peer.transportProtocol = 'raw_buffer';
    // Whoever closes last is counted once.
    raw.owner = null;
    const connection = transport === null ? raw : transport.accept(raw, this.handshakeMs(handshakeTimeoutMs));
    connection.owner = this;
    const active = handler.handle(connection, name);
    this.log?.begun(connection, name, active);
  }

  onInspectionFailed(connection: AcceptedConnection, peer: Peer): void {
    this.log?.died(connection, peer);
  }

  onConnectionClosed(connection: Connection): void {
    this.log?.ended(connection);
    this.cxDestroy.inc();
    this.cxActive.dec();
    this.workerCxActive.dec();
    this.processActive.dec();
    this.cxLengthMs.record(this.network.clock.now - connection.openedMs);
    this.left();
  }

  private handshakeMs(ms: number): number {
    return this.admission === null || this.admission.handshakes === null ? ms : this.admission.handshakes.scaled(ms);
  }

  private left(): void {
    this.limit.closed();
    this.admission?.left();
    this.active--;
    if (this.active > 0 || this.whenEmpty === null) return;
    const done = this.whenEmpty;
    this.whenEmpty = null;
    this.network.timers.cancel(this);
    done();
  }

  /** No filter chain wants it: Envoy closes it, and the listener's own access log says why. */
  private refuse(connection: Connection, hasUnread: boolean): void {
    this.scope.counter('no_filter_chain_match').inc();
    this.log?.refused(connection);
    const failure = DownstreamLocalClose.with('filter_chain_not_found');
    // As the kernel does where bytes were not read.
    if (hasUnread) connection.reset(failure);
    else connection.destroy(failure);
  }
}
