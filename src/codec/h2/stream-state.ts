/**
 * States of a stream (RFC 9113 section 5.1), without the reserved ones: push is refused.
 *
 *                              +--------+
 *                              |  Idle  |
 *                              +--------+
 *                       send or receive HEADERS
 *                                  |
 *                                  v
 *                              +--------+
 *               receive END    |        |    send END
 *                 ,------------|  Open  |-----------.
 *                 |            |        |            |
 *                 v            +--------+            v
 *          +--------------+        |         +--------------+
 *          |  HalfClosed  |        |         |  HalfClosed  |
 *          |    Remote    |        |         |    Local     |
 *          +--------------+        |         +--------------+
 *                 |           send or receive        |
 *                 | send END      RESET  receive END |
 *                 | or RESET       |        or RESET |
 *                 |                v                 |
 *                 |            +--------+            |
 *                 `----------->| Closed |<-----------'
 *                              +--------+
 *
 * A frame with END_STREAM is two events. Zero is no state: what has no transition is a protocol error.
 */
export const StreamState = { Idle: 1, Open: 2, HalfClosedLocal: 3, HalfClosedRemote: 4, Closed: 5 } as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

/** What happens to a stream. */
export const StreamEvent = {
  ReceiveHeaders: 0,
  ReceiveData: 1,
  ReceiveEnd: 2,
  ReceiveReset: 3,
  ReceiveWindowUpdate: 4,
  SendHeaders: 5,
  SendData: 6,
  SendEnd: 7,
  SendReset: 8,
} as const;
export type StreamEvent = (typeof StreamEvent)[keyof typeof StreamEvent];

const eventCount = 9;
const { Open, HalfClosedLocal, HalfClosedRemote, Closed } = StreamState;

// A row per state, a column per event in the order of StreamEvent.
const rows: readonly (readonly number[])[] = [
  [],
  /* Idle */ [Open, 0, 0, 0, 0, Open, 0, 0, 0],
  /* Open */ [Open, Open, HalfClosedRemote, Closed, Open, Open, Open, HalfClosedLocal, Closed],
  /* HalfClosedLocal */ [HalfClosedLocal, HalfClosedLocal, Closed, Closed, HalfClosedLocal, 0, 0, 0, Closed],
  /* HalfClosedRemote */ [0, 0, 0, Closed, HalfClosedRemote, HalfClosedRemote, HalfClosedRemote, Closed, Closed],
  // Late frames that may cross the end of a stream: RST_STREAM and WINDOW_UPDATE.
  /* Closed */ [0, 0, 0, Closed, Closed, 0, 0, 0, 0],
];

const next = Uint8Array.from(rows.flatMap((row) => (row.length === 0 ? Array<number>(eventCount).fill(0) : row)));

/** The state behind `event`; 0: the event must not happen in `state`. */
export function nextState(state: StreamState, event: StreamEvent): StreamState | 0 {
  return next[state * eventCount + event] as StreamState | 0;
}

/** The peer may still send HEADERS and DATA. */
export function canReceive(state: StreamState): boolean {
  return state === StreamState.Open || state === StreamState.HalfClosedLocal;
}

/** We may still send HEADERS and DATA. */
export function canSend(state: StreamState): boolean {
  return state === StreamState.Open || state === StreamState.HalfClosedRemote;
}
