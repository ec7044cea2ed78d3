import type { AcceptedConnection } from '../../core/connection.ts';
import type { InspectedPeer } from './inspected-peer.ts';

/** What a listener filter thinks of a connection. */
export const Verdict = {
  /** The next filter may look. */
  Continue: 0,
  /** Call again when more bytes have come. */
  NeedMore: 1,
  /** The connection is closed. */
  Close: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A connection whose first bytes are looked at. */
export interface Inspected {
  readonly connection: AcceptedConnection;
  /** What filters find is written here. */
  readonly peer: InspectedPeer;
  /** All that has come and was not consumed. Whoever keeps some of it copies. */
  readonly bytes: Uint8Array;
  /** How far a filter has got in `bytes`, for its own use; 0 when it is first called. */
  progress: number;
  /** The filter chain never sees the next `size` bytes. */
  consume(size: number): void;
}

/** One of a listener's filters in one worker. It keeps nothing of a connection. */
export interface ListenerFilter {
  /** First with what there is, be it nothing; after `NeedMore` each time that more has come. */
  inspect(connection: Inspected): Verdict;
}
