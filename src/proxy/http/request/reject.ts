import { ResponseFlag } from '../../../core/failure.ts';
import type { LocalReply } from '../../../filter/filter.ts';

/** Why a request goes no further than the connection manager. */
export interface Reject extends LocalReply {
  readonly flags: number;
  /** The connection must end with this answer, as Envoy does after each 400. */
  readonly close: boolean;
}

function reject(status: number, details: string): Reject {
  return { status, details, body: '', flags: ResponseFlag.None, close: status === 400 };
}

export const missingHost = reject(400, 'missing_host_header');
export const missingPath = reject(404, 'missing_path_rejected');
export const nonRelativePath = reject(404, 'absolute_path_rejected');
export const badPath = reject(400, 'path_normalization_failed');

/** `path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT`. */
export function redirectTo(path: string): Reject {
  return {
    status: 307,
    details: 'path_normalization_failed',
    body: '',
    flags: ResponseFlag.None,
    close: false,
    headers: [['location', path]],
  };
}

/** An original_ip_detection extension found no address and was told to refuse then. */
export function undetectedClient(status: number): Reject {
  return reject(status, 'rejecting_because_detection_failed');
}
