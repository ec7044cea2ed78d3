import type { Peer } from '../core/peer.ts';
import type { Outcome } from './outcome.ts';

/** Of a connection that no network filter is in front of; null: it brought nothing. */
export function passedNotes({ filterState = null }: Peer): ConnectionNotes | null {
  return filterState === null ? null : new ConnectionNotes(filterState);
}

/**
 * What the network filters of one connection leave for those behind them, for the streams that it carries, and for logs.
 * Only connections of chains that have such filters have notes.
 */
export class ConnectionNotes {
  readonly filterState: Map<string, unknown>;
  /** Filter name → value. */
  readonly dynamicMetadata: Map<string, unknown>;
  /** Bits of ResponseFlag. */
  flags: number;
  /** %RESPONSE_CODE_DETAILS%; empty: none. */
  details: string;
  /** %CONNECTION_TERMINATION_DETAILS%; empty: none. */
  terminationDetails: string;
  /** Why a filter has closed it; empty: none has. */
  closeReason: string;
  /** Bytes of the client that filters kept to the end. */
  keptBytes: number;

  /** `passed`: objects of filter state that came with the connection; null: none. */
  constructor(passed: ReadonlyMap<string, unknown> | null = null) {
    this.filterState = new Map(passed);
    this.dynamicMetadata = new Map();
    this.flags = 0;
    this.details = '';
    this.terminationDetails = '';
    this.closeReason = '';
    this.keptBytes = 0;
  }

  /** The outcome of the connection itself: what filters add later is there too. */
  describe(outcome: Outcome): void {
    // What listener filters noted, or what came with the connection.
    for (const [namespace, value] of outcome.dynamicMetadata ?? []) this.dynamicMetadata.set(namespace, value);
    outcome.filterState = this.filterState;
    outcome.dynamicMetadata = this.dynamicMetadata;
  }

  /**
   * The outcome of a stream that the connection carries: it sees the filter state that there is, and what it adds is its
   * own. Dynamic metadata are the connection's alone, as in Envoy.
   */
  beginStream(outcome: Outcome): void {
    if (this.filterState.size > 0) outcome.filterState = new Map(this.filterState);
  }

  /** Before it is logged. */
  finish(outcome: Outcome): void {
    outcome.flags |= this.flags;
    if (this.details !== '') outcome.details = this.details;
    if (this.terminationDetails !== '') outcome.connectionTerminationDetails = this.terminationDetails;
    if (this.closeReason !== '') outcome.downstreamLocalCloseReason = this.closeReason;
    if (outcome.protocol === '') outcome.bytesReceived += this.keptBytes;
  }
}
