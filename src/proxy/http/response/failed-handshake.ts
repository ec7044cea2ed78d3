import { HttpVersion, type ResponseHead } from '../../../core/head.ts';
import type { LocalReply } from '../../../filter/filter.ts';

/**
 * Envoy's answer in place of an HTTP/1 upstream's that is neither consent to a WebSocket nor an error, so that it looks
 * like neither: its status and fields, without its body. Null: the upstream's own goes to the client.
 */
export function failedHandshake(head: ResponseHead, upstream: HttpVersion | null): LocalReply | null {
  const { status, headers } = head;
  if (status >= 400 || status === 101 || upstream === HttpVersion.Http2) return null;
  const fields = headers.names.map((name, i): [string, string] => [name, headers.values[i]]);
  return {
    status,
    body: '',
    details: 'websocket_handshake_unsuccessful',
    headers: fields.filter(([name]) => name !== 'content-length' && name !== 'content-type'),
  };
}
