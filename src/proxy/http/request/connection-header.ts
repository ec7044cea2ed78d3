import { HttpVersion, type RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';

/** Connection options that name no header. `connection` names itself in vain. */
const connectionOptions: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'connection', '']);

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
 * Removes the headers that a Connection header names (RFC 9110 §7.6.1); the codec has refused what must not be named.
 * A TE that is named stays if it is about trailers. True: Host was named, and must go too.
 */
export function removeNominatedHeaders(headers: Headers, connection: string): boolean {
  let namesHost = false;
  for (const part of connection.split(',')) {
    const name = part.trim().toLowerCase();
    if (connectionOptions.has(name)) continue;
    if (name === 'host') namesHost = true;
    else if (name !== 'te') headers.remove(name);
    else if (hasToken(headers.get('te') ?? '', 'trailers')) headers.set('te', 'trailers');
  }
  return namesHost;
}

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
  return hasToken(connection, 'upgrade');
}

function hasToken(list: string, token: string): boolean {
  return list.split(',').some((part) => part.trim().toLowerCase() === token);
}

/** The client will not send another request on this connection (RFC 9112 section 9.3). */
export function asksToClose(head: RequestHead): boolean {
  const connection = head.headers.get('connection');
  if (connection === undefined) return head.version === HttpVersion.Http10;
  const tokens = connection.toLowerCase();
  return head.version === HttpVersion.Http10 ? !tokens.includes('keep-alive') : tokens.includes('close');
}
