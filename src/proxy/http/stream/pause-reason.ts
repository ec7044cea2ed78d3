/**
 * Why a sender waits. Several may want it at once, and it goes on when the last of them has let go; each may say so more
 * than once, so a reason is a bit and not a count.
 */
export const PauseReason = {
  /** What follows does not take it: the upstream's connection for requests, the client's for responses. */
  SlowReader: 1,
  /** A filter holds more than may be held. */
  FilterHolds: 2,
  /** A filter paces the message itself. */
  FilterPaces: 4,
  /** No upstream takes the request yet, and what may be kept for it is full. */
  ReplayFull: 8,
} as const;
export type PauseReason = (typeof PauseReason)[keyof typeof PauseReason];
