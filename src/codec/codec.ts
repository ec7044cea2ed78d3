import type { ByteSource } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { CodecStream, StreamUser } from '../core/message-sink.ts';

/** Where a codec's bytes go, and its wishes about the connection. A `Connection` satisfies most of it; tests use arrays. */
export interface CodecHost {
  write(chunk: Uint8Array): boolean;
  writeLatin1(text: string): boolean;
  /** Has `source` write what it gathers before this turn's bytes are sent. Absent: it writes at once. */
  flushLater?(source: ByteSource): void;
  /** Half-close after what was written: the end of a tunnel's one direction. Absent: the host cannot. */
  end?(): void;
  /** Stop and restart reading from the peer; counted. */
  pause(): void;
  resume(): void;
  /** The codec carries many messages at a time, from now on. */
  carriesMany?(): void;
  /** Bytes written and not yet taken by the kernel. Absent: not known; all is taken unless `write` said false. */
  readonly bufferedBytes?: number;
  /** Call the codec's `tick` at `at` (monotonic milliseconds), or earlier. Absent: the codec has no time of its own. */
  wakeAt?(at: number): void;
}

/** Pure: bytes and instants in, calls on the host out. */
export interface Codec {
  receive(chunk: Uint8Array, now: number): void;
  /** The peer half-closed. */
  receiveEnd(now: number): void;
  /** The connection is gone: every open stream is reset with this failure. */
  closed(failure: Failure): void;
  /** The connection's outgoing buffer passed its high mark, or fell to the low one: told to the streams. */
  onAboveHighWatermark(): void;
  onBelowLowWatermark(): void;
  /** The moment that `CodecHost.wakeAt` asked for has come; too early is no harm, the codec asks again. */
  tick?(now: number): void;
}

/** What a downstream codec needs of the connection manager. */
export interface StreamAcceptor {
  /**
   * A request begins; its head follows at once on the returned user.
   * A request that is not valid HTTP appears as a stream too, so that it is logged: the user's first verb is then
   * `reset`, before any head. Also later, a `reset` whose failure has a `kind.status` (side downstream) ends only the
   * request's half: if no response head was sent yet the user answers with that status, `kind.reason` as details and
   * the status's reason phrase as body, before `reset` returns; `onProtocolError` follows.
   */
  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead>;
  /**
   * The peer broke the protocol. Where a stream could be answered the codec has already answered or the user did;
   * the connection is to be closed after what was written.
   */
  onProtocolError(failure: Failure): void;
  /** The codec will take no more requests and everything was answered: close the connection after what was written. */
  onFinished(): void;
}

export interface ServerCodec extends Codec {
  readonly activeStreams: number;
  /** Say goodbye: `connection: close` on the next response, GOAWAY. */
  drain(now?: number, drainMs?: number): void;
}

/** What an upstream codec tells its pool. */
export interface ClientCodecOwner {
  /**
   * A stream ended, whichever way; `reusable`: the connection may carry another. Exactly once per opened stream, but
   * not after `closed`, whose caller knows. Its user has heard everything before.
   */
  onStreamDone(reusable: boolean): void;
  /**
   * A stream of several on the connection breaks off for this reason, `LocalReset` where its user gave it up. Its user,
   * if it is not the cause, hears it next. Absent: nobody asks.
   */
  onStreamReset?(failure: Failure): void;
  /** The upstream said that this was its last answer on the connection. */
  onCloseAnnounced?(): void;
  /**
   * The upstream broke the protocol, in a message, behind it or with bytes that nobody asked for; a stream that was open
   * has been reset and reported by `onStreamDone`. The connection must go.
   */
  onProtocolError(failure: Failure): void;
}

export interface ClientCodec extends Codec {
  readonly activeStreams: number;
  /** Opens a stream; its user hears the response. Only when `canOpen`. */
  open(user: StreamUser<ResponseHead>, now?: number): CodecStream<RequestHead>;
  readonly canOpen: boolean;
}
