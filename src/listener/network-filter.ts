import type { Connection } from '../core/connection.ts';
import type { Outcome } from '../observe/outcome.ts';
import type { ConnectionNotes } from '../observe/connection-notes.ts';

/** What a filter chain does with a connection: `proxy/http` and `proxy/tcp` implement it. */
export interface ConnectionHandler {
  /** `notes`: of the filters in front; null: there are none. */
  handle(connection: Connection, filterChainName: string, notes?: ConnectionNotes | null): ActiveConnection;
  /** It has closed before the filters in front let it come here: it is counted and logged all the same. */
  refused?(connection: Connection, filterChainName: string, notes: ConnectionNotes): void;
  /**
   * Answers from here on ask their clients to go (`connection: close`): all of them, or more and more as
   * `--drain-strategy` says. Idle connections stay: a request may be on its way, and closing would lose it.
   */
  drain(atOnce: boolean): void;
  /** Closes connections that are idle, and the others when they have become so. */
  end(): void;
  /** Closes every connection as it is. */
  closeAll(): void;
  /** `reduce_timeouts` says otherwise than before. Absent: it has no timeouts of that kind. */
  overloadChanged?(): void;
  /** Its last connection has gone, and no other comes. Absent: it holds on to nothing. */
  release?(): void;
}

export interface ActiveConnection {
  readonly isIdle: boolean;
  /**
   * What it knows of its connection, which has closed: for the listener's access log, whose listener adds what any
   * connection has.
   */
  connectionOutcome?(): Outcome;
}
