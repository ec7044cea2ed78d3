import type { Failure } from '../../../core/failure.ts';
import type { LocalReply } from '../../../filter/filter.ts';

/**
 * What takes the place of an upstream's answer that broke off, `before` or `after` its head had come. Envoy's words: the
 * client reads `before headers` of whatever it has not been told, and the log says which it was.
 */
export function failureReply(failure: Failure, moment: 'before' | 'after', attemptCount: number): LocalReply {
  const { status, reason, flag } = failure.kind;
  const retried = attemptCount > 1 ? 'retried and the latest reset reason' : 'reset reason';
  const detail = failure.detail === '' ? '' : `|${failure.detail}`;
  return {
    status,
    body: `upstream connect error or disconnect/reset before headers. ${retried}: ${reason}`,
    details: `upstream_reset_${moment}_response_started{${reason}${detail}}`,
    flags: flag,
  };
}
