import type { RequestHead } from '../../core/head.ts';

/**
 * The authority of a redirect that keeps the host: without its port where the redirect names another port, or where
 * the port was the default of the scheme that is left. Which scheme the client really used stands in
 * `x-forwarded-proto`. Source: Envoy `processRequestHost`.
 */
export function redirectHost(head: RequestHead, newScheme: string, newPort: string): string {
  const host = head.authority;
  const end = host.startsWith('[') ? bracketEnd(host) : host.lastIndexOf(':');
  if (end < 0) return host;
  const port = host.slice(end);
  const scheme = head.headers.get('x-forwarded-proto') ?? '';
  const isOldDefault = (scheme === 'https' && port === ':443') || (scheme === 'http' && port === ':80');
  return newPort !== '' || (newScheme !== scheme && isOldDefault) ? host.slice(0, end) : host;
}

function bracketEnd(host: string): number {
  const end = host.lastIndexOf(']:');
  return end < 0 ? -1 : end + 1;
}

/** An absolute URL of the request as it is: what Envoy tells in `location` beside a direct 201 or 3xx. */
export function ownLocation(head: RequestHead): string {
  const path = head.path.startsWith('/') ? head.path : `/${head.path}`;
  return `${head.scheme}://${redirectHost(head, head.scheme, '')}${path}`;
}
