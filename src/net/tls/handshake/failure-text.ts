import { formatAddress } from '../../../core/peer.ts';
import type { TlsConnection } from '../tls-connection.ts';

/** A handshake's failure in a line for the log: with whom, what, and which certificate is refused why. */
export function failureText({ id, peer }: TlsConnection, errors: string): string {
  const advice = peer.advice === '' ? '' : `: ${peer.advice}`;
  return `[C${id}] remote address:${formatAddress(peer.remote)},${errors}${advice}`;
}
