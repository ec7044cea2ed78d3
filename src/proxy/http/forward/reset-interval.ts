import type { ResponseHead } from '../../../core/head.ts';
import type { RateLimitedBackOffData, ResetHeaderData } from '../../../route/route-data.ts';

const number = /^\s*\+?(\d{1,15})\s*$/;

/**
 * How long an upstream asks to be left alone, in milliseconds: the first field that says a time within the limit; 0: none.
 * Source: Envoy `RetryStateImpl::parseResetInterval`.
 */
export function resetIntervalMs(head: ResponseHead, backOff: RateLimitedBackOffData, epochMs: number): number {
  for (const header of backOff.resetHeaders) {
    const interval = intervalOf(head, header, epochMs);
    if (interval >= 0 && interval <= backOff.maxIntervalMs) return interval;
  }
  return 0;
}

/** -1: there is none. */
function intervalOf(head: ResponseHead, { name, isTimestamp }: ResetHeaderData, epochMs: number): number {
  const match = number.exec(head.headers.get(name) ?? '');
  if (match === null) return -1;
  const seconds = Number(match[1]) - (isTimestamp ? Math.floor(epochMs / 1000) : 0);
  return seconds < 0 ? -1 : seconds * 1000;
}
