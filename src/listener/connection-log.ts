import type { Clock } from '../core/clock.ts';
import type { Connection } from '../core/connection.ts';
import { ResponseFlag } from '../core/failure.ts';
import type { Peer } from '../core/peer.ts';
import type { AccessLog } from '../observe/access-log/access-log.ts';
import { Outcome, type Metadata } from '../observe/outcome.ts';
import type { ActiveConnection } from './network-filter.ts';

/** A connection that a filter chain has. */
interface Entry {
  readonly chain: string;
  readonly active: ActiveConnection;
}

/** A listener's own access log: a line for each connection, when it has closed or nobody wants it. */
export class ConnectionLog {
  private readonly logs: readonly AccessLog[];
  private readonly clock: Clock;
  private readonly metadata: Metadata | null;
  private readonly entries: Map<number, Entry>;

  /** `metadata`: the listener's. */
  constructor(logs: readonly AccessLog[], clock: Clock, metadata: Metadata | null) {
    this.logs = logs;
    this.clock = clock;
    this.metadata = metadata;
    this.entries = new Map();
  }

  /** The addresses are gone once the socket is. */
  accepted({ peer }: Connection): void {
    void peer.remote;
    void peer.local;
  }

  /** No filter chain wants it. */
  refused(connection: Connection): void {
    const outcome = new Outcome();
    outcome.flags = ResponseFlag.NoRouteFound;
    outcome.details = 'filter_chain_not_found';
    this.write(outcome, connection, connection.peer);
  }

  /** It has died before a filter chain was chosen. */
  died(connection: Connection, peer: Peer): void {
    this.write(new Outcome(), connection, peer);
  }

  begun(connection: Connection, chain: string, active: ActiveConnection): void {
    this.entries.set(connection.id, { chain, active });
  }

  /** `connection`: as the filter chain had it. */
  ended(connection: Connection): void {
    const entry = this.entries.get(connection.id);
    if (entry === undefined) return;
    this.entries.delete(connection.id);
    const outcome = entry.active.connectionOutcome?.() ?? new Outcome();
    outcome.filterChainName = entry.chain;
    outcome.connectionId = connection.id;
    outcome.bytesReceived = connection.bytesRead;
    outcome.bytesSent = connection.bytesWritten;
    this.write(outcome, connection, connection.peer);
  }

  private write(outcome: Outcome, connection: Connection, peer: Peer): void {
    const { clock } = this;
    outcome.startMs = connection.openedMs;
    outcome.startEpochMs = clock.epochMs - (clock.now - connection.openedMs);
    outcome.endMs = clock.now;
    outcome.peer = peer;
    outcome.accessLogType = 'NotSet';
    outcome.listenerMetadata = this.metadata;
    if (outcome.downstreamTransportFailureReason === '')
      outcome.downstreamTransportFailureReason = peer.transportFailureReason ?? '';
    const noted = peer.dynamicMetadata ?? null;
    if (noted !== null) outcome.dynamicMetadata = new Map(noted);
    const passed = peer.filterState ?? null;
    if (passed !== null) outcome.filterState ??= new Map(passed);
    for (const log of this.logs) log.log(outcome);
  }
}
