/** Why a stream is traced, or not. Envoy's `Tracing::Reason`. */
export const TraceReason = { NotTraceable: 0, Sampling: 1, ServiceForced: 2, ClientForced: 3 } as const;
export type TraceReason = (typeof TraceReason)[keyof typeof TraceReason];

const idLength = 36;
/** Where a request's id has the reason. */
const reasonAt = 14;
/** By reason. */
const digits = ['4', '9', 'a', 'b'];

/** What a request's id says; of what is no UUID: nothing. */
export function reasonIn(id: string): TraceReason {
  if (id.length !== idLength) return TraceReason.NotTraceable;
  const reason = digits.indexOf(id[reasonAt]);
  return reason < 0 ? TraceReason.NotTraceable : (reason as TraceReason);
}

/** The id with another reason; what is no UUID stays. */
export function withReason(id: string, reason: TraceReason): string {
  if (id.length !== idLength) return id;
  return id.slice(0, reasonAt) + digits[reason] + id.slice(reasonAt + 1);
}

/** A number below 10 000 that everybody who sees this id draws alike; -1: there is none in it. */
export function drawOf(id: string): number {
  if (id.length < 8) return -1;
  let drawn = 0;
  for (let i = 0; i < 8; i++) {
    const code = id.charCodeAt(i);
    const isLetter = code > 57; /* 9 */
    const digit = isLetter ? (code | 32) - 87 : code - 48;
    if (digit < (isLetter ? 10 : 0) || digit > 15) return -1;
    drawn = drawn * 16 + digit;
  }
  return drawn % 10_000;
}
