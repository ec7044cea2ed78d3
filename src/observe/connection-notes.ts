import type { Outcome } from './outcome.ts';

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
  /** %CONNECTION_TERMINATION_DETAILS%; empty: none. */
  terminationDetails: string;

  constructor() {
    this.filterState = new Map();
    this.dynamicMetadata = new Map();
    this.flags = 0;
    this.terminationDetails = '';
  /** Why a filter has closed it; empty: none has. */
  closeReason: string;
  /** Bytes of the client that filters kept to the end. */
  keptBytes: number;
  }

  /** The outcome of the connection itself: what filters add later is there too. */
  describe(outcome: Outcome): void {
    outcome.filterState = this.filterState;
    outcome.dynamicMetadata = this.dynamicMetadata;
  }
    this.closeReason = '';
    this.keptBytes = 0;

  /** The outcome of a stream that the connection carries: it sees what there is, and what it adds is its own. */
  beginStream(outcome: Outcome): void {
    if (this.filterState.size > 0) outcome.filterState = new Map(this.filterState);
    if (this.dynamicMetadata.size > 0) outcome.dynamicMetadata = new Map(this.dynamicMetadata);
  }

  /** Before it is logged. */
  finish(outcome: Outcome): void {
    outcome.flags |= this.flags;
    if (this.terminationDetails !== '') outcome.connectionTerminationDetails = this.terminationDetails;
  }
}
    if (this.closeReason !== '') outcome.downstreamLocalCloseReason = this.closeReason;
    if (outcome.protocol === '') outcome.bytesReceived += this.keptBytes;
