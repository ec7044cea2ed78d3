import type { Failure } from '../../../core/failure.ts';
import { formatAddress } from '../../../core/peer.ts';
import type { TlsConnection } from '../tls-connection.ts';

/** A handshake's failure in a line for the log: with whom, what, and which certificate is refused why. */
export function failureText({ id, peer }: TlsConnection, errors: string): string {
  const advice = peer.advice === '' ? '' : `: ${peer.advice}`;
  return `[C${id}] remote address:${formatAddress(peer.remote)},${errors}${advice}`;
}

/** What Envoy says where the transport was reset under a handshake; empty: it was not. */
export function resetText(closed: Failure | undefined): string {
  if (closed?.detail !== 'Connection reset by peer') return '';
  return `TLS_error:|33554536:system library:OPENSSL_internal:${closed.detail}:TLS_error_end`;
}
