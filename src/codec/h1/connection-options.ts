import { HttpVersion } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { connectionTokensMax, nominatedTeBytesMax } from './limits.ts';

/** The connection options (RFC 9110 section 7.6.1) that steer a message; bits. */
export const ConnectionOption = { Close: 1, KeepAlive: 2, Upgrade: 4 } as const;

/**
 * Whether nothing may follow a message on its connection (RFC 9112 section 9.3): as Envoy, the old Proxy-Connection
 * may say so too.
 */
export function isLastMessage(headers: Headers, version: HttpVersion): boolean {
  const options = headers.has('connection') ? readConnectionOptions(headers) : 0;
  if (version !== HttpVersion.Http11 && (options & ConnectionOption.KeepAlive) === 0) return true;
  if ((options & ConnectionOption.Close) !== 0) return true;
  const proxy = headers.get('proxy-connection');
  return proxy !== undefined && (optionsOf(proxy) & ConnectionOption.Close) !== 0;
}

/** The message asks for, or agrees to, another protocol: `upgrade`, and named by `connection`. */
export function isUpgrade(headers: Headers): boolean {
  return headers.has('upgrade') && (readConnectionOptions(headers) & ConnectionOption.Upgrade) !== 0;
}

/** What the Connection fields of a message ask for, together. */
export function readConnectionOptions(headers: Headers): number {
  let options = 0;
  for (let i = headers.indexOf('connection'); i >= 0; i = headers.indexOf('connection', i + 1))
    options |= optionsOf(headers.values[i]);
  return options;
}

function optionsOf(value: string): number {
  switch (value) {
    case 'close':
      return ConnectionOption.Close;
    case 'keep-alive':
    case 'Keep-Alive':
      return ConnectionOption.KeepAlive;
    case 'Upgrade':
    case 'upgrade':
      return ConnectionOption.Upgrade;
    default:
      return optionsOfList(value);
  }
}

function optionsOfList(value: string): number {
  let options = 0;
  for (const token of value.split(',')) {
    switch (token.trim().toLowerCase()) {
      case 'close':
        options |= ConnectionOption.Close;
        break;
      case 'keep-alive':
        options |= ConnectionOption.KeepAlive;
        break;
      case 'upgrade':
        options |= ConnectionOption.Upgrade;
        break;
      default:
    }
  }
  return options;
}

/**
 * Whether a request may name these fields as hop-by-hop (Envoy's `Utility::sanitizeConnectionHeader`): not ten of
 * them, and none that tells where the request comes from. Removing what is named is the connection manager's work.
 */
export function isConnectionAllowed(headers: Headers): boolean {
  let count = 0;
  for (let i = headers.indexOf('connection'); i >= 0; i = headers.indexOf('connection', i + 1)) {
    const value = headers.values[i];
    if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') {
      count++;
      continue;
    }
    for (const part of value.split(',')) {
      if (part === '') continue;
      if (++count >= connectionTokensMax || !isTokenAllowed(part.trim().toLowerCase(), headers)) return false;
    }
  }
  return count < connectionTokensMax;
}

function isTokenAllowed(token: string, headers: Headers): boolean {
  switch (token) {
    case 'x-forwarded-for':
    case 'x-forwarded-host':
    case 'x-forwarded-proto':
      return false;
    case 'te':
      return (headers.get('te') ?? '').length < nominatedTeBytesMax;
    default:
      return token.charCodeAt(0) !== 58; /* : */
  }
}

/** Takes a protocol upgrade out of a request that goes on without it: the field, its option and HTTP2-Settings. */
export function removeUpgrade(headers: Headers): void {
  headers.remove('upgrade');
  headers.remove('http2-settings');
  for (let i = headers.indexOf('connection'); i >= 0; i = headers.indexOf('connection', i + 1)) {
    const kept = headers.values[i].split(',').filter((part) => {
      const token = part.trim().toLowerCase();
      return token !== 'upgrade' && token !== 'http2-settings';
    });
    if (kept.length > 0) headers.values[i] = kept.join(',');
    else headers.removeAt(i--);
  }
}
