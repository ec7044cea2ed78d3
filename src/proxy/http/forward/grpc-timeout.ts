import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { ForwardAction } from '../../../route/route.ts';

const header = 'grpc-timeout';

/** Milliseconds per unit (gRPC over HTTP/2, "Timeout"). */
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Eight digits: more are not a timeout. */
const numberMax = 99_999_999;

/** From the finest on: what a timeout of so many is written in. */
const writtenUnits: readonly (readonly [string, number])[] = [
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
];

/**
 * What a request's `grpc-timeout` asks for, in whole milliseconds, rounded up; -1: nothing, or nothing valid. Signs,
 * zeros in front and white space are read over, as Envoy does.
 */
export function grpcTimeoutMs(head: RequestHead): number {
  const text = head.headers.get(header);
  if (text === undefined) return -1;
  const unit = unitMs[text.slice(-1)];
  const digits = /^\s*([+-]?\d+)\s*$/.exec(text.slice(0, -1));
  if (unit === undefined || digits === null) return -1;
  const number = Number(digits[1]);
  return number < 0 || number > numberMax ? -1 : Math.ceil(number * unit);
}

/** A timeout as gRPC writes it, in the finest unit that has room for it. */
export function grpcTimeoutText(ms: number): string {
  for (const [unit, size] of writtenUnits) {
    const number = Math.floor(ms / size);
    if (number <= numberMax) return number + unit;
  }
  return `${Math.min(numberMax, Math.floor(ms / unitMs.H))}H`;
}

/**
 * How long a stream may last whose route has `max_stream_duration`; -1: without end. `managerMs` is the connection
 * manager's limit, 0: none. The upstream of a gRPC request is told. Source: Envoy `refreshDurationTimeout`.
 */
export function takeStreamDuration(head: RequestHead, action: ForwardAction, managerMs: number): number {
  const asked = action.grpcTimeoutHeaderMaxMs < 0 ? -1 : grpcTimeoutMs(head);
  const ms = asked < 0 ? configuredMs(action, managerMs) : grantedMs(asked, action);
  if (!isGrpcRequest(head)) return ms;
  if (ms >= 0) head.headers.set(header, grpcTimeoutText(ms));
  else if (managerMs > 0) head.headers.remove(header);
  return ms;
}

function configuredMs({ maxStreamDurationMs }: ForwardAction, managerMs: number): number {
  const ms = maxStreamDurationMs >= 0 ? maxStreamDurationMs : managerMs;
  return ms === 0 ? -1 : ms;
}

/** The client's own deadline, within what is allowed, and a little less, so that the answer still finds it waiting. */
function grantedMs(asked: number, { grpcTimeoutHeaderMaxMs, grpcTimeoutHeaderOffsetMs }: ForwardAction): number {
  const allowed = grpcTimeoutHeaderMaxMs === 0 ? asked : Math.min(asked, grpcTimeoutHeaderMaxMs);
  return Math.max(0, allowed - grpcTimeoutHeaderOffsetMs);
}
