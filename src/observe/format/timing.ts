import type { Clock } from '../../core/clock.ts';
import type { Outcome } from '../outcome.ts';
import { FormatError } from './format-error.ts';
import { NumberOperator } from './operator.ts';

type Instant = (outcome: Outcome) => number;

/** Names of %COMMON_DURATION%'s instants. */
const INSTANTS = new Map<string, Instant>([
  ['DS_CX_BEG', (o) => (o.connectionStartMs === o.connectionStartMs ? o.connectionStartMs : o.startMs)],
  // A stream is logged before its connection ends.
  ['DS_CX_END', (o) => (o.accessLogType === 'TcpConnectionEnd' ? o.endMs : NaN)],
  ['DS_RX_BEG', (o) => o.startMs],
  ['DS_RX_END', (o) => o.requestEndMs],
  ['US_CX_BEG', (o) => o.upstreamConnectStartMs],
  ['US_CX_END', (o) => o.upstreamConnectEndMs],
  ['US_HS_END', (o) => o.upstreamConnectEndMs + (o.upstreamPeer?.tls?.handshakeMs ?? NaN)],
  ['US_TX_BEG', (o) => o.upstreamRequestStartMs],
  ['US_TX_END', (o) => o.upstreamRequestEndMs],
  ['US_RX_BEG', (o) => o.upstreamResponseStartMs],
  ['US_RX_BODY_BEG', (o) => o.upstreamResponseBodyStartMs],
  ['US_RX_END', (o) => o.upstreamResponseEndMs],
  ['DS_TX_BEG', (o) => o.responseStartMs],
  // Bytes of a plain TCP connection are not timed.
  ['DS_TX_END', (o) => (o.responseStartMs === o.responseStartMs ? o.endMs : NaN)],
]);

const never: Instant = () => NaN;

/** Per millisecond. */
const PRECISIONS = new Map([
  ['ms', 1],
  ['us', 1e3],
  ['ns', 1e6],
]);

/** Absorbs the rounding of a difference of two floating-point instants, far below a nanosecond's worth. */
const ROUNDING = 1e-7;

/** `%COMMON_DURATION(START:END[:ms|us|ns])%`. A name that is not known never happened. */
export function commonDuration(parameter: string): NumberOperator {
  const parts = parameter.split(':');
  if (parts.length < 2 || parts.length > 3)
    throw new FormatError(`Invalid common duration configuration: ${parameter}.`);
  const scale = PRECISIONS.get(parts[2] ?? 'ms');
  if (scale === undefined) throw new FormatError(`Invalid common duration precision: ${parts[2]}.`);
  const start = INSTANTS.get(parts[0]) ?? never;
  const end = INSTANTS.get(parts[1]) ?? never;
  return new NumberOperator((outcome) => {
    const elapsed = end(outcome) - start(outcome);
    return elapsed >= 0 ? Math.floor((elapsed + ROUNDING) * scale) : NaN;
  });
}

/** Milliseconds since the start: until the end, or until now while the stream lives. */
export function currentDuration(clock: Clock | null): NumberOperator {
  return new NumberOperator((outcome) => elapsedMs(outcome, clock));
}

/** Whole milliseconds since the start, until the end or now. */
export function elapsedMs(o: Outcome, clock: Clock | null): number {
  return Math.floor((o.endMs === o.endMs ? o.endMs : nowOf(o, clock)) - o.startMs + ROUNDING);
}

/** Whole milliseconds between two instants. */
export function between(start: Instant, end: Instant): NumberOperator {
  return new NumberOperator((outcome) => Math.floor(end(outcome) - start(outcome) + ROUNDING));
}

/** Without a clock: the last instant that the outcome knows of. */
function nowOf(o: Outcome, clock: Clock | null): number {
  if (clock !== null) return clock.now;
  let last = o.startMs;
  if (o.requestEndMs > last) last = o.requestEndMs;
  if (o.upstreamResponseStartMs > last) last = o.upstreamResponseStartMs;
  if (o.responseStartMs > last) last = o.responseStartMs;
  return last;
}
