import type { Failure } from './failure.ts';
import type { Peer } from './peer.ts';

/** A two-way byte pipe: a TCP socket, a TLS socket, an internal pipe, or one HTTP/2 CONNECT stream. */
export interface Connection {
  readonly id: number;
  /** Listener filters put another in its place before a filter chain is chosen; that of TLS knows more after the handshake. */
  peer: Peer;
  /** Monotonic milliseconds at which it was opened or accepted. */
  readonly openedMs: number;
  /** Who counts it: told after the sink when it has closed. Null: nobody. */
  owner: ConnectionOwner | null;
  /** What filters of an upstream connection find out, by keys of filter state; grows. Absent: there are none. */
  readonly found?: ReadonlyMap<string, unknown> | null;
  /** Exactly once. Bytes flow from then on. */
  attach(sink: ConnectionSink): void;
  /** Ownership moves. False: above the high watermark; `onDrain` follows when it has fallen to half. */
  write(chunk: Uint8Array): boolean;
  /** As `write`, for a latin1 string: message heads are built as strings. */
  writeLatin1(text: string): boolean;
  /** Has `source` write what it gathers before this turn's bytes are sent. Absent: it writes at once. */
  flushLater?(source: ByteSource): void;
  /** Half-close, after what was written. */
  end(): void;
  /** As `destroy`, and tells the peer by a reset (RST) where the transport can. */
  reset(failure: Failure): void;
  /** Closes at once; unsent bytes are dropped. `onClosed` follows with this failure. */
  destroy(failure: Failure): void;
  /**
   * Sends what was written, waits for the peer to close, and closes then or `lingerMs` later (`DelayedCloseTimeout`):
   * Envoy's FlushWriteAndDelay.
   */
  endAndLinger(lingerMs: number, failure: Failure): void;
  /** Sends what was written and closes; drops the rest when the peer has taken nothing of it for `stallMs`. */
  closeAfterFlush(stallMs: number, failure: Failure): void;
  /** Counted, like Envoy's readDisable. */
  pause(): void;
  resume(): void;
  /** Many messages are under way on it at a time, so what comes is worth gathering. Absent: nothing is gathered. */
  carriesMany?(): void;
  /** Bytes written and not yet taken by the kernel. */
  readonly bufferedBytes: number;
  /** Soft limit of `bufferedBytes` (per_connection_buffer_limit_bytes); 0: none. */
  bufferLimit: number;
  /** Since the start, for logs and stats. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A connection as its listener gets it: its first bytes may be looked at before anybody has it for good. */
export interface AcceptedConnection extends Connection {
  /**
   * Takes the sink off again. Another is attached in the same entry; it hears `unread` first, once the call that
   * attached it has returned. `bytesRead` begins anew.
   */
  detach(unread: Uint8Array): void;
}

/** Who gathers bytes for a connection. */
export interface ByteSource {
  /** Writes them to the connection. */
  flush(): void;
}

/** A listener or a pool, which hears of the end of its connections whoever carries them. */
export interface ConnectionOwner {
  onConnectionClosed(connection: Connection): void;
}

/** Who receives the bytes. Ownership moves with the chunk: the giver never touches it again. */
export interface ConnectionSink {
  onBytes(chunk: Uint8Array): void;
  /** `write` would say false: nothing more should be written, though nothing was just now. Absent: a write will tell. */
  onFull?(): void;
  onDrain(): void;
  /** The peer half-closed. */
  onEnd(): void;
  /** Exactly once, always last. */
  onClosed(failure: Failure): void;
}
