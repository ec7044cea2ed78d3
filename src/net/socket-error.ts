import type { Failure } from '../core/failure.ts';
import { ClosedByPeer, LocalConnectionFailure, RemoteConnectionFailure } from '../core/failures.ts';
import type { DialOptions } from './network.ts';

/** The C library's words for the errors a socket meets; Envoy prints these, Node only their codes. */
const strerror: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EMFILE: 'Too many open files',
  ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system',
  ENOBUFS: 'No buffer space available',
  ENOENT: 'No such file or directory',
  ENOTSOCK: 'Socket operation on non-socket',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  ETIMEDOUT: 'Connection timed out',
};

/** Errors that this machine raises before anything was sent to the peer. */
const localCodes: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EINVAL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'EPERM',
  'ENOTSOCK',
]);

export function errorText(error: NodeJS.ErrnoException): string {
  return strerror[error.code ?? ''] ?? error.message;
}

/** A connection that could not be opened. `bindAddress`: the local address that it was to leave from. */
export function dialFailure(
  error: NodeJS.ErrnoException,
  bindAddress: { readonly host: string; readonly port: number } | null,
): Failure {
  // As Envoy, which says no more of an option that the kernel does not grant.
  if (error.syscall === 'setsockopt') return LocalConnectionFailure;
  // bind(2) fails before the kernel tries to connect.
  const isBind = error.syscall === 'bind' && bindAddress !== null;
  const what = isBind ? `failed to bind to ${boundText(bindAddress)}` : 'delayed connect error';
  const detail = `${what}: ${errorText(error)}`;
  return (localCodes.has(error.code ?? '') ? LocalConnectionFailure : RemoteConnectionFailure).with(detail);
}

/** What a connection is bound to before it is opened; null: nothing. */
export function boundTo({ source, bindAddress }: DialOptions): DialOptions['bindAddress'] {
  return source === undefined ? bindAddress : { host: source.host, port: 0 };
}

function boundText({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An open connection that broke. */
export function brokenConnection(error: NodeJS.ErrnoException): Failure {
  return ClosedByPeer.with(errorText(error));
}
