import type { Failure } from '../../core/failure.ts';
import type { ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { isGrpcType } from '../../core/grpc-request.ts';
import { grpcStatusFromHttp } from '../../observe/format/grpc-status.ts';

/** gRPC's status codes. */
export const GrpcCode = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

/** How a call ended. */
export class GrpcStatus {
  /** A GrpcCode, or what else the server said. */
  readonly code: number;
  readonly message: string;
  /** Metadata behind the answer; null: there was none. */
  readonly trailers: Headers | null;
  /** Why there was no answer; null: the server said this. */
  readonly failure: Failure | null;

  constructor(code: number, message: string, trailers: Headers | null = null, failure: Failure | null = null) {
    this.code = code;
    this.message = message;
    this.trailers = trailers;
    this.failure = failure;
  }

  get isOk(): boolean {
    return this.code === GrpcCode.Ok;
  }
}

/** What trailers, or a head that is all of an answer, say; null: nothing. */
export function statusIn(headers: Headers): GrpcStatus | null {
  const text = headers.get('grpc-status');
  if (text === undefined) return null;
  const code = /^\d{1,10}$/.test(text) ? Number(text) : GrpcCode.Unknown;
  return new GrpcStatus(code, decodeMessage(headers.get('grpc-message') ?? ''), headers);
}

/** A head that is no answer to a gRPC call becomes a status by its HTTP status, or by its kind; null: it is one. */
export function refusalIn(head: ResponseHead): GrpcStatus | null {
  const { status, headers } = head;
  if (status !== 200) return new GrpcStatus(grpcStatusFromHttp(status), `HTTP status ${status}`, headers);
  const type = headers.get('content-type');
  if (isGrpcType(type)) return null;
  return new GrpcStatus(GrpcCode.Unknown, `content-type '${type ?? ''}' is not gRPC's`, headers);
}

/** `grpc-message` is percent-encoded UTF-8; what is not valid stays as it came. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
