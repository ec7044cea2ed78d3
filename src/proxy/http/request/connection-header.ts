import type { Headers } from '../../../core/headers.ts';

/** Tokens after which a Connection header is refused; Envoy's MAX_ALLOWED_NOMINATED_HEADERS. */
const connectionTokensMax = 10;
/** Length from which a nominated TE is refused; Envoy's MAX_ALLOWED_TE_VALUE_SIZE. */
const teBytesMax = 256;

/** Tokens that name no header. */
const connectionOptions: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'connection', '']);
/** Headers whose removal would forge where the request comes from. */
const protectedHeaders: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']);

/** True for the values that name nothing: the usual ones, without a closer look. */
export function isPlainConnection(value: string): boolean {
  switch (value) {
    case 'keep-alive':
    case 'close':
    case 'Keep-Alive':
    case 'Close':
    case '':
      return true;
    default:
      return false;
  }
}

/**
 * Removes the headers that a Connection header names (RFC 9110 §7.6.1). Returns false if the request must be refused.
 * `authority` names are reported through `onHost`, since Host is no field of `headers`.
 */
export function removeNominatedHeaders(headers: Headers, connection: string): Nomination {
  let nomination: Nomination = Nomination.Done;
  let tokens = 0;
  for (const part of connection.split(',')) {
    if (part === '') continue;
    if (++tokens >= connectionTokensMax) return Nomination.Refused;
    const name = part.trim().toLowerCase();
    if (connectionOptions.has(name)) continue;
    if (name.charCodeAt(0) === 58 /* : */ || protectedHeaders.has(name)) return Nomination.Refused;
    if (name === 'host') nomination = Nomination.HostNamed;
    else if (name === 'te') {
      const te = headers.get('te');
      if (te === undefined) continue;
      if (te.length >= teBytesMax) return Nomination.Refused;
      if (te.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers')) headers.set('te', 'trailers');
      else headers.remove('te');
    } else headers.remove(name);
  }
  return nomination;
}

export const Nomination = { Done: 0, Refused: 1, HostNamed: 2 } as const;
export type Nomination = (typeof Nomination)[keyof typeof Nomination];

/** What is left of a TE header for the upstream: `trailers`, or nothing. */
export function keepsTrailers(te: string): boolean {
  if (te === 'trailers') return true;
  for (const coding of te.split(',')) {
    const parameters = coding.indexOf(';');
    if ((parameters < 0 ? coding : coding.slice(0, parameters)).trim() === 'trailers') return true;
  }
  return false;
}

/** `Upgrade` takes effect only if Connection names it. */
export function namesUpgrade(connection: string): boolean {
  return connection.split(',').some((token) => token.trim().toLowerCase() === 'upgrade');
}
