import type { Failure } from '../../core/failure.ts';
import { RetryKind } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import { ErrorCode } from './frame/error-code.ts';
import { writeResponseHead } from './message/head-writer.ts';
import type { H2ServerCodec } from './server.ts';
import { H2Stream } from './stream.ts';

/** Hears the rest of a request that is of no interest any more. */
export const nobody: StreamUser<RequestHead> = {
  head: () => undefined,
  data: () => undefined,
  trailers: () => undefined,
  reset: () => undefined,
  onAboveHighWatermark: () => undefined,
  onBelowLowWatermark: () => undefined,
};

/** One request as its user holds it: takes the response. What is said to it after its end is ignored. */
export class H2ServerStream extends H2Stream implements CodecStream<ResponseHead> {
  declare user: StreamUser<RequestHead>;
  declare protected readonly connection: H2ServerCodec;
  /** `:protocol` of an extended CONNECT; else empty. */
  protocol: string;
  isConnect: boolean;
  /** Tells the client why the rest of its request is not read, behind the response's end. */
  endCode: ErrorCode;
  /** Unsent bytes of a response whose user is done, when that was last looked at, and when it is again. */
  flushMark: number;
  flushAt: number;
  /** `flushWithin`; -1: the connection's. */
  flushMs: number;
  /** When the rest of a request that is answered already is waited for no more. */
  endAt: number;

  constructor(connection: H2ServerCodec, id: number) {
    super(connection, id);
    this.protocol = '';
    this.isConnect = false;
    this.endCode = ErrorCode.NoError;
    this.flushMark = 0;
    this.flushAt = -1;
    this.flushMs = -1;
    this.endAt = Infinity;
  }

  flushWithin(ms: number): void {
    this.flushMs = ms;
  }

  head(head: ResponseHead, end: boolean): void {
    if (this.isOver || this.hasSentHead) return;
    const { connection } = this;
    const { status } = head;
    const isAccepted = status === 101 && this.protocol !== '';
    if (status >= 200 || isAccepted) {
      this.hasSentHead = true;
      this.isEndSaid = end;
      this.isTunnel = isAccepted || (this.isConnect && status < 300);
    }
    const { writer } = connection;
    writer.beginHeaders();
    writeResponseHead(writer, connection.hpackEncoder, head, isAccepted);
    connection.sendHeaders(this, end && this.hasSentHead);
    connection.flush();
  }

  /** Tells the client that the response breaks off; behind its end, that the rest of the request is of no interest. */
  reset(failure: Failure): void {
    if (this.isOver) return;
    if (this.isEndSaid) {
      // From now on a stream as any other: what is queued leaves first.
      this.isTunnel = false;
      if (this.queuedBytes > 0) {
        this.user = nobody;
        return;
      }
    }
    const isWhole = this.isEndSaid && this.queuedBytes === 0;
    const code = isWhole || this.endCode !== ErrorCode.NoError ? this.endCode : codeOf(failure, this.giveUpCode);
    this.connection.resetStream(this, code);
  }

  private get giveUpCode(): ErrorCode {
    return this.connection.giveUpCode;
  }

  tunnelLost(): void {
    this.endCode = ErrorCode.ConnectError;
  }
}

/** As Envoy: whatever the upstream said, except that a client may repeat what was refused. */
function codeOf(failure: Failure, otherwise: ErrorCode): ErrorCode {
  return failure.kind.retry === RetryKind.RefusedStream ? ErrorCode.RefusedStream : otherwise;
}
