import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { ConnectionOption, readConnectionOptions } from '../../h1/connection-options.ts';

// An extended CONNECT (RFC 8441) is an HTTP/1 upgrade to everyone but the codec, as in Envoy: routes and filters see one
// kind of request whatever the two connections speak.

/** `CONNECT` with `:protocol` becomes a GET with `upgrade`. */
export function upgradeFromConnect(head: RequestHead): void {
  head.method = 'GET';
  head.headers.add('upgrade', head.protocol);
  head.headers.add('connection', 'upgrade');
  head.protocol = '';
}

/** The `:protocol` that a request's upgrade becomes; empty: it asks for none. */
export function upgradeProtocol(headers: Headers): string {
  if (!headers.has('connection') || (readConnectionOptions(headers) & ConnectionOption.Upgrade) === 0) return '';
  return headers.get('upgrade') ?? '';
}

/** A server has agreed to an extended CONNECT: HTTP/1 says 101 then. */
export function upgradeAccepted(head: ResponseHead, protocol: string): void {
  head.status = 101;
  head.headers.set('upgrade', protocol);
  head.headers.set('connection', 'upgrade');
}
