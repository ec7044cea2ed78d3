import type { Descriptor } from '../../route/rate-limit/descriptors.ts';
import type { LimitStatus } from './limit-response.ts';

/** Seconds of `RateLimitResponse.RateLimit.Unit`, by number; those that are not here say nothing. */
const windows: Readonly<Record<number, number>> = {
  1: 1,
  2: 60,
  3: 3600,
  4: 86_400,
  5: 2_592_000,
  6: 31_536_000,
  7: 604_800,
};

/**
 * draft-polli-ratelimit-headers-03, as Envoy writes it: of the limit that is nearest, with the policy of all.
 * @param descriptors that the statuses are of, in the same order
 * @param areShown those whose descriptors do not say
 */
export function limitHeaders(
  statuses: readonly LimitStatus[],
  descriptors: readonly Pick<Descriptor, 'isShown'>[],
  areShown: boolean,
): [string, string][] {
  let nearest: LimitStatus | null = null;
  let policy = '';
  for (const [i, status] of statuses.entries()) {
    const { limit } = status;
    if (limit === null || !(descriptors[i]?.isShown ?? areShown)) continue;
    if (nearest === null || status.remaining < nearest.remaining) nearest = status;
    const window = windows[limit.unit];
    if (window === undefined) continue;
    policy += `, ${limit.requestsPerUnit};w=${window}`;
    if (limit.name !== '') policy += `;name="${limit.name}"`;
  }
  if (nearest === null) return [];
  return [
    ['x-ratelimit-limit', `${nearest.limit!.requestsPerUnit}${policy}`],
    ['x-ratelimit-remaining', String(nearest.remaining)],
    ['x-ratelimit-reset', String(nearest.resetSeconds)],
  ];
}
