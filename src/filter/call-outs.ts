import type { RequestHead, ResponseHead } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { Span } from '../observe/trace/span.ts';

/** What a filter asked another server. */
export interface CallOut {
  /** Nobody hears of it any more. */
  cancel(): void;
}

/** The trace of a stream, for what its filters ask of others. */
export interface CallTrace {
  /** Null: nothing is told of it. */
  beginCall(name: string): Span | null;
  /** Writes what the other one is told. */
  tell(span: Span, headers: Headers): void;
  endCall(span: Span): void;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
  /** What its status is called; only where the call has a span. */
  readonly statusText?: string;
}

export interface HttpCallOptions {
  /** Milliseconds until the answer must be whole; 0: no limit. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body: more than that is a failure. */
  readonly bodyBytesMax: number;
  /** With `x-forwarded-for`, this machine's address. */
  readonly saysForWhom: boolean;
  /** Absent: it is asked once. */
  readonly retries?: CallRetries | null;
  /** Absent, null: it is not traced. */
  readonly trace?: CallTrace | null;
}

/** After a server's error, a reset or a connection that cannot be made, within the one timeout. */
export interface CallRetries {
  /** Null: nothing is asked again, and each try ends in its time. */
  readonly max: number | null;
  /** Of the back-off: at random below an interval that doubles. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** One try may last so long. */
  readonly tryTimeoutMs: number;
}

/** Who asked, and hears exactly one of both, perhaps before the asking returns; nothing after `cancel`. */
export interface HttpCallUser {
  /** `span`: of the call, for what is to be told of it besides; absent: it is not traced. */
  onAnswer(answer: HttpAnswer, span?: Span): void;
  /** `reason`: for logs. `span`, `statusText`: as with an answer. */
  onFailure(reason: string, span?: Span, statusText?: string): void;
}

/** Who asked by gRPC. As `HttpCallUser`. */
export interface GrpcCallUser {
  /** One message, and the status 0. */
  onAnswer(message: Uint8Array, span?: Span): void;
  /** `status`: gRPC's code; `reason`: for logs. */
  onFailure(status: number, reason: string): void;
}

export interface GrpcCallOptions {
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** Empty: the cluster's name. */
  readonly authority: string;
  readonly metadata: readonly (readonly [string, string])[];
  /** Bytes of the answer; 0: the usual limit. */
  readonly messageBytesMax: number;
  /** No `x-envoy-…` fields, and no x-forwarded-for. */
  readonly skipsOwnHeaders: boolean;
  /** Absent, null: it is not traced. */
  readonly trace?: CallTrace | null;
}

/** Calls of filters to clusters of the configuration, over their pools, limits and stats. */
export interface CallOuts {
  /** `head`: the user's, which gets what is sent beside it. Null body: none. */
  http(
    cluster: string,
    head: RequestHead,
    body: Uint8Array | null,
    options: HttpCallOptions,
    user: HttpCallUser,
  ): CallOut;
  /** A method with one message each way. `path`: `/package.Service/Method`. */
  grpc(cluster: string, path: string, message: Uint8Array, options: GrpcCallOptions, user: GrpcCallUser): CallOut;
}
