import type { Failure } from '../../core/failure.ts';
import { ConnectionTimeout } from '../../core/failures.ts';
import type { ConnectionError } from './connection-facts.ts';

/** errno, as Rust's standard library adds it to the kernel's words. */
const numbers: Readonly<Record<string, number>> = {
  'Operation not permitted': 1,
  'Permission denied': 13,
  'Invalid argument': 22,
  'Too many open files in system': 23,
  'Too many open files': 24,
  'Broken pipe': 32,
  'Address family not supported by protocol': 97,
  'Address already in use': 98,
  'Cannot assign requested address': 99,
  'Network is unreachable': 101,
  'Software caused connection abort': 103,
  'Connection reset by peer': 104,
  'No buffer space available': 105,
  'Connection timed out': 110,
  'Connection refused': 111,
  'No route to host': 113,
};

/** Reason phrases of what HBONE servers answer. */
const statusTexts: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Somebody's certificate is in a revocation list. */
const ofRevocation = /revoked/;

/** A connection that could not be opened. `isTunnel`: to where tunnels begin. */
export function dialError(failure: Failure, isTunnel: boolean): ConnectionError {
  if (failure.kind === ConnectionTimeout.kind) {
    return isTunnel
      ? {
          text: 'connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed',
          flags: 'NETWORK_POLICY',
        }
      : { text: 'connection failed: deadline has elapsed', flags: 'CONNECT' };
  }
  const words = kernelWords(failure.detail);
  if (words !== '') return { text: `connection failed: ${words}`, flags: 'CONNECT' };
  if (isTunnel && ofRevocation.test(failure.detail))
    return { text: `tls error: ${failure.detail}`, flags: 'CERT_REVOKED' };
  if (isTunnel && failure.detail.startsWith('TLS_error'))
    return { text: `tls error: ${failure.detail}`, flags: 'TLS_FAILURE' };
  return { text: `connection failed: ${failure.detail || failure.kind.reason}`, flags: 'CONNECT' };
}

/** A client that did not come to speak through TLS. */
export function handshakeError(failure: Failure): ConnectionError {
  const flags = ofRevocation.test(failure.detail) ? 'CERT_REVOKED' : 'TLS_FAILURE';
  return { text: `tls handshake error: ${failure.detail || failure.kind.reason}`, flags };
}

/** What the far end of a tunnel said instead of 200. */
export function statusError(status: number): ConnectionError {
  const text = statusTexts[status];
  return { text: `http status: ${status}${text === undefined ? '' : ` ${text}`}`, flags: 'CONNECT' };
}

/** An open connection that broke. */
export function brokenError(failure: Failure): ConnectionError {
  const flags = ofRevocation.test(failure.detail) ? 'CERT_REVOKED' : '-';
  return { text: `io error: ${kernelWords(failure.detail) || failure.detail || failure.kind.reason}`, flags };
}

export function denialError(reason: string): ConnectionError {
  return { text: `connection closed due to policy rejection: ${reason}`, flags: 'DENY' };
}

/** What was let in and would not be now. */
export const lateDenialError: ConnectionError = { text: 'connection closed due to policy change', flags: 'DENY' };

/** `Connection refused (os error 111)`; empty: it has none. */
function kernelWords(detail: string): string {
  for (const [words, number] of Object.entries(numbers))
    if (detail.includes(words)) return `${words} (os error ${number})`;
  return '';
}
