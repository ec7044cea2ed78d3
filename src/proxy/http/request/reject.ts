import type { LocalReply } from '../../../filter/filter.ts';

/** Why a request goes no further than the connection manager. */
export interface Reject extends LocalReply {
  readonly flags: number;
  /** The connection must end with this answer. */
  readonly close: boolean;
}
