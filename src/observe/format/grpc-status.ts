import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { Outcome } from '../outcome.ts';
import { quoteJson } from './byte-string.ts';
import { FormatError } from './format-error.ts';
import type { Operator } from './operator.ts';

/** Index is the code. Envoy's `CAMEL_STRING`. */
const CAMEL_NAMES: readonly string[] = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

const SNAKE_NAMES: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** What a gRPC client makes of an HTTP status without grpc-status. */
const FROM_HTTP = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const UNKNOWN = 2;
/** A grpc-status that is no number. */
const INVALID = -1;

/** `%GRPC_STATUS(CAMEL_STRING|SNAKE_STRING|NUMBER)%`. */
export function grpcStatusOperator(parameter: string): Operator {
  switch (parameter) {
    case '':
    case 'CAMEL_STRING':
      return new GrpcStatus(CAMEL_NAMES);
    case 'SNAKE_STRING':
      return new GrpcStatus(SNAKE_NAMES);
    case 'NUMBER':
      return new GrpcStatus(null);
    default:
      throw new FormatError(
        `GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: ${parameter}`,
      );
  }
}

class GrpcStatus implements Operator {
  private readonly names: readonly string[] | null;

  constructor(names: readonly string[] | null) {
    this.names = names;
  }

  text(outcome: Outcome): string | null {
    if (outcome.requestHead === null || !isGrpcRequest(outcome.requestHead)) return null;
    const status = grpcStatusOf(outcome);
    return status === null ? null : (this.names?.[status] ?? String(status));
  }

  json(outcome: Outcome): string {
    const text = this.text(outcome);
    if (text === null) return 'null';
    return this.names === null ? text : quoteJson(text);
  }
}

/** From the trailers, else the headers, else what the HTTP status means; null where there was no answer. */
export function grpcStatusOf(outcome: Outcome): number | null {
  const sent = outcome.responseTrailers?.get('grpc-status') ?? outcome.responseHead?.headers.get('grpc-status');
  if (sent !== undefined) return /^\d+$/.test(sent) ? Number(sent) : INVALID;
  return outcome.responseCode === 0 ? null : grpcStatusFromHttp(outcome.responseCode);
}

/** What a gRPC client makes of an HTTP status. Envoy's `Grpc::Utility::httpToGrpcStatus`. */
export function grpcStatusFromHttp(status: number): number {
  return FROM_HTTP.get(status) ?? UNKNOWN;
}
